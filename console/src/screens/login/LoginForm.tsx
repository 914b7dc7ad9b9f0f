import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";
import { useSignIn } from "../../api/session";
import { useT } from "../../i18n/languageContext";
import { ProblemAlert } from "../../parts/ProblemAlert";

export function LoginForm() {
  const t = useT();
  const signIn = useSignIn();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    signIn.mutate({ login: login.trim(), password });
  };

  return (
    <form onSubmit={submit} data-testid="login-form">
      <Stack gap="sm">
        <TextInput
          label={t("login.login")}
          name="login"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          withAsterisk={false}
          data-testid="login-form-login"
          value={login}
          onChange={(event) => {
            setLogin(event.currentTarget.value);
          }}
        />
        <PasswordInput
          label={t("login.password")}
          name="password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          data-testid="login-form-password"
          value={password}
          visibilityToggleButtonProps={{ "aria-label": t("login.show_password") }}
          onChange={(event) => {
            setPassword(event.currentTarget.value);
          }}
        />
        <ProblemAlert error={signIn.error} />
        <Button type="submit" fullWidth mt="xs" loading={signIn.isPending} data-testid="login-form-submit">
          {t("login.submit")}
        </Button>
      </Stack>
    </form>
  );
}
