import { ActionIcon, Menu, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { BellRing, Languages, LogOut, Moon, Sun, UserRound } from "lucide-react";
import { useState } from "react";
import { asProblem } from "../api/problem";
import { useSignOut } from "../api/session";
import { useLanguage } from "../i18n/languageContext";
import { problemText } from "../i18n/problems";
import { desktopNotificationState } from "./desktopNotification";
import { useSignedIn } from "./sessionContext";

export function AccountMenu() {
  const { t, language, choose } = useLanguage();
  const { person } = useSignedIn();
  const signOut = useSignOut();
  const scheme = useComputedColorScheme("light");
  const { setColorScheme } = useMantineColorScheme();
  const [notificationState, setNotificationState] = useState(desktopNotificationState);
  const other = scheme === "light" ? "dark" : "light";

  const leave = () => {
    signOut.mutate(undefined, {
      onError: (error) => {
        notifications.show({ color: "red", message: problemText(t, asProblem(error)) });
      },
    });
  };

  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="default" size={34} radius="xl" aria-label={t("account.menu", { name: person.name })} data-testid="account-menu">
          <UserRound size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {person.name}
          </Text>
          <Text size="xs" c="dimmed">
            {t(`role.${person.role}`)}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item
          leftSection={<Languages size={16} aria-hidden />}
          data-testid="language-switch"
          lang={language === "zh" ? "en" : "zh-CN"}
          onClick={() => {
            choose(language === "zh" ? "en" : "zh");
          }}
        >
          {t("account.other_language")}
        </Menu.Item>
        <Menu.Item
          leftSection={other === "dark" ? <Moon size={16} aria-hidden /> : <Sun size={16} aria-hidden />}
          data-testid="scheme-switch"
          onClick={() => {
            setColorScheme(other);
          }}
        >
          {t(`account.${other}`)}
        </Menu.Item>
        {notificationState === "default" && (
          <Menu.Item
            leftSection={<BellRing size={16} aria-hidden />}
            onClick={() => void Notification.requestPermission().then(setNotificationState)}
          >
            {t("account.notifications")}
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={16} aria-hidden />} onClick={leave} data-testid="sign-out">
          {t("account.sign_out")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
