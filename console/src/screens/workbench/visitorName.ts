import type { Conversation } from "../../api/types";
import type { Translate } from "../../i18n";

/** Facebook does not always tell the name; the last digits of the id tell two strangers apart. */
export function visitorName(t: Translate, visitor: Conversation["visitor"]): string {
  const name = visitor.name?.trim() ?? "";
  return name === "" ? t("visitor.unnamed", { digits: lastDigits(visitor.id) }) : name;
}

function lastDigits(id: string): string {
  const digits = id.replace(/\W/g, "");
  return digits.slice(-4);
}
