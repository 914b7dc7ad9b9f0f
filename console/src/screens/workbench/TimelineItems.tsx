import { Fragment, memo } from "react";
import type { Item } from "../../api/types";
import { useLanguage } from "../../i18n/languageContext";
import { day, isSameDay } from "../../i18n/times";
import { Bubble } from "./Bubble";
import { Notice } from "./Notice";
import { isShown, noticeText } from "./noticeText";

interface Props {
  items: Item[];
  visitor: string;
}

/** Messages of one author in a row carry the name once; each day begins with its date. */
export const TimelineItems = memo(function TimelineItems({ items, visitor }: Props) {
  const { t, language } = useLanguage();
  return items.filter(isShown).map((item, index, shown) => {
    const before = shown[index - 1];
    return (
      <Fragment key={item.id}>
        {(!before || !isSameDay(new Date(before.at), new Date(item.at))) && <Notice>{day(item.at, language)}</Notice>}
        {item.kind === "message" || item.kind === "postback" ? (
          <Bubble item={item} visitor={visitor} startsRun={!before || !isSameRun(before, item)} />
        ) : (
          <Notice at={item.at}>{noticeText(t, item)}</Notice>
        )}
      </Fragment>
    );
  });
});

function isSameRun(before: Item, item: Item): boolean {
  return (
    (before.kind === "message" || before.kind === "postback") &&
    before.author.kind === item.author.kind &&
    before.author.id === item.author.id &&
    new Date(item.at).getTime() - new Date(before.at).getTime() < 5 * 60_000
  );
}
