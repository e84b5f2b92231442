/**
 * Controls GraphQL Playground. Most of its class names are generated, so elements are located by
 * their position.
 */

import assert from 'node:assert/strict';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('playwright-core').Locator} Locator
 * @typedef {{ getValue(): string, options: { hintOptions?: { schema?: object } } }} Editor
 * @typedef {{ CodeMirror: Editor }} EditorElement
 */

/** GraphQL Playground in a page. */
export class Ide {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    this.tabs = page.locator('.playground > :nth-child(1)');
    this.gear = page.locator('.playground > :nth-child(3) svg');
    this.active = page.locator('.graphiql-wrapper.active');
    this.queryEditor = this.active.locator('.CodeMirror').first();
    this.headersEditor = this.active.locator('.CodeMirror').nth(1);
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
    await page.waitForFunction(hasSchema, await ide.queryEditor.elementHandle());
    return ide;
  }

  /** Opens a new tab. */
  async newTab() {
    await this.tabs.locator('svg').last().click();
    await this.tabs.getByText('New Tab', { exact: true }).last().waitFor();
  }

  /**
   * Selects a tab.
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
    const text = await valueOf(this.queryEditor);
    const changed = text.replace(
      new RegExp(`("${name}": )("[^"]*"|true|false)`),
      `$1${toJson(value)}`,
    );
    assert.ok(changed.includes(`"${name}": ${toJson(value)}`));
    await this.write(this.queryEditor, changed);
  }

  /** Opens the pane with the HTTP headers. */
  async openHeaders() {
    if (!(await this.headersEditor.isVisible()))
      await this.active.getByText('HTTP Headers').click();
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
    await this.page.keyboard.press('ControlOrMeta+Shift+End'); // typing would open the hints
    await this.page.keyboard.insertText(text);
    await this.page.keyboard.press('ControlOrMeta+Home');
    assert.equal(await valueOf(editor), text);
  }

  /** Presses Play. */
  async play() {
    await this.active.getByTitle('Execute Query').click();
  }

  /**
   * Waits until the response contains a text.
   *
   * @param {string} text
   */
  async waitForText(text) {
    await this.page.waitForFunction(containsText, {
      editor: await this.response.elementHandle(),
      text,
    });
  }

  /** Asserts that Playground has loaded the schema and does not report a connection error. */
  async assertConnected() {
    await this.page.waitForFunction(hasSchema, await this.queryEditor.elementHandle());
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

  /** Runs the query, and returns the body of the response. */
  async run() {
    const received = this.page.waitForResponse((it) => isQuery(it.request()));
    await this.play();
    const body = await (await received).json();
    const text = body.errors?.[0].message ?? JSON.stringify(body.data);
    await this.waitForText(text);
    return body;
  }

  /**
   * Writes a query, runs it, and returns the body of the response.
   *
   * @param {string} query
   */
  async query(query) {
    await this.write(this.queryEditor, query);
    return this.run();
  }
}

/**
 * Returns the value of a setting as JSON.
 *
 * @param {string} value
 */
function toJson(value) {
  return /^(true|false)$/.test(value) ? value : JSON.stringify(value);
}

/**
 * Returns whether a request is the query in the editor. The introspection query and the query of
 * the banner, which has no variables, are not.
 *
 * @param {import('playwright-core').Request} request
 */
function isQuery(request) {
  if (new URL(request.url()).pathname !== '/api' || request.method() !== 'POST') return false;
  const { operationName, variables } = request.postDataJSON();
  return variables !== undefined && operationName !== 'IntrospectionQuery';
}

/**
 * Returns whether an editor has the schema.
 *
 * @param {unknown} editor
 */
function hasSchema(editor) {
  return !!(/** @type {EditorElement} */ (editor).CodeMirror.options.hintOptions?.schema);
}

/**
 * Returns whether an editor contains a text. White space is ignored.
 *
 * @param {{ editor: unknown, text: string }} expected
 */
function containsText({ editor, text }) {
  const withoutSpace = (/** @type {string} */ it) => it.replace(/\s/g, '');
  return withoutSpace(/** @type {EditorElement} */ (editor).CodeMirror.getValue()).includes(
    withoutSpace(text),
  );
}

/**
 * Returns the text in an editor.
 *
 * @param {Locator} editor
 */
export function valueOf(editor) {
  return editor.evaluate((it) =>
    /** @type {EditorElement} */ (/** @type {unknown} */ (it)).CodeMirror.getValue(),
  );
}
