import { Menu, UnstyledButton } from "@mantine/core";
import { ChevronDown, MessagesSquare, Settings2 } from "lucide-react";
import { NavLink, useLocation, useNavigate } from "react-router";
import type { Permission } from "../api/types";
import type { TextKey } from "../i18n";
import { useT } from "../i18n/languageContext";
import classes from "./Navigation.module.css";
import { useMay } from "./sessionContext";

const administration: readonly { path: string; label: TextKey; needs: Permission }[] = [
  { path: "/administration/channels", label: "nav.channels", needs: "channel.manage" },
  { path: "/administration/apps", label: "nav.apps", needs: "app.manage" },
  { path: "/administration/bots", label: "nav.bots", needs: "bot.manage" },
  { path: "/administration/skill-groups", label: "nav.skill_groups", needs: "skill_group.manage" },
  { path: "/administration/people", label: "nav.people", needs: "person.manage" },
];

export function Navigation() {
  const t = useT();
  const may = useMay();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const allowed = administration.filter((entry) => may(entry.needs));
  return (
    <nav className={classes["nav"]} aria-label={t("nav.label")}>
      <img className={classes["mark"]} src="/icon.svg" alt="" width={24} height={24} />
      <NavLink to="/conversations" className={({ isActive }) => `${classes["link"] ?? ""} ${isActive ? (classes["current"] ?? "") : ""}`}>
        <MessagesSquare className={classes["icon"]} size={18} aria-hidden />
        <span className={classes["label"]}>{t("nav.conversations")}</span>
      </NavLink>
      {allowed.length > 0 && (
        <Menu position="bottom-start" width={200}>
          <Menu.Target>
            <UnstyledButton
              className={`${classes["link"] ?? ""} ${pathname.startsWith("/administration") ? (classes["current"] ?? "") : ""}`}
              data-testid="administration-menu"
            >
              <Settings2 className={classes["icon"]} size={18} aria-hidden />
              <span className={classes["label"]}>{t("nav.administration")}</span>
              <ChevronDown size={14} aria-hidden />
            </UnstyledButton>
          </Menu.Target>
          <Menu.Dropdown>
            {allowed.map((entry) => (
              <Menu.Item key={entry.path} onClick={() => void navigate(entry.path)}>
                {t(entry.label)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
    </nav>
  );
}
