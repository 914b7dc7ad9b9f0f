import { Check, CheckCheck, CircleHelp, CircleX, Clock, Undo2, type LucideIcon } from "lucide-react";
import type { SendStatus } from "../../api/types";
import type { Translate } from "../../i18n";
import { useT } from "../../i18n/languageContext";
import { refusalText } from "../../i18n/problems";
import classes from "./SendState.module.css";

const icons: Record<SendStatus, LucideIcon> = {
  pending: Clock,
  sent: Check,
  delivered: CheckCheck,
  read: CheckCheck,
  refused: CircleX,
  unknown: CircleHelp,
  withdrawn: Undo2,
};

/** How far an outgoing message got. Never by colour alone. */
export function SendState({ status, reason }: { status: SendStatus; reason: string | null }) {
  const t = useT();
  const Icon = icons[status];
  return (
    <span className={classes["state"]} data-status={status} data-testid="send-status" title={t(`status.${status}_hint`)}>
      <Icon size={13} aria-hidden />
      {words(t, status, reason)}
    </span>
  );
}

function words(t: Translate, status: SendStatus, reason: string | null): string {
  if (status === "refused") return t("status.refused_because", { reason: refusalText(t, reason) });
  // Facebook asked to try later; nothing for the agent to do.
  if (status === "pending" && reason === "deferred") return t("status.deferred");
  return t(`status.${status}`);
}
