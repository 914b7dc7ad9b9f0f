import { Center, Loader } from "@mantine/core";
import { useT } from "../i18n/languageContext";

export function LoadingScreen() {
  const t = useT();
  return (
    <Center h="100%" mih={200} role="status" aria-label={t("common.loading")}>
      <Loader size="sm" />
    </Center>
  );
}
