/** Use without a mouse, and on small screens. */

import assert from 'node:assert/strict';

import { assertAccessible } from './accessibility.mjs';
import { Modal, queryWithToken } from './modal.mjs';
import { screenshot } from './screenshots.mjs';
import { browserTest, logIn } from './setup.mjs';

/** @typedef {import('playwright-core').Page} Page */

const NOON = Date.UTC(2027, 0, 15, 12);
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/**
 * Presses Tab until an element has the focus, and asserts that the focus is visible.
 *
 * @param {Page} page
 * @param {import('playwright-core').Locator} target
 */
async function tabTo(page, target) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((it) => it === document.activeElement)) {
      assert.ok(await target.evaluate((it) => it.matches(':focus-visible')));
      return;
    }
  }
  throw new Error(`Tab does not reach ${target}`);
}

browserTest(
  'logging in, creating a token and logging out work without a mouse',
  async ({ page, url }) => {
    const { keyboard } = page;
    await page.goto(url);
    await tabTo(page, page.getByRole('link', { name: /development/i }));
    await keyboard.press('Enter');
    await page.getByLabel('Email address').waitFor();
    await keyboard.press('ControlOrMeta+a');
    await keyboard.type('hacker@demo.test');
    await keyboard.press('Enter');
    await page.waitForURL('**/home');

    await tabTo(
      page,
      page.getByRole('navigation').getByRole('button', { name: 'API', exact: true }),
    );
    await keyboard.press('Enter');
    const modal = new Modal(page);
    await modal.waitForState('none');
    await tabTo(page, modal.dialog.getByLabel('90 days'));
    await keyboard.press('ArrowRight');
    assert.equal(await modal.date.inputValue(), '2027-07-16');
    await tabTo(page, modal.date);
    await keyboard.press('ArrowDown'); // the month or the day: browsers differ in which comes first
    assert.match(await modal.date.inputValue(), /^2027-0(6-16|7-15)$/);
    await tabTo(page, modal.proceed);
    await keyboard.press('Enter');
    await modal.waitForState('created');
    const token = await modal.token.inputValue();

    await keyboard.press('Escape');
    assert.ok(
      await modal.stored.evaluate((it) => it === document.activeElement),
      'the checkbox is not focused',
    );
    await keyboard.press('Space');
    await keyboard.press('Escape');
    await modal.dialog.waitFor({ state: 'hidden' });
    const api = page.getByRole('navigation').getByRole('button', { name: 'API', exact: true });
    assert.ok(
      await api.evaluate((it) => it === document.activeElement),
      'the focus did not return to the button',
    );
    assert.equal(await queryWithToken(url, token), 'hacker@demo.test');

    await tabTo(page, page.getByRole('button', { name: 'Log out' }));
    await keyboard.press('Enter');
    await page.getByText('You are logged out').waitFor();
  },
  { at: NOON },
);

browserTest('the focus does not leave the open dialog', async (fixture) => {
  await logIn(fixture);
  await Modal.open(fixture.page);
  for (let presses = 0; presses < 20; presses += 1) {
    await fixture.page.keyboard.press('Tab');
    const isOutside = await fixture.page.evaluate(() =>
      document.activeElement?.matches('nav *, main *'),
    );
    assert.ok(!isOutside, `after ${presses} presses`);
  }
});

browserTest(
  'creating a token works on a phone',
  async (fixture) => {
    const { page } = fixture;
    await logIn(fixture);
    await page.getByRole('button', { name: 'Menu' }).tap();
    await assertAccessible(page);
    await screenshot(page, '13-menu-narrow');
    await page.keyboard.press('Escape');
    const modal = await Modal.open(page);
    await assertFitsWidth(page);
    await modal.create();
    await assertFitsWidth(page);
    await assertAccessible(page);
    await screenshot(page, '14-access-token-narrow');
    await modal.confirmAndClose();
  },
  { at: NOON, context: PHONE },
);

for (const [zoom, viewport] of /** @type {const} */ ([
  ['200 %', { width: 640, height: 400 }],
  ['400 %', { width: 320, height: 256 }],
])) {
  browserTest(
    `at ${zoom} the focus does not scroll a warning out of view`,
    async (fixture) => {
      const { page } = fixture;
      await logIn(fixture);
      const modal = await Modal.open(page);
      await modal.create();
      await assertInView(modal.dialog.getByText('Please save this access token'));
      await modal.confirmAndClose();

      await Modal.open(page);
      await modal.dialog.getByRole('button', { name: 'Replace' }).click();
      await assertInView(modal.dialog.getByText('stops working immediately'));
      await modal.dialog.getByRole('button', { name: 'Keep current token' }).click();
      await modal.revoke.click();
      await assertInView(modal.dialog.getByText('Revoke the token'));
      await fixture.context.setOffline(true);
      await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
      await assertInView(modal.dialog.getByText('The server cannot be reached'));
      await assertFitsWidth(page, viewport.width);
    },
    { at: NOON, context: { viewport } },
  );
}

/**
 * Asserts that an element is completely visible.
 *
 * @param {import('playwright-core').Locator} target
 */
async function assertInView(target) {
  await target.waitFor();
  const isInView = await target.evaluate((it) => {
    const { top, bottom } = it.getBoundingClientRect();
    const middle = document.elementFromPoint(innerWidth / 2, (top + bottom) / 2);
    return top >= 0 && bottom <= innerHeight && !!middle?.closest('dialog');
  });
  assert.ok(isInView, `${await target.innerText()} is not in view`);
}

browserTest(
  'the menu on a phone is modal, and Escape closes it',
  async (fixture) => {
    const { page } = fixture;
    await logIn(fixture);
    const menu = page.getByRole('button', { name: 'Menu' });
    await menu.tap();
    const panel = page.getByRole('navigation', { name: 'Main' });
    await panel.getByRole('button', { name: 'Close' }).waitFor();
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      const isBehind = await page.evaluate(() =>
        document.activeElement?.matches('main, main *, header.bar *, .skip'),
      );
      assert.ok(!isBehind, `after ${presses} presses`);
    }
    assert.equal(
      await page.evaluate(() => getComputedStyle(document.documentElement).overflow),
      'hidden',
    );

    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    await page.waitForFunction((it) => it === document.activeElement, await menu.elementHandle());
    assert.equal(await page.locator('[inert]').count(), 0);
    await menu.tap();
    await panel.getByRole('button', { name: 'Close' }).tap();
    await panel.waitFor({ state: 'hidden' });
  },
  { context: PHONE },
);

browserTest(
  'a long name without a space does not make the page wider on a phone',
  async (fixture) => {
    const { page } = fixture;
    await logIn(fixture, `${'w'.repeat(64)}@${'long'.repeat(10)}.test`);
    await page.getByRole('heading', { name: 'Hello' }).waitFor();
    await assertFitsWidth(page);
    await page.getByRole('button', { name: 'Menu' }).tap();
    await assertFitsWidth(page);
  },
  { context: PHONE },
);

browserTest('forced colours show the current page and the chosen preset', async (fixture) => {
  const { page } = fixture;
  await page.emulateMedia({ forcedColors: 'active' });
  await logIn(fixture);
  const border = (/** @type {import('playwright-core').Locator} */ it) =>
    it.evaluate((element) => getComputedStyle(element).border);
  const items = page.getByRole('navigation').getByRole('link');
  assert.notEqual(
    await border(items.filter({ hasText: 'Home' })),
    await border(items.filter({ hasText: 'GraphQL IDE' })),
  );

  const { dialog } = await Modal.open(page);
  assert.notEqual(
    await border(dialog.getByText('90 days')),
    await border(dialog.getByText('30 days')),
  );
});

/**
 * Asserts that the page does not scroll sideways.
 *
 * @param {Page} page
 */
async function assertFitsWidth(page, width = PHONE.viewport.width) {
  const widths = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('dialog[open]')].map(
      (it) => it.scrollWidth,
    ),
  );
  for (const it of widths) assert.ok(it <= width, `it is ${it} pixels wide`);
}
