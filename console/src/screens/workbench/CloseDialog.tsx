import { Button, Group, Modal, Text } from "@mantine/core";
import { useT } from "../../i18n/languageContext";

interface Props {
  isOpen: boolean;
  onCancel: () => void;
  onConfirm: () => void;
}

export function CloseDialog({ isOpen, onCancel, onConfirm }: Props) {
  const t = useT();
  return (
    <Modal opened={isOpen} onClose={onCancel} title={t("close.title")} centered size="sm" closeButtonProps={{ "aria-label": t("common.cancel") }}>
      <Text size="sm">{t("close.question")}</Text>
      <Group justify="flex-end" mt="lg" gap="sm">
        <Button variant="default" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button onClick={onConfirm} data-autofocus data-testid="close-confirm">
          {t("close.confirm")}
        </Button>
      </Group>
    </Modal>
  );
}
