import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import { useT } from "../i18n/languageContext";

/** A secret goes in and never comes out: what is stored shows only as being there, and blank leaves it as it is. */
export function SecretInput({ stored, ...input }: PasswordInputProps & { stored: boolean }) {
  const t = useT();
  return (
    <PasswordInput
      autoComplete="new-password"
      spellCheck={false}
      {...input}
      placeholder={stored ? t("secret.stored") : ""}
      description={stored ? t("secret.hint") : input.description}
      visibilityToggleButtonProps={{ "aria-label": t("secret.show") }}
    />
  );
}
