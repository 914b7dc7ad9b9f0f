// Takes pictures of every screen in both languages, both themes and two widths: `node dev/look.mjs URL FOLDER`.
// Also runs axe on each and prints what it finds.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const axe = readFileSync(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

for (const { language, scheme, width } of [
  { language: "zh-CN", scheme: "light", width: 1280 },
  { language: "en-GB", scheme: "dark", width: 1280 },
  { language: "zh-CN", scheme: "dark", width: 360 },
  { language: "en-GB", scheme: "light", width: 360 },
]) {
  const context = await browser.newContext({ locale: language, colorScheme: scheme, viewport: { width, height: width === 360 ? 720 : 760 } });
  const page = await context.newPage();
  let number = 0;
  const shoot = async (name) => {
    await page.waitForTimeout(350);
    number += 1;
    await page.screenshot({ path: join(folder, `${width}-${language.slice(0, 2)}-${scheme}-${number}-${name}.png`) });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) process.stdout.write(`${width} ${language} ${name}: ${overflow}px too wide\n`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
    for (const { id, nodes } of violations) process.stdout.write(`${width} ${language} ${scheme} ${name}: ${id} ${nodes.slice(0, 4).map((node) => `${node.html.slice(0, 140)} | ${node.any[0]?.message ?? node.failureSummary}`).join("\n    ")}\n`);
  };
  await page.goto(url);
  await page.getByTestId("login-form-login").waitFor();
  await shoot("login");
  await page.getByTestId("login-form-login").fill("admin");
  await page.getByTestId("login-form-password").fill("wrong");
  await page.getByTestId("login-form-submit").click();
  await page.getByRole("alert").waitFor();
  await shoot("wrong");
  await page.getByTestId("login-form-login").fill("zhangsan");
  await page.getByTestId("login-form-password").fill("demo-demo");
  await page.getByTestId("login-form-submit").click();
  await page.getByTestId("conversation-item").first().waitFor();
  await shoot("list");
  await page.getByTestId("conversation-item").first().click();
  await page.getByTestId("composer-input").waitFor();
  await page.getByTestId("composer-input").fill("第一行\n第二行");
  await shoot("thread");
  await page.getByTestId("hand-over").click();
  await shoot("hand-over");
  await page.keyboard.press("Escape");
  await page.getByTestId("close-conversation").click();
  await page.getByTestId("close-confirm").waitFor();
  await shoot("close");
  await page.keyboard.press("Escape");
  await page.goto(`${url}/conversations?view=queue`);
  await page.getByTestId("conversation-item").first().click();
  await page.getByTestId("read-only").waitFor();
  await shoot("queue");
  await page.getByTestId("account-menu").click();
  await shoot("account");
  await page.getByTestId("sign-out").click();
  await page.getByTestId("login-form-login").fill("admin");
  await page.getByTestId("login-form-password").fill("demo-demo");
  await page.getByTestId("login-form-submit").click();
  await page.getByTestId("administration-menu").waitFor();
  for (const resource of ["channels", "apps", "bots", "skill-groups", "people"]) {
    await page.goto(`${url}/administration/${resource}`);
    await page.getByTestId("row").first().waitFor();
    await shoot(resource);
    await page.getByTestId("row").first().getByRole("link").click();
    await page.getByTestId("save").waitFor();
    await shoot(`${resource}-edit`);
    await page.goto(`${url}/administration/${resource}/new`);
    await page.getByTestId("save").click();
    await shoot(`${resource}-new`);
  }
  await context.close();
}
await browser.close();
