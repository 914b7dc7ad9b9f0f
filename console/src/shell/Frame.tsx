import { useT } from "../i18n/languageContext";
import { AccountMenu } from "./AccountMenu";
import { Counters } from "./Counters";
import { FeedNotice } from "./FeedNotice";
import classes from "./Frame.module.css";
import { Navigation } from "./Navigation";
import { PresenceSwitch } from "./PresenceSwitch";
import { useDocumentTitle } from "./useDocumentTitle";
import type { ReactNode } from "react";

/** The header that is always there, and one screen below it. */
export function Frame({ children }: { children: ReactNode }) {
  const t = useT();
  useDocumentTitle();
  return (
    <div className={classes["frame"]}>
      <a className={classes["skip"]} href="#main">
        {t("shell.skip")}
      </a>
      <header className={classes["header"]}>
        <Navigation />
        <div className={classes["state"]}>
          <Counters />
          <PresenceSwitch />
          <AccountMenu />
        </div>
      </header>
      <FeedNotice />
      <main id="main" className={classes["main"]} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
