/** Starts Debian's Chromium with Playwright. */

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

/** Starts a browser that sends no requests of its own. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.ARM_CHROMIUM,
    headless: false, // `--headless=new` above: Playwright would use another mode
    args: ARGUMENTS,
  });
}
