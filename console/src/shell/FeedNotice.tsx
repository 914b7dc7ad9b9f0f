import { useEffect, useState } from "react";
import { useFeed } from "../feed/feedContext";
import { useT } from "../i18n/languageContext";
import classes from "./FeedNotice.module.css";

/** Says that what is shown may be old. A cut of a moment is not worth a word. */
export function FeedNotice() {
  const t = useT();
  const { state } = useFeed();
  const [isLong, setIsLong] = useState(false);
  const isCut = state !== "live";

  useEffect(() => {
    if (!isCut) return undefined;
    const timer = setTimeout(() => {
      setIsLong(true);
    }, 3000);
    return () => {
      clearTimeout(timer);
      setIsLong(false);
    };
  }, [isCut]);

  if (!isCut || !isLong) return null;
  return (
    <div className={classes["notice"]} role="status">
      {t("feed.interrupted")}
    </div>
  );
}
