// The visitor, acting through the phone's API and seeing only what the phone shows.

import { until } from "./patience.mjs";

export class Visitor {
  #api;

  constructor(phoneUrl, psid) {
    this.psid = psid;
    this.#api = `${phoneUrl}/threads/${psid}`;
  }

  async #post(path, body) {
    const answer = await fetch(`${this.#api}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`the phone answers ${answer.status} to ${path}: ${await answer.text()}`);
  }

  write(text) {
    return this.#post("messages", { text });
  }

  tap(item, { title, payload }) {
    return this.#post("taps", { title, payload, mid: item.mid });
  }

  buttonsOf(item) {
    return [...item.buttons, ...item.quick_replies];
  }

  async thread() {
    const answer = await fetch(this.#api);
    if (!answer.ok) throw new Error(`the phone answers ${answer.status}`);
    return (await answer.json()).items;
  }

  // Gives back the newest item that fits.
  sees(what, fits) {
    return until(`the visitor to see ${what}`, async () => (await this.thread()).findLast(fits));
  }
}
