import { Divider, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useBots, useEditChannel } from "../../api/administration";
import type { Channel } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { changedFields } from "../../parts/changedFields";
import { FormActions } from "../../parts/FormActions";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { SecretInput } from "../../parts/SecretInput";
import { optionsOf } from "../../parts/optionsOf";
import { required } from "../../parts/rules";
import { ChannelTexts } from "./ChannelTexts";
import { WebhookAddress } from "./WebhookAddress";
import { WorkModeInput } from "./WorkModeInput";

interface Props {
  channel: Channel;
  onSaved: () => void;
  onCancel: () => void;
}

export function ChannelEditForm({ channel, onSaved, onCancel }: Props) {
  const t = useT();
  const bots = useBots();
  const edit = useEditChannel();
  // What the form was filled from stays the base, even when somebody else saves in the meantime.
  const [base] = useState(channel);
  const before = { name: base.name, bot_id: base.bot?.id ?? null, work_mode: base.work_mode, enabled: base.enabled, texts: base.texts };
  const form = useForm({
    initialValues: { ...before, access_token: "" },
    validate: {
      name: required(t),
      bot_id: (value, { work_mode }) => (value === null && work_mode !== "human_first" ? t("rule.bot_needed") : null),
    },
  });

  const submit = ({ access_token: token, ...after }: typeof form.values) => {
    const patch = { ...changedFields(before, after), ...(token.trim() === "" ? {} : { access_token: token.trim() }) };
    edit.mutate({ id: base.id, version: base.version, patch }, { onSuccess: onSaved });
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate data-testid="channel-form">
      <Stack gap="sm">
        <WebhookAddress path={channel.webhook_path} app={channel.app.name} />
        <Divider />
        <Switch label={t("channel.enabled")} description={t("channel.enabled_hint")} {...form.getInputProps("enabled", { type: "checkbox" })} />
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <TextInput label={t("channel.page_id")} readOnly variant="filled" value={channel.page_id} />
        <TextInput label={t("channel.app")} readOnly variant="filled" value={channel.app.name} />
        <TextInput label={t("channel.skill_group")} description={t("channel.skill_group_hint")} readOnly variant="filled" value={channel.skill_group.name} />
        <SecretInput label={t("channel.access_token")} stored={channel.has_token} {...form.getInputProps("access_token")} />
        <WorkModeInput {...form.getInputProps("work_mode")} />
        <Select label={t("channel.bot")} clearable data={optionsOf(bots.data)} {...form.getInputProps("bot_id")} />
        <Divider label={t("channel.texts")} labelPosition="left" />
        <ChannelTexts texts={form.values.texts} onChange={(texts) => { form.setFieldValue("texts", texts); }} />
        <ProblemAlert error={edit.error} />
        <FormActions isSaving={edit.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
