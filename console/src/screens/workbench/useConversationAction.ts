import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { command, type ConversationAction } from "../../api/conversations";
import { newIdempotencyKey } from "../../api/idempotencyKey";
import { asProblem } from "../../api/problem";
import { useFeed } from "../../feed/feedContext";
import { useT } from "../../i18n/languageContext";
import { problemText } from "../../i18n/problems";

/** Accept, hand over, close. Afterwards the conversation is read again, whether it worked or somebody was faster. */
export function useConversationAction(id: string) {
  const t = useT();
  const feed = useFeed();
  const mutation = useMutation({
    mutationFn: command,
    retry: (failures, error) => failures < 2 && asProblem(error).isPassing,
    onError: (error) => {
      notifications.show({ color: "red", message: problemText(t, asProblem(error)), closeButtonProps: { "aria-label": t("common.close") } });
    },
    onSettled: () => feed.renew(id).catch(() => undefined),
  });
  return {
    act: (action: ConversationAction) => {
      mutation.mutate({ id, action, idempotencyKey: newIdempotencyKey() });
    },
    pending: mutation.isPending ? mutation.variables.action.kind : null,
  };
}
