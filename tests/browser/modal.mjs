/** Controls the API token dialog. */

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('./setup.mjs').Fixture} Fixture
 *
 * @typedef {'none' | 'active' | 'expiring' | 'expired' | 'revoked' | 'pending' | 'created'
 *   | 'copied' | 'copy-failed' | 'refused' | 'session-ended' | 'network-error'} State
 */

/** The API token dialog of a page. */
export class Modal {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.dialog = page.getByRole('dialog');
    this.title = this.dialog.getByRole('heading', { level: 2 });
    this.date = this.dialog.getByLabel('Expiration date');
    this.proceed = this.dialog.getByRole('button', { name: 'Proceed' });
    this.close = this.dialog.getByRole('button', { name: 'Close' });
    this.token = this.dialog.getByRole('textbox', { name: 'Access Token' });
    this.stored = this.dialog.getByLabel('I have stored this token');
    this.copy = this.dialog.getByRole('button', { name: 'Copy', exact: true });
    this.revoke = this.dialog.getByRole('button', { name: 'Revoke current token' });
  }

  /**
   * Opens the dialog from the left panel.
   *
   * @param {Page} page
   */
  static async open(page) {
    const menu = page.getByRole('button', { name: 'Menu' });
    if (await menu.isVisible()) await menu.click();
    await page.getByRole('navigation').getByRole('button', { name: 'API', exact: true }).click();
    const modal = new Modal(page);
    await modal.dialog.waitFor();
    await page.locator('dialog:not([data-state="pending"])').waitFor();
    return modal;
  }

  /**
   * Waits until the dialog is in a state.
   *
   * @param {State} state
   */
  async waitForState(state) {
    await this.page.locator(`dialog[data-state="${state}"]`).waitFor();
  }

  /**
   * Selects one of the lifetimes.
   *
   * @param {string} name
   */
  async selectLifetime(name) {
    await this.dialog.getByRole('radio', { name }).check();
  }

  /** Creates a token with the entered date, and returns it. */
  async create() {
    await this.proceed.click();
    await this.waitForState('created');
    return this.token.inputValue();
  }

  /** Confirms that the token is stored, and closes the dialog. */
  async confirmAndClose() {
    await this.stored.check();
    await this.close.click();
    await this.dialog.waitFor({ state: 'hidden' });
  }
}

/**
 * Creates a token with the mutation, in the session of the browser. Returns the token.
 *
 * @param {Fixture} fixture
 * @param {number} seconds The lifetime of the token.
 */
export async function createToken({ context, server, url }, seconds) {
  const expires = (await server.now()) / 1000 + seconds;
  const query = `mutation { updateAccessToken(expirationTime: ${expires}) { sessionJwt } }`;
  const response = await context.request.post(`${url}/api`, {
    headers: { Origin: url },
    data: { query },
  });
  return /** @type {string} */ ((await response.json()).data.updateAccessToken.sessionJwt);
}

/**
 * Queries the email address with a token. Returns it, or the reason of the error.
 *
 * @param {string} url
 * @param {string} token
 */
export async function queryWithToken(url, token) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ query: '{ me { userEmail } }' });
  const { data, errors } = await (
    await fetch(`${url}/api`, { method: 'POST', headers, body })
  ).json();
  return errors ? errors[0].extensions.reason : data.me.userEmail;
}
