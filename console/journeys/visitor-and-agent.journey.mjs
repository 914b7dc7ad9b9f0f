// A visitor talks to the bot, asks for a person, and talks to the agent who is sitting at the console.
// Needs a queue that is empty: an older conversation that waits would be the one that opens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, openPage, picture, setting } from "./browser.mjs";
import { Console } from "./console.mjs";
import { Phone } from "./phone.mjs";

let browser;
before(async () => {
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
});

test("a visitor is handed over from the bot to the agent, and both talk", async () => {
  // Words that no earlier run has used, so that nothing old can be taken for an answer.
  const run = Date.now().toString(36);
  const unknown = `蓝鲸会不会打喷嚏 ${run}`;
  const greeting = `您好，我是客服，请问有什么可以帮您？ ${run}`;
  const answer = `我想查一下订单 ${run}`;
  const agentSide = await openPage(browser);
  const visitorSide = await openPage(browser, { viewport: { width: 420, height: 800 } });
  const agent = new Console(agentSide.page);
  const phone = new Phone(visitorSide.page);

  await agent.signIn(
    setting("CONSOLE_URL", "FRONTDESK_CONSOLE_URL"),
    setting("LOGIN", "FRONTDESK_AGENT_LOGIN"),
    setting("PASSWORD", "FRONTDESK_AGENT_PASSWORD"),
  );
  await agent.becomeReady();
  await agent.markAsNotReloaded();
  await picture(agent.page, "01-agent-ready");

  await phone.open(setting("PHONE_URL", "FRONTDESK_PHONE_URL"));
  await phone.write("你好");
  await phone.hasMoreThan(1);
  const before = await phone.count();
  await phone.write(unknown);
  await phone.hasMoreThan(before + 1);
  await phone.page.getByTestId("phone-button").filter({ hasText: "转人工" }).last().waitFor();
  await picture(phone.page, "02-bot-answers");
  await phone.tap("转人工");

  // The idle workbench opens the conversation by itself; nobody clicked anything.
  await agent.page.waitForURL(/\/conversations\/[^/?]+/);
  await agent.sees(unknown);
  await agent.page.getByTestId("composer-input").waitFor();
  assert.ok(await agent.wasNotReloaded(), "the conversation popped up without a reload");
  await picture(agent.page, "03-pops-up");

  await agent.reply(greeting);
  await phone.sees(greeting);
  await agent.wasSent(greeting);
  await picture(phone.page, "04-visitor-sees-agent");

  await phone.write(answer);
  await agent.sees(answer);
  await agent.item(answer).waitFor();
  await picture(agent.page, "05-agent-sees-visitor");

  const conversation = agent.openedConversation();
  await agent.close();
  await agent.page.getByTestId("view-closed").click();
  await agent.page.locator(`[data-conversation="${conversation}"][data-phase="closed"]`).waitFor();
  await picture(agent.page, "06-closed");
  await picture(phone.page, "07-visitor-at-the-end");

  assert.ok(await agent.wasNotReloaded(), "the whole conversation went without a reload");
  assert.deepEqual(agentSide.faults, [], "the console threw no error");
});
