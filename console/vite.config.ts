import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env["API_URL"] ?? "http://127.0.0.1:8036";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": api } },
  build: {
    outDir: "dist",
    // Mantine is one chunk of its own so that a change of the console does not make every agent load it again.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "framework", test: /node_modules[\\/](react|react-dom|react-router|scheduler|@tanstack)[\\/]/ },
            { name: "components", test: /node_modules[\\/](@mantine|@floating-ui|lucide-react)[\\/]/ },
          ],
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/browser.ts"],
    restoreMocks: true,
  },
});
