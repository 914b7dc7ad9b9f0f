import { notifications } from "@mantine/notifications";
import { useNavigate, useParams } from "react-router";
import { useT } from "../i18n/languageContext";

/** Which form is open is part of the address: nothing, `new`, or the id of what is edited. */
export function useResourceRoute<Row extends { id: string }>(base: string, rows: Row[] | undefined) {
  const t = useT();
  const navigate = useNavigate();
  const { id } = useParams();
  return {
    isNew: id === "new",
    edited: rows?.find((row) => row.id === id) ?? null,
    add: () => void navigate(`${base}/new`),
    open: (rowId: string) => void navigate(`${base}/${rowId}`),
    close: () => void navigate(base),
    pathOf: (row: Row) => `${base}/${row.id}`,
    saved: () => {
      notifications.show({ message: t("common.saved"), autoClose: 2500 });
      void navigate(base);
    },
  };
}
