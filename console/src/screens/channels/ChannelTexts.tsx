import { Text, Textarea } from "@mantine/core";
import { isTextKey } from "../../i18n";
import { useT } from "../../i18n/languageContext";

interface Props {
  texts: Record<string, string>;
  onChange: (texts: Record<string, string>) => void;
}

/** Every text that a visitor of this channel can get. Which ones there are is the server's to say. */
export function ChannelTexts({ texts, onChange }: Props) {
  const t = useT();
  return (
    <>
      <Text size="xs" c="dimmed">
        {t("channel.texts_hint")}
      </Text>
      {Object.entries(texts).map(([key, text]) => {
        const label = `text.${key}`;
        return (
          <Textarea
            key={key}
            label={isTextKey(label) ? t(label) : key}
            autosize
            minRows={1}
            maxRows={6}
            value={text}
            onChange={(event) => {
              onChange({ ...texts, [key]: event.currentTarget.value });
            }}
          />
        );
      })}
    </>
  );
}
