import { MessageSquareX } from "lucide-react";
import { useConversation } from "../../api/conversations";
import { asProblem } from "../../api/problem";
import type { ConversationView } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { EmptyState } from "../../parts/EmptyState";
import { LoadingScreen } from "../../parts/LoadingScreen";
import { ProblemScreen } from "../../parts/ProblemScreen";
import { Footer } from "./Footer";
import { Thread } from "./Thread";
import { ThreadHeader } from "./ThreadHeader";

/** One conversation: who, what was said, and what may be done. */
export function ThreadPane({ id, view }: { id: string; view: ConversationView }) {
  const t = useT();
  const conversation = useConversation(id);
  if (conversation.data) {
    return (
      <>
        <ThreadHeader conversation={conversation.data} view={view} />
        <Thread conversation={conversation.data} />
        <Footer conversation={conversation.data} />
      </>
    );
  }
  if (!conversation.isError) return <LoadingScreen />;
  const { id: problem } = asProblem(conversation.error);
  if (problem === "not_found" || problem === "not_permitted") return <EmptyState icon={MessageSquareX} title={t("thread.gone")} />;
  return <ProblemScreen error={conversation.error} onRetry={() => void conversation.refetch()} />;
}
