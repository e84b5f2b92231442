/** What axe says of a page. */

import assert from 'node:assert/strict';

import axe from 'axe-core';

/** @typedef {import('playwright-core').Page} Page */

const COLOURS = /** @type {const} */ (['light', 'dark']);

/**
 * Asserts that everybody can use what the page shows, in both colour schemes.
 *
 * @param {Page} page
 * @param {string} [within] The part that is ours, where it is not the whole page.
 */
export async function isAccessible(page, within = 'html') {
  for (const colorScheme of COLOURS) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await violations(page, within), [], `in ${colorScheme} colours at ${page.url()}`);
  }
  await page.emulateMedia({ colorScheme: null });
}

/**
 * What is wrong, a line for each.
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
  return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(', ')}`);
}
