/** What a story in the browser starts with: the product, a person's browser, and a witness. */

import { after, test } from 'node:test';

import { Server } from '../tools/server.mjs';
import { launch } from './chromium.mjs';
import { Witness } from './witness.mjs';

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').BrowserContext} BrowserContext
 * @typedef {import('playwright-core').BrowserContextOptions} ContextOptions
 * @typedef {import('playwright-core').Page} Page
 *
 * @typedef {object} Given
 * @property {Server} server
 * @property {string} url Where the product listens.
 * @property {BrowserContext} context
 * @property {Page} page
 * @property {(origin: string) => void} allow Lets requests go to one more origin.
 *
 * @typedef {object} Options
 * @property {ContextOptions} [context] The browser's screen, language, time zone, colours.
 * @property {string[]} [server] More of the server's command line.
 * @property {string[]} [origins] Where requests may go to, besides the product.
 * @property {number} [at] At which instant it plays, in milliseconds.
 */

/** Long enough for a machine that is busy with something else; nothing waits for it. */
const PATIENCE = 30_000;

/** A laptop's window, in which the screenshots are made too. */
const WINDOW = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1, locale: 'en-GB', timezoneId: 'UTC' };

/** @type {Promise<Browser> | undefined} */
let browser;

after(async () => (await browser)?.close());

/**
 * A story with a server and a browser profile of its own. It fails, too, when a page throws, when
 * a policy stops something, and when a request goes elsewhere than to the product.
 *
 * @param {string} name
 * @param {(given: Given) => Promise<void>} tell
 * @param {Options} [options]
 */
export function story(name, tell, options = {}) {
  test(name, async () => {
    const server = await Server.start(...(options.server ?? []));
    try {
      await play(server, tell, options);
    } catch (error) {
      if (error instanceof Error) error.stack += `\nThe server's log:\n${server.log.join('\n')}`;
      throw error;
    } finally {
      server.stop();
    }
  });
}

/**
 * @param {Server} server
 * @param {(given: Given) => Promise<void>} tell
 * @param {Options} options
 */
async function play(server, tell, { context: wishes = {}, origins = [], at }) {
  browser ??= launch();
  const context = await (await browser).newContext({ ...WINDOW, ...wishes });
  context.setDefaultTimeout(PATIENCE);
  try {
    const allowed = [server.url, ...origins];
    const witness = new Witness(context, allowed);
    await Witness.report(context);
    const page = await context.newPage();
    if (at !== undefined) {
      await server.moveTo(at);
      await page.clock.install({ time: at });
    }
    await tell({ server, url: server.url, context, page, allow: (origin) => allowed.push(origin) });
    witness.acquit();
  } finally {
    await context.close();
  }
}

/**
 * Lets time pass, for the server and for the browser. The story must say at which instant it plays.
 *
 * @param {Given} given
 * @param {number} seconds
 */
export async function pass({ server, page }, seconds) {
  await server.advance(seconds);
  await page.clock.fastForward(seconds * 1000);
}

/**
 * Logs somebody in, and opens their home page.
 *
 * @param {Given} given
 * @param {string} [email]
 */
export async function logIn({ context, page, url }, email = 'hacker@demo.test') {
  await context.request.post(`${url}/login/development`, { headers: { Origin: url }, form: { email } });
  await page.goto(`${url}/home`);
}

/**
 * Logs in as a person does it, from the login page until one is home.
 *
 * @param {Page} page
 * @param {string} [email]
 */
export async function signIn(page, email = 'hacker@demo.test') {
  await page.getByRole('link', { name: /development/i }).click();
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL('**/home');
}
