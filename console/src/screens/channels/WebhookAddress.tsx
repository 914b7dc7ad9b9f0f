import { useT } from "../../i18n/languageContext";
import { CopyField } from "../../parts/CopyField";

export function WebhookAddress({ path, app }: { path: string; app: string }) {
  const t = useT();
  const url = new URL(path, window.location.origin).href;
  return <CopyField label={t("channel.webhook")} value={url} description={t("channel.webhook_hint", { app })} />;
}
