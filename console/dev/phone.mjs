// The telephone of the stand-in server. It has the same test ids as the simulated Messenger, so the journey runs on both.
export const phonePage = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>Phone</title>
<body style="font:15px sans-serif;max-width:360px;margin:1rem auto">
<div id="thread"></div>
<form id="form"><input data-testid="phone-input" id="text" aria-label="消息"><button data-testid="phone-send">发送</button></form>
<script type="module">
const psid = new URLSearchParams(location.search).get("psid") ?? String(Math.floor(Math.random() * 1e12)).padStart(12, "0");
const post = (act, body) => fetch("/phone/" + psid + "/" + act, { method: "POST", body: JSON.stringify(body) }).then(draw);
async function draw() {
  const items = await (await fetch("/phone/" + psid)).json();
  const key = JSON.stringify(items);
  if (key === draw.last) return;
  draw.last = key;
  thread.replaceChildren(...items.map((item) => {
    const row = document.createElement("div");
    row.style.textAlign = item.direction === "in" ? "right" : "left";
    const bubble = Object.assign(document.createElement("span"), { textContent: item.text });
    bubble.dataset.testid = "phone-bubble";
    row.append(bubble);
    for (const title of item.buttons) {
      const button = Object.assign(document.createElement("button"), { textContent: title, onclick: () => post("taps", { title }) });
      button.dataset.testid = "phone-button";
      row.append(button);
    }
    return row;
  }));
}
form.onsubmit = (event) => { event.preventDefault(); post("messages", { text: text.value }); text.value = ""; };
setInterval(draw, 300);
draw();
</script></body></html>`;
