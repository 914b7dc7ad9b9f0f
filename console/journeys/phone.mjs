// The visitor's telephone: the simulated Messenger.
export class Phone {
  constructor(page) {
    this.page = page;
    this.bubbles = page.getByTestId("phone-bubble");
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.getByTestId("phone-input").waitFor();
  }

  async write(text) {
    await this.page.getByTestId("phone-input").fill(text);
    await this.page.getByTestId("phone-send").click();
    await this.sees(text);
  }

  async tap(title) {
    await this.page.getByTestId("phone-button").filter({ hasText: title }).last().click();
  }

  async sees(text) {
    await this.bubbles.filter({ hasText: text }).last().waitFor();
  }

  /** Waits until there are more than `count` bubbles, which is an answer to what was written. */
  async hasMoreThan(count) {
    await this.bubbles.nth(count).waitFor();
  }

  count() {
    return this.bubbles.count();
  }
}
