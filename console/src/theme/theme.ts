import { createTheme, type CSSVariablesResolver, Drawer, type MantineColorsTuple, Menu, Modal } from "@mantine/core";

/** Calm blue; shade 8 on white and white on shade 8 are above 6:1. */
const brand: MantineColorsTuple = ["#eef4fb", "#dbe7f4", "#b5cde8", "#8db2dc", "#6b9bd2", "#558ccc", "#4a85c9", "#3a72b2", "#2b61a0", "#1b538e"];

/** Mantine's dark greys with a little of the brand's blue, so that fields and surfaces belong together. */
const dark: MantineColorsTuple = ["#d5dae1", "#b4bcc8", "#a3acba", "#7a8594", "#48515d", "#2f353e", "#262c34", "#1d2127", "#171a1f", "#121518"];

export const theme = createTheme({
  colors: { brand, dark },
  primaryColor: "brand",
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  fontFamily:
    '-apple-system, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans SC", "WenQuanYi Micro Hei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: "600" },
  components: {
    // A menu may hold nothing but its items; the first of them takes the focus.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    // The title of a dialog is no second banner of the page.
    Modal: Modal.extend({ defaultProps: { attributes: { header: { role: "presentation" } } } }),
    Drawer: Drawer.extend({ defaultProps: { attributes: { header: { role: "presentation" } } } }),
  },
});

/** Colours that the screens use by role. Dimmed text is darker than Mantine's own, which is below 4.5:1. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#596270",
    "--mantine-color-placeholder": "#697280",
    "--mantine-color-error": "#c02b2b",
    "--fd-surface": "#ffffff",
    "--fd-canvas": "#f4f6f9",
    "--fd-line": "#dfe3ea",
    "--fd-selected": "#e3edf8",
    "--fd-hover": "#f0f4f9",
    "--fd-bubble-in": "#ffffff",
    "--fd-bubble-bot": "#eceff4",
    "--fd-bubble-agent": "#d8e7f7",
    "--fd-accent": "#2b61a0",
    "--fd-attention": "#b3261e",
    "--fd-positive": "#1d7a45",
    "--fd-warning": "#8a5a00",
  },
  dark: {
    "--mantine-color-body": "#171a1f",
    "--mantine-color-dimmed": "#a3acba",
    "--mantine-color-placeholder": "#929cab",
    "--mantine-color-error": "#ff9a93",
    "--mantine-color-anchor": "#8db2dc",
    "--fd-surface": "#1d2127",
    "--fd-canvas": "#15181c",
    "--fd-line": "#2f353e",
    "--fd-selected": "#24364b",
    "--fd-hover": "#232931",
    "--fd-bubble-in": "#262c34",
    "--fd-bubble-bot": "#20262d",
    "--fd-bubble-agent": "#224367",
    "--fd-accent": "#8db2dc",
    "--fd-attention": "#ff9a93",
    "--fd-positive": "#6fd09a",
    "--fd-warning": "#e8bd66",
  },
});
