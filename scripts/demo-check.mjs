// A scripted conversation through the doors that people use: the phone's API at one end, the public API at the other.
// Prints the transcript from both ends; exits with 1 and a reason when anything is not as a visitor and an agent expect.

import { randomInt, randomUUID } from "node:crypto";
import { Agent } from "./demo-check/agent.mjs";
import { Visitor } from "./demo-check/visitor.mjs";
import { printConsole, printPhone } from "./demo-check/transcript.mjs";

const GREETING = "你好";
const REPLY = "您好，我是张三。它叫小满。";
const THANKS = "谢谢，再见！";

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing: run this through scripts/demo --check`);
  return value;
}

async function talk(visitor, agent) {
  // The bot does not know; the number makes the question this run's own, whatever else is in the database.
  const riddle = `${visitor.psid}：你们店里的猫叫什么名字？`;

  await agent.signIn(setting("FRONTDESK_AGENT_LOGIN"), setting("FRONTDESK_AGENT_PASSWORD"));
  await agent.becomeReady();
  await agent.listen();

  await visitor.write(GREETING);
  await visitor.sees("an answer of the bot", (item) => item.from === "page" && item.text);
  await visitor.write(riddle);
  const offer = await visitor.sees("a button 转人工", (item) => visitor.buttonsOf(item).some(isHandOver));
  await visitor.tap(offer, visitor.buttonsOf(offer).find(isHandOver));

  const conversation = await agent.receives(riddle);
  await agent.seesInTimeline(conversation, "the visitor's question", (item) => item.direction === "in" && item.text === riddle);
  await agent.reply(conversation, REPLY, randomUUID());
  await visitor.sees("the agent's reply", (item) => item.from === "page" && item.text === REPLY);
  await agent.seesInTimeline(conversation, "the reply as sent", (item) =>
    item.author.kind === "agent" && item.text === REPLY && ["sent", "delivered", "read"].includes(item.status));

  await visitor.write(THANKS);
  await agent.seesInTimeline(conversation, "the visitor's thanks", (item) => item.direction === "in" && item.text === THANKS);
  return conversation;
}

const isHandOver = (button) => button.title === "转人工";

// Nothing may be said twice, at neither end.
function refuseRepetition(end, texts) {
  const twice = texts.find((text, place) => texts.indexOf(text) !== place);
  if (twice !== undefined) throw new Error(`${end}: said twice: ${twice}`);
}

const visitor = new Visitor(setting("FRONTDESK_PHONE_URL"), `7${randomInt(1e9, 1e10)}`);
const agent = new Agent(setting("FRONTDESK_CONSOLE_URL"));
let conversation;
let reason;
try {
  conversation = await talk(visitor, agent);
  const thread = await visitor.thread();
  refuseRepetition("the phone", thread.filter((item) => item.from === "page").map((item) => item.text));
  const timeline = await agent.timeline(conversation);
  refuseRepetition("the console", timeline.filter((item) => item.direction === "in" && item.text).map((item) => item.text));
} catch (error) {
  reason = error;
}

await printPhone(visitor).catch((error) => console.log(`(the phone cannot be read: ${error.message})`));
await printConsole(agent, conversation ?? agent.conversation).catch((error) => console.log(`(the console cannot be read: ${error.message})`));
agent.stopListening();

if (reason) {
  console.error(`\nThe conversation failed: ${reason.message}`);
  process.exitCode = 1;
} else {
  console.log("\nThe conversation went through: webhook, bot, hand-over, agent and both answers.");
}
