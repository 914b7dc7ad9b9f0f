import { ActionIcon, CopyButton, TextInput, Tooltip } from "@mantine/core";
import { Check, Copy } from "lucide-react";
import { useT } from "../i18n/languageContext";

export function CopyField({ label, value, description }: { label: string; value: string; description?: string }) {
  const t = useT();
  return (
    <CopyButton value={value} timeout={2000}>
      {({ copied, copy }) => (
        <TextInput
          label={label}
          description={description}
          value={value}
          readOnly
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          onFocus={(event) => {
            event.currentTarget.select();
          }}
          rightSection={
            <Tooltip label={copied ? t("common.copied") : t("common.copy")}>
              <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={`${t("common.copy")}: ${label}`}>
                {copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
              </ActionIcon>
            </Tooltip>
          }
        />
      )}
    </CopyButton>
  );
}
