import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { BrowserRouter } from "react-router";
import { createQueryClient } from "./api/queryClient";
import { LanguageProvider } from "./i18n/LanguageProvider";
import { Entrance } from "./shell/Entrance";
import { cssVariables, theme } from "./theme/theme";

export function App() {
  const [queryClient] = useState(createQueryClient);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <LanguageProvider>
        <QueryClientProvider client={queryClient}>
          <Notifications position="bottom-left" limit={4} />
          <BrowserRouter>
            <Entrance />
          </BrowserRouter>
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>
  );
}
