import { MultiSelect, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useCreatePerson, useEditPerson, useSkillGroups } from "../../api/administration";
import type { Person } from "../../api/types";
import { useT } from "../../i18n/languageContext";
import { changedFields } from "../../parts/changedFields";
import { FormActions } from "../../parts/FormActions";
import { optionsOf } from "../../parts/optionsOf";
import { ProblemAlert } from "../../parts/ProblemAlert";
import { required } from "../../parts/rules";
import { SecretInput } from "../../parts/SecretInput";

const shortestPassword = 8;

export function PersonForm({ person, onSaved, onCancel }: { person: Person | null; onSaved: () => void; onCancel: () => void }) {
  const t = useT();
  const groups = useSkillGroups();
  const create = useCreatePerson();
  const edit = useEditPerson();
  const [base] = useState(person);
  const before = {
    name: base?.name ?? "",
    public_name: base?.public_name ?? "",
    role: base?.role ?? ("agent"),
    skill_groups: base?.skill_groups ?? [],
    capacity: base?.capacity ?? 5,
    enabled: base?.enabled ?? true,
  };
  const form = useForm({
    initialValues: { ...before, login: base?.login ?? "", password: "" },
    validate: {
      name: required(t),
      public_name: required(t),
      login: required(t),
      password: (value) => ((base !== null && value === "") || value.length >= shortestPassword ? null : t("rule.password", { least: shortestPassword })),
    },
  });

  const submit = ({ login, password, ...after }: typeof form.values) => {
    if (base === null) {
      const { name, public_name, role, skill_groups, capacity } = after;
      create.mutate({ login: login.trim(), password, name, public_name, role, skill_groups, capacity }, { onSuccess: onSaved });
      return;
    }
    const patch = { ...changedFields(before, after), ...(password === "" ? {} : { password }) };
    edit.mutate({ id: base.id, version: base.version, patch }, { onSuccess: onSaved });
  };

  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="sm">
        {base && <Switch label={t("common.enabled")} description={t("person.enabled_hint")} {...form.getInputProps("enabled", { type: "checkbox" })} />}
        <TextInput label={t("field.name")} required maxLength={100} {...form.getInputProps("name")} />
        <TextInput label={t("person.public_name")} description={t("person.public_name_hint")} required maxLength={100} {...form.getInputProps("public_name")} />
        <TextInput
          label={t("login.login")}
          required
          readOnly={base !== null}
          variant={base === null ? "default" : "filled"}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("login")}
        />
        <SecretInput label={t("login.password")} stored={base !== null} required={base === null} {...form.getInputProps("password")} />
        <Select
          label={t("person.role")}
          allowDeselect={false}
          data={[
            { value: "agent", label: t("role.agent") },
            { value: "administrator", label: t("role.administrator") },
          ]}
          {...form.getInputProps("role")}
        />
        <MultiSelect label={t("person.skill_groups")} data={optionsOf(groups.data)} {...form.getInputProps("skill_groups")} />
        <NumberInput label={t("person.capacity")} description={t("person.capacity_hint")} min={0} max={100} {...form.getInputProps("capacity")} />
        <ProblemAlert error={create.error ?? edit.error} />
        <FormActions isSaving={create.isPending || edit.isPending} onCancel={onCancel} />
      </Stack>
    </form>
  );
}
