import { Button, Center, Stack, Text } from "@mantine/core";
import { asProblem } from "../api/problem";
import { problemText } from "../i18n/problems";
import { useT } from "../i18n/languageContext";

export function ProblemScreen({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const t = useT();
  return (
    <Center h="100%" mih={200} p="md">
      <Stack align="center" gap="sm" role="alert">
        <Text>{problemText(t, asProblem(error))}</Text>
        <Button variant="default" onClick={onRetry}>
          {t("common.retry")}
        </Button>
      </Stack>
    </Center>
  );
}
