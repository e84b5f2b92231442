/** Runs a story: with a server, a browser, and a witness. */

import { after, test } from 'node:test';

import { Server } from '../tools/server.mjs';
import { launch, moveDate } from './chromium.mjs';
import { Witness } from './witness.mjs';

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').BrowserContext} BrowserContext
 * @typedef {import('playwright-core').BrowserContextOptions} ContextOptions
 * @typedef {import('playwright-core').Page} Page
 *
 * @typedef {object} Given
 * @property {Server} server
 * @property {string} url The address of the server.
 * @property {BrowserContext} context
 * @property {Page} page
 * @property {(origin: string) => void} allow Allows requests to another origin.
 *
 * @typedef {object} Options
 * @property {ContextOptions} [context] Screen, language, time zone, colours and so on.
 * @property {string[]} [server] Additional arguments of the server.
 * @property {string[]} [origins] Other origins that requests may go to.
 * @property {number} [at] The time at the start of the story, in milliseconds.
 */

/** The time limit of each step, also for a slow machine. */
const TIMEOUT = 30_000;

/** The window of a laptop, also for the screenshots. */
const WINDOW = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1, locale: 'en-GB', timezoneId: 'UTC' };

/** @type {Promise<Browser> | undefined} */
let browser;

after(async () => (await browser)?.close());

/**
 * Runs a story with its own server and browser profile. It also fails if a page throws an
 * exception, violates a content security policy, or sends a request to another origin.
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
  context.setDefaultTimeout(TIMEOUT);
  if (process.env.FAKETIME) await moveDate(context);
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
 * Advances the clocks of the server and the browser. The story must have the option `at`.
 *
 * @param {Given} given
 * @param {number} seconds
 */
export async function pass({ server, page }, seconds) {
  await server.advance(seconds);
  await page.clock.fastForward(seconds * 1000);
}

/**
 * Logs a user in, and opens the home page.
 *
 * @param {Given} given
 * @param {string} [email]
 */
export async function logIn({ context, page, url }, email = 'hacker@demo.test') {
  await context.request.post(`${url}/login/development`, { headers: { Origin: url }, form: { email } });
  await page.goto(`${url}/home`);
}

/**
 * Logs in from the login page.
 *
 * @param {Page} page
 * @param {string} [email]
 */
export async function signIn(page, email = 'hacker@demo.test') {
  await page.getByRole('link', { name: /development/i }).click();
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL('**/home');
}
