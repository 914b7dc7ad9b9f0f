import { Button, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Bot, ChevronDown, Undo2 } from "lucide-react";
import type { Conversation } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { useMay, useSignedIn } from "../../shell/sessionContext";
import { CloseDialog } from "./CloseDialog";
import { possibleActions } from "./possibleActions";
import { useConversationAction } from "./useConversationAction";
import classes from "./Actions.module.css";

export function Actions({ conversation }: { conversation: Conversation }) {
  const t = useT();
  const { person } = useSignedIn();
  const may = useMay();
  const possible = possibleActions(conversation, person.id, may);
  const { act, pending } = useConversationAction(conversation.id);
  const [isClosing, closing] = useDisclosure(false);
  // Wrap-up is the agent's own paperwork; the visitor has been told already, so there is nothing to ask.
  const isWrapUp = conversation.phase === "wrap_up";

  return (
    <div className={classes["actions"]}>
      {possible.accept && (
        <Button
          size="xs"
          data-testid="accept-conversation"
          loading={pending === "accept"}
          disabled={pending !== null}
          onClick={() => {
            act({ kind: "accept" });
          }}
        >
          {t("action.accept")}
        </Button>
      )}
      {(possible.toQueue || possible.toBot) && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              size="xs"
              variant="default"
              data-testid="hand-over"
              loading={pending === "hand-over"}
              disabled={pending !== null}
              rightSection={<ChevronDown size={14} aria-hidden />}
            >
              {t("action.hand_over")}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {possible.toQueue && (
              <Menu.Item
                leftSection={<Undo2 size={16} aria-hidden />}
                data-testid="hand-over-queue"
                onClick={() => {
                  act({ kind: "hand-over", to: "queue" });
                }}
              >
                {t("action.to_queue")}
              </Menu.Item>
            )}
            {possible.toBot && (
              <Menu.Item
                leftSection={<Bot size={16} aria-hidden />}
                data-testid="hand-over-bot"
                onClick={() => {
                  act({ kind: "hand-over", to: "bot" });
                }}
              >
                {t("action.to_bot")}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {possible.close && (
        <Button
          size="xs"
          variant="default"
          className={classes["close"] ?? ""}
          data-testid="close-conversation"
          loading={pending === "close"}
          disabled={pending !== null}
          onClick={() => {
            if (isWrapUp) act({ kind: "close" });
            else closing.open();
          }}
        >
          {t(isWrapUp ? "action.finish" : "action.close")}
        </Button>
      )}
      <CloseDialog
        isOpen={isClosing}
        onCancel={closing.close}
        onConfirm={() => {
          closing.close();
          act({ kind: "close" });
        }}
      />
    </div>
  );
}
