import { notifications } from "@mantine/notifications";
import { useCallback, useState } from "react";
import { matchPath, useLocation, useNavigate } from "react-router";
import type { Conversation } from "../api/types";
import { useT } from "../i18n/languageContext";
import { visitorName } from "../screens/workbench/visitorName";
import { notifyDesktop } from "./desktopNotification";

/**
 * What happens when a conversation becomes this agent's: an idle workbench opens it; otherwise it is announced and stays
 * marked until it is opened. Nobody is torn away from a conversation or a form.
 */
export function useArrivals() {
  const t = useT();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [unseen, setUnseen] = useState<ReadonlySet<string>>(new Set());
  const selected = matchPath("/conversations/:id", pathname)?.params.id;
  const isIdle = matchPath("/conversations", pathname) !== null;

  const markSeen = useCallback((id: string) => {
    setUnseen((known) => (known.has(id) ? new Set([...known].filter((one) => one !== id)) : known));
  }, []);

  const onArrival = (conversation: Conversation) => {
    const { id } = conversation;
    const name = visitorName(t, conversation.visitor);
    notifyDesktop(t("arrival.title"), name);
    if (id === selected) return;
    if (isIdle) {
      void navigate(`/conversations/${id}`);
      return;
    }
    setUnseen((known) => new Set(known).add(id));
    const open = () => {
      notifications.hide(id);
      void navigate(`/conversations/${id}`);
    };
    notifications.show({
      id,
      title: t("arrival.title"),
      message: (
        <button type="button" onClick={open} style={{ all: "unset", cursor: "pointer", textDecoration: "underline" }}>
          {t("arrival.open", { name })}
        </button>
      ),
      autoClose: 12_000,
      closeButtonProps: { "aria-label": t("common.close") },
    });
  };

  return { unseen, onArrival, markSeen };
}
