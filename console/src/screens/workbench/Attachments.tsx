import { Paperclip } from "lucide-react";
import type { Attachment } from "../../api/types";
import type { Translate } from "../../i18n";
import { isTextKey } from "../../i18n";
import { useT } from "../../i18n/languageContext";
import classes from "./Attachments.module.css";

export function Attachments({ attachments }: { attachments: Attachment[] }) {
  const t = useT();
  if (attachments.length === 0) return null;
  return (
    <ul className={classes["list"]}>
      {attachments.map((attachment, index) => (
        <li key={`${index}-${attachment.url ?? ""}`}>
          <AttachmentLink url={webAddress(attachment.url)} isImage={attachment.type === "image"} label={labelOf(t, attachment)} />
        </li>
      ))}
    </ul>
  );
}

function AttachmentLink({ url, isImage, label }: { url: string | null; isImage: boolean; label: string }) {
  const mark = (
    <span className={classes["file"]}>
      <Paperclip size={14} aria-hidden />
      {label}
    </span>
  );
  if (url === null) return mark;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener">
      {isImage ? <img className={classes["image"]} src={url} alt={label} loading="lazy" referrerPolicy="no-referrer" /> : mark}
    </a>
  );
}

function labelOf(t: Translate, { title, type }: Attachment): string {
  const key = `attachment.${type}`;
  return title ?? t(isTextKey(key) ? key : "attachment.other");
}

/** A visitor's attachment must not become a link that runs something. */
function webAddress(url: string | null): string | null {
  if (url === null || !URL.canParse(url, window.location.origin)) return null;
  const { protocol } = new URL(url, window.location.origin);
  return protocol === "https:" || protocol === "http:" ? url : null;
}
