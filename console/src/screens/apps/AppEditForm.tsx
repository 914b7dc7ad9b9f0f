import { Checkbox, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useEditApp } from "../../api/administration";
import type { App, AppPatch } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { FormActions } from "../../parts/FormActions";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { required } from "../../parts/rules";
import { SecretInput } from "../../parts/SecretInput";

interface Values {
  name: string;
  app_secret: string;
  second_secret: string;
  removes_second: boolean;
  verify_token: string;
}

export function AppEditForm({ app, onSaved, onCancel }: { app: App; onSaved: () => void; onCancel: () => void }) {
  const t = useT();
  const edit = useEditApp();
  const [base] = useState(app);
  const form = useForm<Values>({
    initialValues: { name: base.name, app_secret: "", second_secret: "", removes_second: false, verify_token: "" },
    validate: { name: required(t) },
  });

  const submit = (values: Values) => {
    edit.mutate({ id: base.id, version: base.version, patch: patchOf(base, values) }, { onSuccess: onSaved });
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="sm">
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <TextInput label={t("app.app_id")} readOnly variant="filled" value={base.app_id} />
        <SecretInput label={t("app.app_secret")} stored={base.has_app_secret} {...form.getInputProps("app_secret")} />
        <SecretInput
          label={t("app.second_secret")}
          description={t("app.second_secret_hint")}
          stored={base.has_second_secret}
          disabled={form.values.removes_second}
          {...form.getInputProps("second_secret")}
        />
        {base.has_second_secret && (
          <Checkbox size="xs" label={t("app.remove_second")} {...form.getInputProps("removes_second", { type: "checkbox" })} />
        )}
        <SecretInput label={t("app.verify_token")} stored {...form.getInputProps("verify_token")} />
        <ProblemAlert error={edit.error} />
        <FormActions isSaving={edit.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}

function patchOf(base: App, values: Values): AppPatch {
  const patch: AppPatch = {};
  if (values.name.trim() !== base.name) patch.name = values.name.trim();
  if (values.app_secret !== "") patch.app_secret = values.app_secret.trim();
  if (values.second_secret !== "") patch.second_secret = values.second_secret.trim();
  if (values.removes_second) patch.second_secret = null;
  if (values.verify_token !== "") patch.verify_token = values.verify_token.trim();
  return patch;
}
