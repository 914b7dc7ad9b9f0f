import { Button, Text, Textarea } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { SendHorizontal } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef } from "react";
import { useT } from "../../i18n/languageContext";
import classes from "./Composer.module.css";

interface Props {
  draft: string;
  onDraft: (text: string) => void;
  onSend: (text: string) => void;
}

/** Enter sends, Shift+Enter breaks the line; the Enter that picks a word of an input method does neither. */
export function Composer({ draft, onDraft, onSend }: Props) {
  const t = useT();
  const input = useRef<HTMLTextAreaElement>(null);
  const isComposing = useRef(false);
  const isWide = useMediaQuery("(min-width: 48em)", false, { getInitialValueInEffect: false });
  const isBlank = draft.trim() === "";

  useEffect(() => {
    // On a telephone the focus would push up the keyboard over the conversation.
    if (isWide) input.current?.focus({ preventScroll: true });
  }, [isWide]);

  const send = () => {
    if (isBlank) return;
    onSend(draft.trim());
    onDraft("");
    input.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    if (isComposing.current || belongsToInputMethod(event.nativeEvent)) return;
    event.preventDefault();
    send();
  };

  return (
    <div className={classes["composer"]}>
      <Textarea
        ref={input}
        aria-label={t("composer.label")}
        placeholder={t("composer.placeholder")}
        data-testid="composer-input"
        classNames={{ root: classes["root"] ?? "", input: classes["input"] ?? "" }}
        variant="unstyled"
        autosize
        minRows={2}
        maxRows={8}
        value={draft}
        onChange={(event) => {
          onDraft(event.currentTarget.value);
        }}
        onKeyDown={onKeyDown}
        onCompositionStart={() => {
          isComposing.current = true;
        }}
        onCompositionEnd={() => {
          isComposing.current = false;
        }}
      />
      <div className={classes["bar"]}>
        <Text size="xs" c="dimmed" className={classes["hint"] ?? ""}>
          {t("composer.hint")}
        </Text>
        <Button
          size="xs"
          data-testid="composer-send"
          disabled={isBlank}
          onClick={send}
          rightSection={<SendHorizontal size={14} aria-hidden />}
        >
          {t("composer.send")}
        </Button>
      </div>
    </div>
  );
}

/** Safari ends the composition before the key that ended it; only the old key code 229 tells then. */
function belongsToInputMethod(event: globalThis.KeyboardEvent): boolean {
  const { keyCode } = event as { keyCode: number };
  return event.isComposing || keyCode === 229;
}
