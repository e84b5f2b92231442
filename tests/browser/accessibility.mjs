/** Checks accessibility with axe. */

import assert from 'node:assert/strict';

import axe from 'axe-core';

/** @typedef {import('playwright-core').Page} Page */

const COLOR_SCHEMES = /** @type {const} */ (['light', 'dark']);

/**
 * Asserts that the page is accessible in both colour schemes.
 *
 * @param {Page} page
 * @param {string} [within] Selects the part to check. Default: the whole page.
 */
export async function assertAccessible(page, within = 'html') {
  for (const colorScheme of COLOR_SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(
      await violations(page, within),
      [],
      `in the ${colorScheme} color scheme at ${page.url()}`,
    );
  }
  await page.emulateMedia({ colorScheme: null });
}

/**
 * Returns the violations, one line each.
 *
 * @param {Page} page
 * @param {string} within
 * @returns {Promise<string[]>}
 */
async function violations(page, within) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async (part) => {
    const { axe } = /** @type {{ axe: import('axe-core') }} */ (/** @type {unknown} */ (window));
    return (await axe.run(part, { resultTypes: ['violations'] })).violations;
  }, within);
  return found.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(', ')}`,
  );
}
