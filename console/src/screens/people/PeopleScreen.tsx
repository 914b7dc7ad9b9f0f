import { usePeople, useSkillGroups } from "../../api/administration";
import { useT } from "../../i18n/languageContext";
import { AdministrationPage } from "../../parts/AdministrationPage";
import { DataTable } from "../../parts/DataTable";
import { EnabledMark } from "../../parts/EnabledMark";
import { FormDrawer } from "../../parts/FormDrawer";
import { useResourceRoute } from "../../parts/useResourceRoute";
import { PersonForm } from "./PersonForm";

export default function PeopleScreen() {
  const t = useT();
  const people = usePeople();
  const groups = useSkillGroups();
  const route = useResourceRoute("/administration/people", people.data);
  const nameOf = (id: string) => groups.data?.find((group) => group.id === id)?.name ?? "…";
  return (
    <AdministrationPage title={t("person.title")} hint={t("person.hint")} addLabel={t("person.add")} onAdd={route.add} list={people}>
      <DataTable
        label={t("person.title")}
        empty={t("person.empty")}
        rows={people.data ?? []}
        to={route.pathOf}
        name={{ label: t("field.name"), cell: (person) => person.name }}
        columns={[
          { label: t("login.login"), cell: (person) => person.login },
          { label: t("person.role"), cell: (person) => t(`role.${person.role}`) },
          { label: t("person.skill_groups"), cell: (person) => person.skill_groups.map(nameOf).join(", ") || t("common.none") },
          { label: t("person.capacity"), cell: (person) => person.capacity },
          { label: t("field.state"), cell: (person) => <EnabledMark isEnabled={person.enabled} /> },
        ]}
      />
      <FormDrawer title={t("person.new")} isOpen={route.isNew} onClose={route.close}>
        <PersonForm person={null} onSaved={route.saved} onCancel={route.close} />
      </FormDrawer>
      <FormDrawer title={t("person.edit")} isOpen={route.edited !== null} onClose={route.close}>
        {route.edited && <PersonForm key={route.edited.id} person={route.edited} onSaved={route.saved} onCancel={route.close} />}
      </FormDrawer>
    </AdministrationPage>
  );
}
