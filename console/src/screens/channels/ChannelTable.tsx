import type { Channel } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { DataTable } from "../../parts/DataTable";
import { EnabledMark } from "../../parts/EnabledMark";

export function ChannelTable({ channels, pathOf }: { channels: Channel[]; pathOf: (channel: Channel) => string }) {
  const t = useT();
  return (
    <DataTable
      label={t("channel.title")}
      empty={t("channel.empty")}
      rows={channels}
      to={pathOf}
      name={{ label: t("field.name"), cell: (channel) => channel.name }}
      columns={[
        { label: t("channel.page_id"), cell: (channel) => channel.page_id },
        { label: t("channel.skill_group"), cell: (channel) => channel.skill_group.name },
        { label: t("channel.bot"), cell: (channel) => channel.bot?.name ?? t("common.none") },
        { label: t("channel.work_mode"), cell: (channel) => t(`work_mode.${channel.work_mode}`) },
        { label: t("field.state"), cell: (channel) => <EnabledMark isEnabled={channel.enabled} /> },
      ]}
    />
  );
}
