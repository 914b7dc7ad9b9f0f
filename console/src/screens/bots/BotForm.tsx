import { NumberInput, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useCreateBot, useEditBot } from "../../api/administration";
import type { Bot } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { changedFields } from "../../parts/changedFields";
import { FormActions } from "../../parts/FormActions";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { required } from "../../parts/rules";
import { SecretInput } from "../../parts/SecretInput";

interface Values {
  name: string;
  client_id: string;
  base_url: string;
  deadline: number;
  enabled: boolean;
  secret: string;
}

export function BotForm({ bot, onSaved, onCancel }: { bot: Bot | null; onSaved: () => void; onCancel: () => void }) {
  const t = useT();
  const create = useCreateBot();
  const edit = useEditBot();
  const [base] = useState(bot);
  const form = useForm<Values>({
    initialValues: {
      name: base?.name ?? "",
      client_id: base?.client_id ?? "",
      base_url: base?.base_url ?? "",
      deadline: (base?.deadline_ms ?? 30_000) / 1000,
      enabled: base?.enabled ?? true,
      secret: "",
    },
    validate: {
      name: required(t),
      client_id: required(t),
      base_url: (value) => (value.trim() === "" || URL.canParse(value.trim()) ? null : t("rule.url")),
    },
  });

  const submit = (values: Values) => {
    const after = fieldsOf(values);
    const secret = values.secret.trim() === "" ? null : values.secret.trim();
    if (base === null) {
      const { name, client_id, base_url, deadline_ms } = after;
      create.mutate({ name, client_id, base_url, deadline_ms, secret }, { onSuccess: onSaved });
      return;
    }
    const { name, client_id, base_url, deadline_ms, enabled } = base;
    const patch = { ...changedFields({ name, client_id, base_url, deadline_ms, enabled }, after), ...(secret === null ? {} : { secret }) };
    edit.mutate({ id: base.id, version: base.version, patch }, { onSuccess: onSaved });
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="sm">
        {base && <Switch label={t("common.enabled")} {...form.getInputProps("enabled", { type: "checkbox" })} />}
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <TextInput label={t("bot.client_id")} description={t("bot.client_id_hint")} required spellCheck={false} {...form.getInputProps("client_id")} />
        <SecretInput label={t("bot.secret")} stored={base?.has_secret ?? false} {...form.getInputProps("secret")} />
        <TextInput label={t("bot.base_url")} description={t("bot.base_url_hint")} type="url" {...form.getInputProps("base_url")} />
        <NumberInput label={t("bot.deadline")} description={t("bot.deadline_hint")} min={1} max={120} {...form.getInputProps("deadline")} />
        <ProblemAlert error={create.error ?? edit.error} />
        <FormActions isSaving={create.isPending || edit.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}

function fieldsOf({ name, client_id, base_url, deadline, enabled }: Values) {
  return {
    name: name.trim(),
    client_id: client_id.trim(),
    base_url: base_url.trim() === "" ? null : base_url.trim(),
    deadline_ms: Math.round(deadline * 1000),
    enabled,
  };
}
