/** The API token modal, as a person uses it. */

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('./story.mjs').Given} Given
 *
 * @typedef {'none' | 'active' | 'expiring' | 'expired' | 'revoked' | 'pending' | 'created' | 'copied'
 *   | 'copy-failed' | 'refused' | 'session-ended' | 'network-error'} State
 */

/** The modal of a page. */
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
   * Opens it from the left panel.
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
   * Waits until it is in a state.
   *
   * @param {State} state
   */
  async is(state) {
    await this.page.locator(`dialog[data-state="${state}"]`).waitFor();
  }

  /**
   * Chooses one of the times that a token can last.
   *
   * @param {string} name
   */
  async last(name) {
    await this.dialog.getByRole('radio', { name }).check();
  }

  /** Makes a token with what is chosen; answers it. */
  async create() {
    await this.proceed.click();
    await this.is('created');
    return this.token.inputValue();
  }

  /** Closes it after a token was made, as somebody does who has kept it. */
  async leave() {
    await this.stored.check();
    await this.close.click();
    await this.dialog.waitFor({ state: 'hidden' });
  }
}

/**
 * Makes a token of the one who is signed in, by the mutation; answers it.
 *
 * @param {Given} given
 * @param {number} seconds How long it lives.
 */
export async function makeToken({ context, server, url }, seconds) {
  const expires = (await server.now()) / 1000 + seconds;
  const query = `mutation { updateAccessToken(expirationTime: ${expires}) { sessionJwt } }`;
  const response = await context.request.post(`${url}/api`, { headers: { Origin: url }, data: { query } });
  return /** @type {string} */ ((await response.json()).data.updateAccessToken.sessionJwt);
}

/**
 * What the API says with a token: the e-mail address, or the reason of a refusal.
 *
 * @param {string} url
 * @param {string} token
 */
export async function askWith(url, token) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ query: '{ me { userEmail } }' });
  const { data, errors } = await (await fetch(`${url}/api`, { method: 'POST', headers, body })).json();
  return errors ? errors[0].extensions.reason : data.me.userEmail;
}
