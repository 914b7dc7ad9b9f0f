// The transcript as each end saw it.

const clock = (at) => new Date(at).toISOString().slice(11, 23);

function line(at, who, text, rest = "") {
  console.log(`  ${clock(at)}  ${who.padEnd(8)}  ${text}${rest ? `   ${rest}` : ""}`);
}

export async function printPhone(visitor) {
  console.log("\n--- the visitor's phone");
  for (const item of await visitor.thread()) {
    const buttons = visitor.buttonsOf(item).map((button) => `[${button.title}]`).join(" ");
    line(item.at, item.from, item.text ?? item.attachments.map((shown) => `(${shown.type})`).join(" "), buttons);
  }
}

export async function printConsole(agent, conversation) {
  console.log("\n--- the agent's console");
  if (!conversation) {
    console.log("  (no conversation reached the agent)");
    return;
  }
  for (const item of await agent.timeline(conversation)) {
    const who = item.author.name ?? item.author.kind;
    line(item.at, who, item.text ?? `(${item.event ?? item.kind})`, [...item.buttons.map((title) => `[${title}]`), item.status].filter(Boolean).join(" "));
  }
}
