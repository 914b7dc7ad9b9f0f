import { useEffect } from "react";
import { useConversationList } from "../api/conversations";
import { useSignedIn } from "./sessionContext";

/** The tab tells how many visitors wait for this agent's answer. */
export function useDocumentTitle(): void {
  const { person } = useSignedIn();
  const mine = useConversationList("mine", person.id);
  const owed = mine.data?.conversations.filter((one) => one.unanswered).length ?? 0;
  useEffect(() => {
    document.title = owed > 0 ? `(${owed}) Frontdesk` : "Frontdesk";
    return () => {
      document.title = "Frontdesk";
    };
  }, [owed]);
}
