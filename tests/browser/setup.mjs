/** The setup of browser tests: a server, a browser, and a monitor for faults. */

import { after, test } from 'node:test';

import { Server } from '../tools/server.mjs';
import { launch, moveDate } from './chromium.mjs';
import { PageMonitor } from './monitor.mjs';

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').BrowserContext} BrowserContext
 * @typedef {import('playwright-core').BrowserContextOptions} ContextOptions
 * @typedef {import('playwright-core').Page} Page
 *
 * @typedef {object} Fixture
 * @property {Server} server
 * @property {string} url The address of the server.
 * @property {BrowserContext} context
 * @property {Page} page
 * @property {(origin: string) => void} allow Allows requests to another origin.
 *
 * @typedef {object} Options
 * @property {ContextOptions} [context] Options of the browser, such as the time zone.
 * @property {string[]} [server] Additional arguments of the server.
 * @property {string[]} [origins] Other origins that requests may go to.
 * @property {number} [at] The time at the start of the test, in milliseconds.
 */

/** The timeout of each step, which is long enough for a slow machine. */
const TIMEOUT = 30_000;

/** The default options, with the screen of a laptop. */
const CONTEXT = {
  viewport: { width: 1280, height: 800 },
  deviceScaleFactor: 1,
  locale: 'en-GB',
  timezoneId: 'UTC',
};

/** @type {Promise<Browser> | undefined} */
let browser;

after(async () => (await browser)?.close());

/**
 * Runs a test with its own server and browser profile. It also fails if a page throws an exception,
 * violates the content security policy, or sends a request to another origin.
 *
 * @param {string} name
 * @param {(fixture: Fixture) => Promise<void>} run
 * @param {Options} [options]
 */
export function browserTest(name, run, options = {}) {
  test(name, async () => {
    const server = await Server.start(...(options.server ?? []));
    try {
      await runWithServer(server, run, options);
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
 * @param {(fixture: Fixture) => Promise<void>} run
 * @param {Options} options
 */
async function runWithServer(server, run, { context: contextOptions = {}, origins = [], at }) {
  browser ??= launch();
  const context = await (await browser).newContext({ ...CONTEXT, ...contextOptions });
  context.setDefaultTimeout(TIMEOUT);
  if (process.env.FAKETIME) await moveDate(context);
  try {
    const allowed = [server.url, ...origins];
    const monitor = new PageMonitor(context, allowed);
    await PageMonitor.reportViolations(context);
    const page = await context.newPage();
    if (at !== undefined) {
      await server.moveTo(at);
      await page.clock.install({ time: at });
    }
    await run({ server, url: server.url, context, page, allow: (origin) => allowed.push(origin) });
    monitor.assertNoFaults();
  } finally {
    await context.close();
  }
}

/**
 * Advances the clocks of the server and the browser. Requires the option `at`.
 *
 * @param {Fixture} fixture
 * @param {number} seconds
 */
export async function advanceClocks({ server, page }, seconds) {
  await server.advance(seconds);
  await page.clock.fastForward(seconds * 1000);
}

/**
 * Logs in without the login page, and opens the home page.
 *
 * @param {Fixture} fixture
 * @param {string} [email]
 */
export async function logIn({ context, page, url }, email = 'hacker@demo.test') {
  await context.request.post(`${url}/login/development`, {
    headers: { Origin: url },
    form: { email },
  });
  await page.goto(`${url}/home`);
}

/**
 * Logs in on the login page.
 *
 * @param {Page} page
 * @param {string} [email]
 */
export async function logInOnPage(page, email = 'hacker@demo.test') {
  await page.getByRole('link', { name: /development/i }).click();
  await page.getByLabel('Email address').fill(email);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL('**/home');
}
