import { useChannels } from "../../api/administration";
import { useT } from "../../i18n/languageContext";
import { AdministrationPage } from "../../parts/AdministrationPage";
import { FormDrawer } from "../../parts/FormDrawer";
import { useResourceRoute } from "../../parts/useResourceRoute";
import { ChannelCreateForm } from "./ChannelCreateForm";
import { ChannelEditForm } from "./ChannelEditForm";
import { ChannelTable } from "./ChannelTable";

export default function ChannelsScreen() {
  const t = useT();
  const channels = useChannels();
  const route = useResourceRoute("/administration/channels", channels.data);
  return (
    <AdministrationPage title={t("channel.title")} hint={t("channel.hint")} addLabel={t("channel.add")} onAdd={route.add} list={channels}>
      <ChannelTable channels={channels.data ?? []} pathOf={route.pathOf} />
      <FormDrawer title={t("channel.new")} isOpen={route.isNew} onClose={route.close}>
        {/* The form of the new channel follows: its webhook address has to be carried to Facebook. */}
        <ChannelCreateForm onCreated={route.open} onCancel={route.close} />
      </FormDrawer>
      <FormDrawer title={t("channel.edit")} isOpen={route.edited !== null} onClose={route.close}>
        {route.edited && <ChannelEditForm key={route.edited.id} channel={route.edited} onSaved={route.saved} onCancel={route.close} />}
      </FormDrawer>
    </AdministrationPage>
  );
}
