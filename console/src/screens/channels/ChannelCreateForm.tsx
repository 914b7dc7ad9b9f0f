import { Alert, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useApps, useBots, useCreateChannel, useSkillGroups } from "../../api/administration";
import type { WorkMode } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { FormActions } from "../../parts/FormActions";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { SecretInput } from "../../parts/SecretInput";
import { optionsOf } from "../../parts/optionsOf";
import { required } from "../../parts/rules";
import { WorkModeInput } from "./WorkModeInput";

interface Values {
  name: string;
  page_id: string;
  app_id: string | null;
  access_token: string;
  skill_group_id: string | null;
  bot_id: string | null;
  work_mode: WorkMode;
}

export function ChannelCreateForm({ onCreated, onCancel }: { onCreated: (id: string) => void; onCancel: () => void }) {
  const t = useT();
  const apps = useApps();
  const bots = useBots();
  const groups = useSkillGroups();
  const create = useCreateChannel();
  const form = useForm<Values>({
    initialValues: { name: "", page_id: "", app_id: null, access_token: "", skill_group_id: null, bot_id: null, work_mode: "bot_first" },
    validate: {
      name: required(t),
      page_id: (value) => (/^\d+$/.test(value.trim()) ? null : t("rule.digits")),
      app_id: required(t),
      access_token: required(t),
      skill_group_id: required(t),
      bot_id: (value, { work_mode }) => (value === null && work_mode !== "human_first" ? t("rule.bot_needed") : null),
    },
  });

  const submit = ({ app_id, skill_group_id, ...rest }: Values) => {
    if (app_id === null || skill_group_id === null) return;
    create.mutate(
      { ...rest, app_id, skill_group_id, name: rest.name.trim(), page_id: rest.page_id.trim(), access_token: rest.access_token.trim() },
      {
        onSuccess: ({ channel }) => {
          onCreated(channel.id);
        },
      },
    );
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate data-testid="channel-form">
      <Stack gap="sm">
        {(apps.data?.length === 0 || groups.data?.length === 0) && <Alert variant="light">{t("channel.prerequisites")}</Alert>}
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <TextInput label={t("channel.page_id")} description={t("channel.page_id_hint")} required inputMode="numeric" {...form.getInputProps("page_id")} />
        <Select label={t("channel.app")} required data={optionsOf(apps.data)} {...form.getInputProps("app_id")} />
        <SecretInput label={t("channel.access_token")} stored={false} required {...form.getInputProps("access_token")} />
        <Select
          label={t("channel.skill_group")}
          description={t("channel.skill_group_hint")}
          required
          data={optionsOf(groups.data)}
          {...form.getInputProps("skill_group_id")}
        />
        <WorkModeInput {...form.getInputProps("work_mode")} />
        <Select label={t("channel.bot")} clearable data={optionsOf(bots.data)} {...form.getInputProps("bot_id")} />
        <ProblemAlert error={create.error} />
        <FormActions isSaving={create.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
