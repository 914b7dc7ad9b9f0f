import { Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useCreateApp } from "../../api/administration";
import type { NewApp } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { FormActions } from "../../parts/FormActions";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { required } from "../../parts/rules";
import { SecretInput } from "../../parts/SecretInput";

export function AppCreateForm({ onSaved, onCancel }: { onSaved: () => void; onCancel: () => void }) {
  const t = useT();
  const create = useCreateApp();
  const form = useForm<NewApp>({
    initialValues: { name: "", app_id: "", app_secret: "", verify_token: "" },
    validate: {
      name: required(t),
      app_id: (value) => (/^\d+$/.test(value.trim()) ? null : t("rule.digits")),
      app_secret: required(t),
      verify_token: required(t),
    },
  });

  const submit = ({ name, app_id, app_secret, verify_token }: NewApp) => {
    create.mutate(
      { name: name.trim(), app_id: app_id.trim(), app_secret: app_secret.trim(), verify_token: verify_token.trim() },
      { onSuccess: onSaved },
    );
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="sm">
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <TextInput label={t("app.app_id")} required inputMode="numeric" {...form.getInputProps("app_id")} />
        <SecretInput label={t("app.app_secret")} description={t("app.app_secret_hint")} stored={false} required {...form.getInputProps("app_secret")} />
        <SecretInput label={t("app.verify_token")} description={t("app.verify_token_hint")} stored={false} required {...form.getInputProps("verify_token")} />
        <ProblemAlert error={create.error} />
        <FormActions isSaving={create.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
