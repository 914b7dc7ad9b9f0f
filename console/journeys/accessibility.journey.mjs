// What a machine can tell about accessibility: WCAG A and AA by axe, and no sideways scrolling on a small telephone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openBrowser, openPage, picture, setting } from "./browser.mjs";
import { Console } from "./console.mjs";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const looks = [
  { locale: "zh-CN", colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { locale: "en-GB", colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  { locale: "zh-CN", colorScheme: "dark", viewport: { width: 360, height: 740 } },
  { locale: "en-GB", colorScheme: "light", viewport: { width: 360, height: 740 } },
];

let browser;
before(async () => {
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
});

for (const look of looks) {
  const name = `${look.viewport.width}-${look.locale.slice(0, 2)}-${look.colorScheme}`;
  test(`the console is accessible in ${look.locale}, ${look.colorScheme}, ${look.viewport.width} pixels wide`, async () => {
    const { page } = await openPage(browser, look);
    const agent = new Console(page);
    const url = setting("CONSOLE_URL", "FRONTDESK_CONSOLE_URL");
    await page.goto(url);
    await page.getByTestId("login-form").waitFor();
    await assertAccessible(page, "login");
    await agent.signIn(url, setting("LOGIN", "FRONTDESK_AGENT_LOGIN"), setting("PASSWORD", "FRONTDESK_AGENT_PASSWORD"));
    for (const view of ["mine", "queue", "open", "closed"]) {
      await page.getByTestId(`view-${view}`).click();
      await page.locator('[data-testid="conversation-list"][aria-busy="false"]').waitFor();
      await assertAccessible(page, view);
    }
    await openFirst(agent);
    await assertAccessible(page, "conversation");
    await picture(page, `accessibility-${name}`);
    await page.getByTestId("account-menu").click();
    await page.getByTestId("sign-out").waitFor();
    await assertAccessible(page, "account menu");
    await page.context().close();
  });
}

/** Opens a closed conversation where there is one; a fresh system has none. */
async function openFirst(agent) {
  if ((await agent.items.count()) === 0) return;
  await agent.items.first().click();
  await agent.page.getByTestId("thread").waitFor();
}

async function assertAccessible(page, where) {
  // A fade would be taken for weak contrast.
  await page.waitForFunction(() => document.getAnimations().every((animation) => animation.playState !== "running" || animation.effect?.getTiming().iterations === Infinity));
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  assert.deepEqual(found, [], `violations on ${where}`);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(tooWide, 0, `${where} scrolls sideways`);
}
