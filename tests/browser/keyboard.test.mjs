/** All without a mouse, and all on a small screen. */

import assert from 'node:assert/strict';

import { isAccessible } from './accessibility.mjs';
import { Modal, askWith } from './modal.mjs';
import { screenshot } from './screenshots.mjs';
import { logIn, story } from './story.mjs';

/** @typedef {import('playwright-core').Page} Page */

const NOON = Date.UTC(2027, 0, 15, 12);
const TELEPHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/**
 * Presses Tab until something has the focus, and the focus can be seen.
 *
 * @param {Page} page
 * @param {import('playwright-core').Locator} wanted
 */
async function tabTo(page, wanted) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((it) => it === document.activeElement)) {
      assert.ok(await wanted.evaluate((it) => it.matches(':focus-visible')));
      return;
    }
  }
  throw new Error(`Tab does not lead to ${wanted}`);
}

story('from the login to the token, and out again, without a mouse', async ({ page, url }) => {
  const { keyboard } = page;
  await page.goto(url);
  await tabTo(page, page.getByRole('link', { name: /development/i }));
  await keyboard.press('Enter');
  await page.getByLabel('E-mail address').waitFor();
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type('hacker@demo.test');
  await keyboard.press('Enter');
  await page.waitForURL('**/home');

  await tabTo(page, page.getByRole('navigation').getByRole('button', { name: 'API', exact: true }));
  await keyboard.press('Enter');
  const modal = new Modal(page);
  await modal.is('none');
  await tabTo(page, modal.dialog.getByLabel('90 days'));
  await keyboard.press('ArrowRight');
  assert.equal(await modal.date.inputValue(), '2027-07-16');
  await tabTo(page, modal.date);
  await keyboard.press('ArrowDown'); // a month, or a day: browsers differ in what comes first
  assert.match(await modal.date.inputValue(), /^2027-0(6-16|7-15)$/);
  await tabTo(page, modal.proceed);
  await keyboard.press('Enter');
  await modal.is('created');
  const token = await modal.token.inputValue();

  await keyboard.press('Escape');
  assert.ok(await modal.stored.evaluate((it) => it === document.activeElement), 'what is to be done has no focus');
  await keyboard.press('Space');
  await keyboard.press('Escape');
  await modal.dialog.waitFor({ state: 'hidden' });
  const api = page.getByRole('navigation').getByRole('button', { name: 'API', exact: true });
  assert.ok(await api.evaluate((it) => it === document.activeElement), 'the focus is not where it was');
  assert.equal(await askWith(url, token), 'hacker@demo.test');

  await tabTo(page, page.getByRole('button', { name: 'Log out' }));
  await keyboard.press('Enter');
  await page.getByText('You are logged out').waitFor();
}, { at: NOON });

story('the focus does not leave the open window', async (given) => {
  await logIn(given);
  await Modal.open(given.page);
  for (let presses = 0; presses < 20; presses += 1) {
    await given.page.keyboard.press('Tab');
    const isOutside = await given.page.evaluate(() => document.activeElement?.matches('nav *, main *'));
    assert.ok(!isOutside, `after ${presses} presses`);
  }
});

story('from the menu to the token on the screen of a telephone', async (given) => {
  const { page } = given;
  await logIn(given);
  await page.getByRole('button', { name: 'Menu' }).tap();
  await isAccessible(page);
  await screenshot(page, '13-menu-narrow');
  const modal = await Modal.open(page);
  await fits(page);
  await modal.create();
  await fits(page);
  await isAccessible(page);
  await screenshot(page, '14-access-token-narrow');
  await modal.leave();
}, { at: NOON, context: TELEPHONE });

/**
 * Asserts that one need not scroll sideways.
 *
 * @param {Page} page
 */
async function fits(page) {
  const widths = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('dialog[open]')].map((it) => it.scrollWidth),
  );
  for (const width of widths) assert.ok(width <= TELEPHONE.viewport.width, `it is ${width} wide`);
}
