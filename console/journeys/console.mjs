// The console as an agent uses it.
export class Console {
  constructor(page) {
    this.page = page;
    this.bubbles = page.getByTestId("thread").getByTestId("bubble");
    this.items = page.getByTestId("conversation-item");
  }

  async signIn(url, login, password) {
    await this.page.goto(url);
    await this.page.getByTestId("login-form-login").fill(login);
    await this.page.getByTestId("login-form-password").fill(password);
    await this.page.getByTestId("login-form-submit").click();
    await this.page.getByTestId("conversation-list").waitFor();
  }

  async becomeReady() {
    await this.page.getByTestId("presence-ready").click();
    await this.page.locator('[data-testid="presence-ready"][aria-pressed="true"]').waitFor();
  }

  /** The conversation whose last message has these words, as soon as it stands in the list. */
  item(text) {
    return this.items.filter({ hasText: text }).first();
  }

  /** A page that is loaded again forgets this mark: it proves that the list filled by the feed. */
  async markAsNotReloaded() {
    await this.page.evaluate(() => {
      window.journeyMark = true;
    });
  }

  wasNotReloaded() {
    return this.page.evaluate(() => window.journeyMark === true);
  }

  openedConversation() {
    return new URL(this.page.url()).pathname.split("/").at(-1);
  }

  async sees(text) {
    await this.bubbles.filter({ hasText: text }).last().waitFor();
  }

  async reply(text) {
    await this.page.getByTestId("composer-input").fill(text);
    await this.page.getByTestId("composer-input").press("Enter");
    await this.sees(text);
  }

  /** Waits until Facebook has taken the message. */
  async wasSent(text) {
    const status = this.bubbles.filter({ hasText: text }).last();
    await status.and(this.page.locator('[data-status="sent"], [data-status="delivered"], [data-status="read"]')).waitFor();
  }

  async close() {
    await this.page.getByTestId("close-conversation").click();
    await this.page.getByTestId("close-confirm").click();
    const over = this.page.getByTestId("read-only");
    await over.waitFor();
    // Where the group has wrap-up, it is finished too.
    if ((await over.getAttribute("data-phase")) === "wrap_up") await this.page.getByTestId("close-conversation").click();
    await this.page.locator('[data-testid="read-only"][data-phase="closed"]').waitFor();
  }
}
