import type { Item } from "../../api/types";
import type { Translate } from "../../i18n";
import { useLanguage } from "../../i18n/languageContext";
import { fullTime, timeOfDay } from "../../i18n/times";
import { Attachments } from "./Attachments";
import classes from "./Bubble.module.css";
import { SendState } from "./SendState";

interface Props {
  item: Item;
  visitor: string;
  startsRun: boolean;
}

export function Bubble({ item, visitor, startsRun }: Props) {
  const { t, language } = useLanguage();
  return (
    <article className={classes["bubble"]} data-author={item.author.kind} data-side={item.direction} data-status={item.status} data-testid="bubble">
      {startsRun && <div className={classes["author"]}>{authorName(t, item, visitor)}</div>}
      <div className={classes["body"]}>
        {item.kind === "postback" && <div className={classes["tap"]}>{t("bubble.tapped")}</div>}
        {item.text !== null && <div className={classes["text"]}>{item.text}</div>}
        <Attachments attachments={item.attachments} />
        {item.text === null && item.attachments.length === 0 && <div className={classes["tap"]}>{t("bubble.unreadable")}</div>}
        {item.buttons.length > 0 && (
          <ul className={classes["buttons"]} aria-label={t("bubble.buttons")}>
            {item.buttons.map((title, index) => (
              <li key={`${index}-${title}`}>{title}</li>
            ))}
          </ul>
        )}
      </div>
      <div className={classes["meta"]}>
        <time dateTime={item.at} title={fullTime(item.at, language)}>
          {timeOfDay(item.at, language)}
        </time>
        {item.late && <span>{t("bubble.late")}</span>}
        {item.status !== null && <SendState status={item.status} reason={item.status_reason} />}
      </div>
    </article>
  );
}

function authorName(t: Translate, { author }: Item, visitor: string): string {
  if (author.kind === "visitor") return visitor;
  if (author.kind === "agent") return author.name ?? t("author.agent");
  return author.name === null ? t(`author.${author.kind}`) : `${t(`author.${author.kind}`)} · ${author.name}`;
}
