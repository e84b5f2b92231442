/** Watches a browser during a story: what no page of ours may ever do. */

import assert from 'node:assert/strict';

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

/** What Chromium itself says of a status that a story may well have asked for. */
const TOLD_BY_STATUS = /^Failed to load resource: (the server responded with a status|net::ERR_)/;

/** Notes what a browser's pages do wrong. */
export class Witness {
  /** @type {string[]} */
  #faults = [];

  /**
   * @param {BrowserContext} context
   * @param {string[]} origins Where requests may go to.
   */
  constructor(context, origins) {
    context.on('request', (request) => this.#sent(new URL(request.url()), origins));
    context.on('weberror', (fault) => this.#faults.push(`an exception: ${fault.error().stack}`));
    context.on('console', (message) => {
      if (message.type() === 'error' && !TOLD_BY_STATUS.test(message.text())) {
        this.#faults.push(`on the console: ${message.text()}`);
      }
    });
  }

  /**
   * Lets the browser report what a policy has stopped.
   *
   * @param {BrowserContext} context
   */
  static async report(context) {
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) =>
        console.error(`violates ${violatedDirective}: ${blockedURI} in ${sourceFile}`),
      );
    });
  }

  /** Asserts that nothing was noted: no exception, no violation, no request elsewhere. */
  acquit() {
    assert.deepEqual(this.#faults, []);
  }

  /**
   * @param {URL} url
   * @param {string[]} origins
   */
  #sent({ protocol, origin, href }, origins) {
    if (protocol.startsWith('http') && !origins.includes(origin)) this.#faults.push(`a request to ${href}`);
  }
}
