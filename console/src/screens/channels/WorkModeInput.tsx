import { Radio, Stack, type RadioGroupProps } from "@mantine/core";
import { useT } from "../../i18n/languageContext";

const modes = ["bot_first", "human_first", "bot_only"] as const;

export function WorkModeInput(input: Omit<RadioGroupProps, "children">) {
  const t = useT();
  return (
    <Radio.Group label={t("channel.work_mode")} {...input}>
      <Stack gap={6} mt={4}>
        {modes.map((mode) => (
          <Radio key={mode} value={mode} label={t(`work_mode.${mode}`)} description={t(`work_mode.${mode}_hint`)} size="xs" />
        ))}
      </Stack>
    </Radio.Group>
  );
}
