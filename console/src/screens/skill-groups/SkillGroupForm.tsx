import { Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useCreateSkillGroup, useEditSkillGroup } from "../../api/administration";
import type { SkillGroup } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { FormActions } from "../../parts/FormActions";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { required } from "../../parts/rules";

export function SkillGroupForm({ group, onSaved, onCancel }: { group: SkillGroup | null; onSaved: () => void; onCancel: () => void }) {
  const t = useT();
  const create = useCreateSkillGroup();
  const edit = useEditSkillGroup();
  const [base] = useState(group);
  const form = useForm({ initialValues: { name: base?.name ?? "" }, validate: { name: required(t) } });

  const submit = (values: { name: string }) => {
    const name = values.name.trim();
    if (base === null) create.mutate({ name }, { onSuccess: onSaved });
    else edit.mutate({ id: base.id, version: base.version, patch: { name } }, { onSuccess: onSaved });
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="sm">
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <Text size="xs" c="dimmed">
          {t("skill_group.members_hint")}
        </Text>
        <ProblemAlert error={create.error ?? edit.error} />
        <FormActions isSaving={create.isPending || edit.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
