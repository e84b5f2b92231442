/** Tokens are shown on the screen but not stored. */

import assert from 'node:assert/strict';

import { Modal } from './modal.mjs';
import { browserTest, logIn } from './setup.mjs';

/**
 * Returns everything that the page contains and the browser stores, as text.
 *
 * @param {import('playwright-core').Page} page
 */
function pageContents(page) {
  return page.evaluate(async () => {
    const fields = [...document.querySelectorAll('input, textarea')];
    const values = fields.map((it) => /** @type {HTMLInputElement} */ (it).value);
    const databases = await indexedDB.databases();
    const stored = {
      ...localStorage,
      ...sessionStorage,
      state: history.state,
      caches: await caches.keys(),
      databases,
    };
    const { outerHTML } = document.documentElement;
    return [outerHTML, ...values, location.href, document.cookie, JSON.stringify(stored)].join(
      '\n',
    );
  });
}

browserTest('closing the dialog removes the token from the page', async (fixture) => {
  await logIn(fixture);
  const addresses = /** @type {string[]} */ ([]);
  fixture.context.on('request', (request) => addresses.push(request.url()));
  const modal = await Modal.open(fixture.page);
  const token = await modal.create();
  assert.ok(
    (await pageContents(fixture.page)).includes(token),
    'the test does not find the token while it is shown',
  );
  await modal.confirmAndClose();

  for (const part of token.split('.').slice(1)) {
    assert.ok(!(await pageContents(fixture.page)).includes(part));
    assert.ok(!addresses.join('\n').includes(part));
  }
});

browserTest('the dialog does not show the token when it is opened again', async (fixture) => {
  await logIn(fixture);
  const modal = await Modal.open(fixture.page);
  const token = await modal.create();
  await modal.confirmAndClose();
  await Modal.open(fixture.page);

  await modal.waitForState('active');
  assert.ok(!(await pageContents(fixture.page)).includes(token));
  assert.equal(await modal.token.isVisible(), false);
});

browserTest('going back to the page does not show the token', async (fixture) => {
  const { page, url } = fixture;
  await logIn(fixture);
  const modal = await Modal.open(page);
  const token = await modal.create();
  await modal.stored.check();
  await page.goto(`${url}/no/such/page`);
  await page.goBack();

  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.ok(!(await pageContents(page)).includes(token));
});

browserTest('the response with the token is not cached', async (fixture) => {
  await logIn(fixture);
  const modal = await Modal.open(fixture.page);
  const received = fixture.page.waitForResponse((it) => it.url().endsWith('/api'));
  await modal.proceed.click();

  assert.equal(await (await received).headerValue('cache-control'), 'no-store');
});
