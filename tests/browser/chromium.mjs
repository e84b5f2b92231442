/** Debian's Chromium, as Playwright drives it. */

import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--headless=new',
  '--no-sandbox', // there is none for root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts a browser, quiet on the network but for the pages that it is sent to. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.ARM_CHROMIUM,
    headless: false, // Playwright's own way differs from Chromium's new one
    args: ARGUMENTS,
  });
}
