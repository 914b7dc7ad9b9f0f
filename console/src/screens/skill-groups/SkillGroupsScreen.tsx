import { useSkillGroups } from "../../api/administration";
import { useT } from "../../i18n/languageContext";
import { AdministrationPage } from "../../parts/AdministrationPage";
import { DataTable } from "../../parts/DataTable";
import { FormDrawer } from "../../parts/FormDrawer";
import { useResourceRoute } from "../../parts/useResourceRoute";
import { SkillGroupForm } from "./SkillGroupForm";

export default function SkillGroupsScreen() {
  const t = useT();
  const groups = useSkillGroups();
  const route = useResourceRoute("/administration/skill-groups", groups.data);
  return (
    <AdministrationPage title={t("skill_group.title")} hint={t("skill_group.hint")} addLabel={t("skill_group.add")} onAdd={route.add} list={groups}>
      <DataTable
        label={t("skill_group.title")}
        empty={t("skill_group.empty")}
        rows={groups.data ?? []}
        to={route.pathOf}
        name={{ label: t("field.name"), cell: (group) => group.name }}
        columns={[{ label: t("skill_group.members"), cell: (group) => group.members.length }]}
      />
      <FormDrawer title={t("skill_group.new")} isOpen={route.isNew} onClose={route.close}>
        <SkillGroupForm group={null} onSaved={route.saved} onCancel={route.close} />
      </FormDrawer>
      <FormDrawer title={t("skill_group.edit")} isOpen={route.edited !== null} onClose={route.close}>
        {route.edited && <SkillGroupForm key={route.edited.id} group={route.edited} onSaved={route.saved} onCancel={route.close} />}
      </FormDrawer>
    </AdministrationPage>
  );
}
