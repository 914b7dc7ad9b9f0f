import { Drawer } from "@mantine/core";
import type { ReactNode } from "react";
import { useT } from "../i18n/languageContext";

interface Props {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function FormDrawer({ title, isOpen, onClose, children }: Props) {
  const t = useT();
  return (
    <Drawer opened={isOpen} onClose={onClose} position="right" size="md" title={title} closeButtonProps={{ "aria-label": t("common.close") }}>
      {children}
    </Drawer>
  );
}
