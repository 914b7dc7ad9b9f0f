// Headless Chromium for the journeys, with pictures.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Longest wait for anything; a journey never sleeps, it waits for what it expects to see. */
const patienceMs = 20_000;

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/snap/bin/chromium", "/usr/bin/google-chrome"];

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? places.find((place) => existsSync(place)) ?? "chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
}

export async function openPage(browser, { locale = "zh-CN", colorScheme = "light", viewport = { width: 1280, height: 800 } } = {}) {
  const context = await browser.newContext({ locale, colorScheme, viewport });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  return { page, faults };
}

/** A setting by its own name, or by the name under which `scripts/demo --run` gives it. */
export function setting(name, demoName) {
  const value = process.env[name] ?? process.env[demoName];
  if (!value) throw new Error(`${name} is not set; needed are CONSOLE_URL, PHONE_URL, LOGIN, PASSWORD, and SCREENSHOT_DIR for pictures`);
  return value;
}

/** Takes a picture where pictures are wanted. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOT_DIR;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
