/** Drives GraphQL Playground. Few of its class names are fixed, so elements are found by place. */

import assert from 'node:assert/strict';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('playwright-core').Locator} Locator
 * @typedef {{ getValue(): string, options: { hintOptions?: { schema?: object } } }} Editor
 * @typedef {{ CodeMirror: Editor }} Edited The element of an editor.
 */

/** The IDE in a page. */
export class Ide {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.tabs = page.locator('.playground > :nth-child(1)');
    this.gear = page.locator('.playground > :nth-child(3) svg');
    this.active = page.locator('.graphiql-wrapper.active');
    this.query = this.active.locator('.CodeMirror').first();
    this.headers = this.active.locator('.CodeMirror').nth(1);
    this.response = this.active.locator('.CodeMirror-wrap');
  }

  /**
   * Opens the IDE, and waits until it has loaded the schema.
   *
   * @param {Page} page
   * @param {string} url
   */
  static async open(page, url) {
    await page.goto(url);
    const ide = new Ide(page);
    await page.waitForFunction(knowsSchema, await ide.query.elementHandle());
    return ide;
  }

  /** Opens a new tab. */
  async newTab() {
    await this.tabs.locator('svg').last().click();
    await this.tabs.getByText('New Tab', { exact: true }).last().waitFor();
  }

  /**
   * Goes to a tab.
   *
   * @param {string} name
   */
  async goTo(name) {
    await this.tabs.getByText(name, { exact: true }).click();
  }

  /** Opens the Settings with the gear in the upper right corner. */
  async openSettings() {
    await this.gear.click();
    await this.active.getByRole('button', { name: 'Save Settings' }).waitFor();
  }

  /** Saves the Settings. */
  async saveSettings() {
    await this.active.getByRole('button', { name: 'Save Settings' }).click();
  }

  /**
   * Sets one of the Settings by editing its line.
   *
   * @param {string} name
   * @param {string} value
   */
  async set(name, value) {
    const text = await valueOf(this.query);
    const changed = text.replace(new RegExp(`("${name}": )("[^"]*"|true|false)`), `$1${written(value)}`);
    assert.ok(changed.includes(`"${name}": ${written(value)}`));
    await this.write(this.query, changed);
  }

  /** Opens the pane with the HTTP headers. */
  async openHeaders() {
    if (!(await this.headers.isVisible())) await this.active.getByText('HTTP Headers').click();
  }

  /**
   * Replaces the text in an editor.
   *
   * @param {Locator} editor
   * @param {string} text
   */
  async write(editor, text) {
    await editor.locator('.CodeMirror-lines').click();
    await this.page.keyboard.press('ControlOrMeta+Home');
    await this.page.keyboard.press('ControlOrMeta+Shift+End'); // a letter would open the hints
    await this.page.keyboard.insertText(text);
    await this.page.keyboard.press('ControlOrMeta+Home');
    assert.equal(await valueOf(editor), text);
  }

  /** Presses Play. */
  async play() {
    await this.active.getByTitle('Execute Query').click();
  }

  /**
   * Waits until the response has a text.
   *
   * @param {string} text
   */
  async shows(text) {
    await this.page.waitForFunction(shows, { editor: await this.response.elementHandle(), text });
  }

  /** Asserts that Playground has the schema, and does not say that the server cannot be reached. */
  async isGreen() {
    await this.page.waitForFunction(knowsSchema, await this.query.elementHandle());
    assert.equal(await this.active.getByText('Server cannot be reached').count(), 0);
  }

  /**
   * Presses a control with the keyboard.
   *
   * @param {string} name
   */
  async press(name) {
    await this.page.getByRole('button', { name, exact: true }).focus();
    await this.page.keyboard.press('Enter');
  }

  /** Runs the query, and returns the answer. */
  async run() {
    const answered = this.page.waitForResponse((it) => isQuery(it.request()));
    await this.play();
    const answer = await (await answered).json();
    const text = answer.errors?.[0].message ?? JSON.stringify(answer.data);
    await this.shows(text);
    return answer;
  }

  /**
   * Writes a query, runs it, and returns the answer.
   *
   * @param {string} query
   */
  async ask(query) {
    await this.write(this.query, query);
    return this.run();
  }
}

/**
 * Returns the value of a setting as JSON.
 *
 * @param {string} value
 */
function written(value) {
  return /^(true|false)$/.test(value) ? value : JSON.stringify(value);
}

/**
 * Whether a request is the user's query: not the query for the schema, and not the query of our
 * banner, which has no variables.
 *
 * @param {import('playwright-core').Request} request
 */
function isQuery(request) {
  if (new URL(request.url()).pathname !== '/api' || request.method() !== 'POST') return false;
  const { operationName, variables } = request.postDataJSON();
  return variables !== undefined && operationName !== 'IntrospectionQuery';
}

/**
 * Whether an editor can show hints, for which it needs the schema.
 *
 * @param {unknown} editor
 */
function knowsSchema(editor) {
  return !!(/** @type {Edited} */ (editor).CodeMirror.options.hintOptions?.schema);
}

/**
 * Whether an editor shows a text, except for spaces and line breaks.
 *
 * @param {{ editor: unknown, text: string }} expected
 */
function shows({ editor, text }) {
  const dense = (/** @type {string} */ it) => it.replace(/\s/g, '');
  return dense(/** @type {Edited} */ (editor).CodeMirror.getValue()).includes(dense(text));
}

/**
 * Returns the text in an editor.
 *
 * @param {Locator} editor
 */
export function valueOf(editor) {
  return editor.evaluate((it) => /** @type {Edited} */ (/** @type {unknown} */ (it)).CodeMirror.getValue());
}
