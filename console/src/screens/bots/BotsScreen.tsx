import { useBots } from "../../api/administration";
import { useT } from "../../i18n/languageContext";
import { AdministrationPage } from "../../parts/AdministrationPage";
import { DataTable } from "../../parts/DataTable";
import { EnabledMark } from "../../parts/EnabledMark";
import { FormDrawer } from "../../parts/FormDrawer";
import { useResourceRoute } from "../../parts/useResourceRoute";
import { BotForm } from "./BotForm";

export default function BotsScreen() {
  const t = useT();
  const bots = useBots();
  const route = useResourceRoute("/administration/bots", bots.data);
  return (
    <AdministrationPage title={t("bot.title")} hint={t("bot.hint")} addLabel={t("bot.add")} onAdd={route.add} list={bots}>
      <DataTable
        label={t("bot.title")}
        empty={t("bot.empty")}
        rows={bots.data ?? []}
        to={route.pathOf}
        name={{ label: t("field.name"), cell: (bot) => bot.name }}
        columns={[
          { label: t("bot.client_id"), cell: (bot) => bot.client_id },
          { label: t("bot.secret"), cell: (bot) => t(bot.has_secret ? "secret.stored" : "secret.missing") },
          { label: t("bot.deadline"), cell: (bot) => t("bot.seconds", { seconds: bot.deadline_ms / 1000 }) },
          { label: t("field.state"), cell: (bot) => <EnabledMark isEnabled={bot.enabled} /> },
        ]}
      />
      <FormDrawer title={t("bot.new")} isOpen={route.isNew} onClose={route.close}>
        <BotForm bot={null} onSaved={route.saved} onCancel={route.close} />
      </FormDrawer>
      <FormDrawer title={t("bot.edit")} isOpen={route.edited !== null} onClose={route.close}>
        {route.edited && <BotForm key={route.edited.id} bot={route.edited} onSaved={route.saved} onCancel={route.close} />}
      </FormDrawer>
    </AdministrationPage>
  );
}
