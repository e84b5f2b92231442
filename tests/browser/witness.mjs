/** Watches a browser for what our pages must never do. */

import assert from 'node:assert/strict';

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

/** Chromium's message about an error status, which a story may expect. */
const EXPECTED = /^Failed to load resource: (the server responded with a status|net::ERR_)/;

/** Collects the faults of the pages in a browser. */
export class Witness {
  /** @type {string[]} */
  #faults = [];

  /**
   * @param {BrowserContext} context
   * @param {string[]} origins The origins that requests may go to.
   */
  constructor(context, origins) {
    context.on('request', (request) => this.#sent(new URL(request.url()), origins));
    context.on('weberror', (fault) => this.#faults.push(`an exception: ${fault.error().stack}`));
    context.on('console', (message) => {
      if (message.type() === 'error' && !EXPECTED.test(message.text())) {
        this.#faults.push(`on the console: ${message.text()}`);
      }
    });
  }

  /**
   * Reports violations of the content security policy on the console.
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

  /** Asserts that there were no exceptions, violations, or requests to other origins. */
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
