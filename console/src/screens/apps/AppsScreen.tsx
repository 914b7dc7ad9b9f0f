import { useApps } from "../../api/administration";
import { useT } from "../../i18n/languageContext";
import { AdministrationPage } from "../../parts/AdministrationPage";
import { DataTable } from "../../parts/DataTable";
import { FormDrawer } from "../../parts/FormDrawer";
import { useResourceRoute } from "../../parts/useResourceRoute";
import { AppCreateForm } from "./AppCreateForm";
import { AppEditForm } from "./AppEditForm";

export default function AppsScreen() {
  const t = useT();
  const apps = useApps();
  const route = useResourceRoute("/administration/apps", apps.data);
  return (
    <AdministrationPage title={t("app.title")} hint={t("app.hint")} addLabel={t("app.add")} onAdd={route.add} list={apps}>
      <DataTable
        label={t("app.title")}
        empty={t("app.empty")}
        rows={apps.data ?? []}
        to={route.pathOf}
        name={{ label: t("field.name"), cell: (app) => app.name }}
        columns={[
          { label: t("app.app_id"), cell: (app) => app.app_id },
          { label: t("app.app_secret"), cell: (app) => t(app.has_app_secret ? "secret.stored" : "secret.missing") },
          { label: t("app.second_secret"), cell: (app) => t(app.has_second_secret ? "secret.stored" : "common.none") },
        ]}
      />
      <FormDrawer title={t("app.new")} isOpen={route.isNew} onClose={route.close}>
        <AppCreateForm onSaved={route.saved} onCancel={route.close} />
      </FormDrawer>
      <FormDrawer title={t("app.edit")} isOpen={route.edited !== null} onClose={route.close}>
        {route.edited && <AppEditForm key={route.edited.id} app={route.edited} onSaved={route.saved} onCancel={route.close} />}
      </FormDrawer>
    </AdministrationPage>
  );
}
