import { Button, Group } from "@mantine/core";
import { useT } from "../i18n/languageContext";

export function FormActions({ isSaving, onCancel }: { isSaving: boolean; onCancel: () => void }) {
  const t = useT();
  return (
    <Group justify="flex-end" gap="sm" mt="md">
      <Button variant="default" onClick={onCancel}>
        {t("common.cancel")}
      </Button>
      <Button type="submit" loading={isSaving} data-testid="save">
        {t("common.save")}
      </Button>
    </Group>
  );
}
