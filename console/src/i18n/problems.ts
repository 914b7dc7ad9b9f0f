import type { Problem } from "../api/problem";
import { isTextKey, type Translate } from ".";

export function problemText(t: Translate, problem: Problem): string {
  return t(`problem.${problem.id}`);
}

/** Why Facebook did not take a message. A reason that this console does not know yet is shown as it came. */
export function refusalText(t: Translate, reason: string | null): string {
  const key = `refusal.${reason ?? "other"}`;
  return isTextKey(key) ? t(key) : (reason ?? t("refusal.other"));
}
