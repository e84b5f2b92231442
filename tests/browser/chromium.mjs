/**
 * Starts Debian's Chromium with Playwright.
 *
 * With faketime, its threads keep both processors busy and each page takes half a minute. So it
 * starts without faketime, and an init script moves the date of its pages.
 */

import { execFileSync } from 'node:child_process';

import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox', // the sandbox does not work for root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The environment without faketime. */
const { LD_PRELOAD: _, ...REAL_TIME } = process.env;

/** Starts a browser that sends no requests of its own. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.ARM_CHROMIUM,
    env: REAL_TIME,
    headless: false, // `--headless=new` above: Playwright would use another mode
    args: ARGUMENTS,
  });
}

/**
 * Gives the pages of a context the date of this process, which faketime may have moved.
 *
 * @param {import('playwright-core').BrowserContext} context
 */
export async function moveDate(context) {
  const ahead = Date.now() - Number(execFileSync('date', ['+%s%3N'], { env: REAL_TIME }));
  await context.addInitScript((milliseconds) => {
    globalThis.Date = new Proxy(Date, {
      construct: (real, values) =>
        Reflect.construct(real, values.length === 0 ? [real.now() + milliseconds] : values),
      get: (real, name) =>
        name === 'now' ? () => real.now() + milliseconds : Reflect.get(real, name),
    });
  }, ahead);
}
