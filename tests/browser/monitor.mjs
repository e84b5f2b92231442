/** Detects faults that no test expects. */

import assert from 'node:assert/strict';

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

/** Chromium's message about a failed request, which a test may expect. */
const EXPECTED = /^Failed to load resource: (the server responded with a status|net::ERR_)/;

/** Collects the faults of all pages in a browser. */
export class PageMonitor {
  /** @type {string[]} */
  #faults = [];

  /**
   * @param {BrowserContext} context
   * @param {string[]} origins The origins that requests may go to.
   */
  constructor(context, origins) {
    context.on('request', (request) => this.#checkRequest(new URL(request.url()), origins));
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
  static async reportViolations(context) {
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) =>
        console.error(`violates ${violatedDirective}: ${blockedURI} in ${sourceFile}`),
      );
    });
  }

  /** Asserts that there were no exceptions, violations, or requests to other origins. */
  assertNoFaults() {
    assert.deepEqual(this.#faults, []);
  }

  /**
   * @param {URL} url
   * @param {string[]} origins
   */
  #checkRequest({ protocol, origin, href }, origins) {
    if (protocol.startsWith('http') && !origins.includes(origin))
      this.#faults.push(`a request to ${href}`);
  }
}
