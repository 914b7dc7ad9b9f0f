import { Button, Paper, Text, Title } from "@mantine/core";
import { useLanguage } from "../../i18n/languageContext";
import { LoginForm } from "./LoginForm";
import classes from "./LoginScreen.module.css";

export function LoginScreen() {
  const { t, language, choose } = useLanguage();
  return (
    <main className={classes["screen"]}>
      <Paper className={classes["card"] ?? ""} withBorder>
        <img src="/icon.svg" alt="" width={40} height={40} />
        <Title order={1} size="h3" mt="sm">
          Frontdesk
        </Title>
        <Text size="sm" c="dimmed" mb="lg">
          {t("login.subtitle")}
        </Text>
        <LoginForm />
      </Paper>
      <Button
        variant="subtle"
        size="compact-sm"
        lang={language === "zh" ? "en" : "zh-CN"}
        onClick={() => {
          choose(language === "zh" ? "en" : "zh");
        }}
      >
        {t("account.other_language")}
      </Button>
    </main>
  );
}
