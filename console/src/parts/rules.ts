import type { Translate } from "../i18n";

export function required(t: Translate): (value: string | null) => string | null {
  return (value) => (value === null || value.trim() === "" ? t("rule.required") : null);
}
