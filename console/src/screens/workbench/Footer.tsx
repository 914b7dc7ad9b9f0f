import type { Conversation } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { useMay, useSignedIn } from "../../shell/sessionContext";
import { Composer } from "./Composer";
import classes from "./Footer.module.css";
import { possibleActions } from "./possibleActions";
import { useDraft } from "./useDraft";
import { useOutbox } from "./outboxContext";

/** The composer where this person may write, and otherwise the reason why not. */
export function Footer({ conversation }: { conversation: Conversation }) {
  const t = useT();
  const { person } = useSignedIn();
  const may = useMay();
  const outbox = useOutbox();
  const [draft, setDraft] = useDraft(conversation.id);
  const { agent, phase } = conversation;
  if (possibleActions(conversation, person.id, may).reply) {
    return (
      <Composer
        draft={draft}
        onDraft={setDraft}
        onSend={(text) => {
          outbox.send(conversation.id, text);
        }}
      />
    );
  }
  const why = phase === "with_agent" ? t("footer.with_other", { name: agent?.name ?? "" }) : t(`footer.${phase}`);
  return (
    <div className={classes["readonly"]} data-testid="read-only" data-phase={phase}>
      {why}
    </div>
  );
}
