/** A token is shown on the screen, and kept nowhere. */

import assert from 'node:assert/strict';

import { Modal } from './modal.mjs';
import { logIn, story } from './story.mjs';

/**
 * Returns everything that the page contains and the browser stores, as text.
 *
 * @param {import('playwright-core').Page} page
 */
function held(page) {
  return page.evaluate(async () => {
    const fields = [...document.querySelectorAll('input, textarea')];
    const values = fields.map((it) => /** @type {HTMLInputElement} */ (it).value);
    const databases = await indexedDB.databases();
    const kept = { ...localStorage, ...sessionStorage, state: history.state, caches: await caches.keys(), databases };
    const { outerHTML } = document.documentElement;
    return [outerHTML, ...values, location.href, document.cookie, JSON.stringify(kept)].join('\n');
  });
}

story('closing the dialog removes the token from the page', async (given) => {
  await logIn(given);
  const addresses = /** @type {string[]} */ ([]);
  given.context.on('request', (request) => addresses.push(request.url()));
  const modal = await Modal.open(given.page);
  const token = await modal.create();
  assert.ok((await held(given.page)).includes(token), 'the test does not find a token that is there');
  await modal.leave();

  for (const part of token.split('.').slice(1)) {
    assert.ok(!(await held(given.page)).includes(part));
    assert.ok(!addresses.join('\n').includes(part));
  }
});

story('the dialog does not show the token when it is opened again', async (given) => {
  await logIn(given);
  const modal = await Modal.open(given.page);
  const token = await modal.create();
  await modal.leave();
  await Modal.open(given.page);

  await modal.is('active');
  assert.ok(!(await held(given.page)).includes(token));
  assert.equal(await modal.token.isVisible(), false);
});

story('going back to the page does not show the token', async (given) => {
  const { page, url } = given;
  await logIn(given);
  const modal = await Modal.open(page);
  const token = await modal.create();
  await modal.stored.check();
  await page.goto(`${url}/no/such/page`);
  await page.goBack();

  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.ok(!(await held(page)).includes(token));
});

story('the answer with the token is not cached', async (given) => {
  await logIn(given);
  const modal = await Modal.open(given.page);
  const answered = given.page.waitForResponse((it) => it.url().endsWith('/api'));
  await modal.proceed.click();

  assert.equal(await (await answered).headerValue('cache-control'), 'no-store');
});
