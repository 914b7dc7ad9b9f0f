import { MantineProvider } from "@mantine/core";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { translator } from "../i18n";
import { LanguageContext } from "../i18n/languageContext";

/** Draws a component as the console does, in English. */
export function draw(component: ReactNode) {
  const choice = { language: "en" as const, t: translator("en"), choose: () => undefined };
  return render(
    <MantineProvider env="test">
      <LanguageContext value={choice}>{component}</LanguageContext>
    </MantineProvider>,
  );
}
