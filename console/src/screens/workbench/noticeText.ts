import type { Item } from "../../api/types";
import { isTextKey, type Translate } from "../../i18n";

/**
 * Whether an item belongs in the transcript. Of what Facebook tells beside messages only what has words is for an agent's eyes;
 * deliveries, reads and our own echoes show as the state of a message.
 */
export function isShown(item: Item): boolean {
  return item.kind !== "event" || isTextKey(`event.${item.event ?? ""}`);
}

/** The words of a centred line. What this console does not know yet still shows that something happened. */
export function noticeText(t: Translate, item: Item): string {
  // A visitor who asks for a person is no agent who hands over: only people of the contact centre are named.
  const name = item.author.kind === "visitor" ? "" : (item.author.name ?? "");
  const key = `${item.kind}.${item.event ?? ""}`;
  const named = `${key}.named`;
  if (name !== "" && isTextKey(named)) return t(named, { name });
  if (isTextKey(key)) return t(key);
  if (item.kind === "referral") return item.text === null ? t("referral.plain") : t("referral.with", { text: item.text });
  return item.text ?? t("notice.other", { event: item.event ?? item.kind });
}
