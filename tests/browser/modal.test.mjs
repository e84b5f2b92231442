/** The states and actions of the API token dialog. */

import assert from 'node:assert/strict';

import { assertAccessible } from './accessibility.mjs';
import { Modal, createToken, queryWithToken } from './modal.mjs';
import { advanceClocks, browserTest, logIn, logInOnPage } from './setup.mjs';

/** @typedef {import('./setup.mjs').Fixture} Fixture */

const NOON = Date.UTC(2027, 0, 15, 12);
const SESSION_LIFETIME = 40 * 60;
const DAY = 86_400;

/**
 * Logs in and opens the dialog. If `seconds` is set, creates a token with that lifetime first.
 *
 * @param {Fixture} fixture
 * @param {number} [seconds]
 */
async function openModal(fixture, seconds) {
  await logIn(fixture);
  const token = seconds ? await createToken(fixture, seconds) : '';
  return { modal: await Modal.open(fixture.page), token };
}

browserTest(
  'none: without a token the form is shown, with 90 days preset',
  async (fixture) => {
    const { modal } = await openModal(fixture);

    await modal.waitForState('none');
    assert.equal(await modal.date.inputValue(), '2027-04-15');
    await modal.dialog.getByText('2027-04-15 23:59:59 UTC').waitFor();
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  'each preset sets the date, and another date is custom',
  async (fixture) => {
    const { modal } = await openModal(fixture);

    for (const [name, date] of [
      ['7 days', '2027-01-22'],
      ['30 days', '2027-02-14'],
      ['6 months', '2027-07-16'],
    ]) {
      await modal.selectLifetime(String(name));
      assert.equal(await modal.date.inputValue(), date);
    }
    await modal.date.fill('2027-03-03');
    assert.ok(await modal.dialog.getByLabel('Custom').isChecked());
  },
  { at: NOON },
);

browserTest(
  'a date is required, must be in the future, and must be below six months',
  async (fixture) => {
    const { modal } = await openModal(fixture);

    for (const [date, message] of [
      ['', 'Required field'],
      ['2027-01-14', 'Invalid date'],
      ['2027-07-17', 'The date must be below six months'],
      ['9999-12-31', 'The date must be below six months'],
    ]) {
      await modal.date.fill(String(date));
      await modal.proceed.click();
      assert.equal(
        await modal.dialog.getByRole('alert').filter({ visible: true }).innerText(),
        message,
      );
      assert.equal(await modal.date.getAttribute('aria-invalid'), 'true');
    }
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  'active: the token is shown with its creation, last use and expiration',
  async (fixture) => {
    const { modal, token } = await openModal(fixture, 90 * DAY);

    await modal.waitForState('active');
    const text = await modal.dialog.innerText();
    for (const expected of ['default', 'Active', 'never used', '15 Jan 2027', '15 Apr 2027']) {
      assert.ok(text.includes(expected), `${expected}: ${text}`);
    }
    await assertAccessible(fixture.page);

    await queryWithToken(fixture.url, token);
    await modal.close.click();
    assert.doesNotMatch(await (await Modal.open(fixture.page)).dialog.innerText(), /never used/);
  },
  { at: NOON },
);

browserTest(
  'expiring: a token that expires within a week says so in words',
  async (fixture) => {
    const { modal } = await openModal(fixture, 3 * DAY + 3600);

    await modal.waitForState('expiring');
    await modal.dialog.getByText('Expires in 3 days').waitFor();
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  'expired: the dialog says that the token has expired',
  async (fixture) => {
    await logIn(fixture);
    await createToken(fixture, 30 * 60);
    await advanceClocks(fixture, 30 * 60);
    const modal = await Modal.open(fixture.page);

    await modal.waitForState('expired');
    await modal.dialog.getByText('Your token has expired.').waitFor();
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  'revoked: after a question with the last use, the token stops working immediately',
  async (fixture) => {
    const { modal, token } = await openModal(fixture, 90 * DAY);
    await modal.revoke.click();
    await modal.dialog.getByText('It was never used.').waitFor();
    assert.match(await modal.dialog.innerText(), /default/);
    await assertAccessible(fixture.page);
    await modal.dialog.getByRole('button', { name: 'Keep current token' }).click();
    assert.equal(await queryWithToken(fixture.url, token), 'hacker@demo.test');

    await modal.revoke.click();
    await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
    await modal.waitForState('revoked');
    assert.equal(await queryWithToken(fixture.url, token), 'TOKEN_REVOKED');
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  'replacing warns first, and then the current token stops working immediately',
  async (fixture) => {
    const { modal, token } = await openModal(fixture, 90 * DAY);
    await modal.dialog.getByRole('button', { name: 'Replace' }).click();
    await modal.dialog.getByText('stops working immediately').waitFor();
    await assertAccessible(fixture.page);

    const replacement = await modal.create();
    assert.equal(await queryWithToken(fixture.url, token), 'TOKEN_REPLACED');
    assert.equal(await queryWithToken(fixture.url, replacement), 'hacker@demo.test');
  },
  { at: NOON },
);

browserTest(
  'pending: buttons are disabled until the response arrives',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    /** @type {() => void} */
    let release = () => {};
    const released = new Promise((resolve) => (release = () => resolve(undefined)));
    await fixture.page.route('**/api', (route) => released.then(() => route.continue()));
    await modal.proceed.click();

    await modal.waitForState('pending');
    assert.ok(await modal.proceed.isDisabled());
    assert.ok(await modal.close.isDisabled());
    await assertAccessible(fixture.page);
    release();
    await modal.waitForState('created');
  },
  { at: NOON },
);

browserTest(
  'created: the token is shown, and the dialog does not close until it is stored',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    const token = await modal.create();

    assert.equal(await queryWithToken(fixture.url, token), 'hacker@demo.test');
    assert.equal(await modal.token.isEditable(), false);
    assert.equal(await modal.token.isEnabled(), true);
    await modal.dialog.getByText('You will not be able to see it again').waitFor();
    for (const leave of [() => modal.close.click(), () => fixture.page.keyboard.press('Escape')]) {
      await leave();
      assert.ok(await modal.dialog.isVisible());
      await modal.dialog.getByText('Copy the token first').waitFor();
    }
    await assertAccessible(fixture.page);
    await modal.confirmAndClose();
  },
  { at: NOON },
);

browserTest(
  'copied: the button copies the token and says so, and the dialog can be closed',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    const token = await modal.create();
    await modal.copy.click();

    await modal.waitForState('copied');
    await modal.dialog.getByText('Copied', { exact: true }).waitFor();
    assert.equal(await fixture.page.evaluate(() => navigator.clipboard.readText()), token);
    await assertAccessible(fixture.page);
    await modal.close.click();
    await modal.dialog.waitFor({ state: 'hidden' });
  },
  { at: NOON, context: { permissions: ['clipboard-read', 'clipboard-write'] } },
);

browserTest(
  'copy-failed: without a clipboard, the token is selected for Ctrl+C',
  async (fixture) => {
    await fixture.context.addInitScript(() =>
      Object.defineProperty(navigator, 'clipboard', { value: undefined }),
    );
    const { modal } = await openModal(fixture);
    const token = await modal.create();
    await modal.copy.click();

    await modal.waitForState('copy-failed');
    assert.equal(await fixture.page.evaluate(() => getSelection()?.toString()), token);
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  "refused: the server's reason is shown, and the entered date stays",
  async (fixture) => {
    const { modal } = await openModal(fixture);
    await modal.selectLifetime('30 days');
    await modal.proceed.click();

    await modal.waitForState('refused');
    await modal.dialog.getByText('Tokens are created on Mondays').waitFor();
    assert.equal(await modal.date.inputValue(), '2027-02-14');
    await assertAccessible(fixture.page);
  },
  { at: NOON, server: ['--token-creation-disabled', 'Tokens are created on Mondays'] },
);

browserTest(
  'refused: the server checks a date that was valid when the page was opened',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    await modal.date.fill('2027-01-15');
    await fixture.server.advance(15 * 60);
    await modal.proceed.click();

    await modal.waitForState('refused');
    await modal.dialog.getByText('The server refused the date.').waitFor();
    assert.equal(await modal.date.getAttribute('min'), '2027-01-16');
    await modal.date.fill('2027-01-16');
    await modal.create();
  },
  { at: Date.UTC(2027, 0, 15, 23, 50) },
);

browserTest(
  'session-ended: the entered date stays, and works after a login in another tab',
  async (fixture) => {
    const { context, page } = fixture;
    const { modal } = await openModal(fixture);
    await modal.selectLifetime('30 days');
    await fixture.server.advance(SESSION_LIFETIME);
    await modal.proceed.click();
    await modal.waitForState('session-ended');
    await assertAccessible(page);

    const [tab] = await Promise.all([
      context.waitForEvent('page'),
      modal.dialog.getByRole('link', { name: 'Log in again' }).click(),
    ]);
    await logInOnPage(tab);
    await page.bringToFront();
    await modal.waitForState('none');
    assert.doesNotMatch(await modal.dialog.innerText(), /session has ended|log in again/i);
    assert.equal(await modal.title.innerText(), 'Update access token');
    assert.equal(await modal.date.inputValue(), '2027-02-14');
    await modal.create();
  },
  { at: NOON },
);

browserTest(
  'no warning is shown while the tokens load',
  async (fixture) => {
    await logIn(fixture);
    /** @type {() => void} */
    let release = () => {};
    const released = new Promise((resolve) => (release = () => resolve(undefined)));
    await fixture.page.route('**/api', (route) => released.then(() => route.continue()));
    await fixture.page
      .getByRole('navigation')
      .getByRole('button', { name: 'API', exact: true })
      .click();
    const modal = new Modal(fixture.page);
    await modal.waitForState('pending');

    await modal.dialog.getByText('Loading your tokens…').waitFor();
    assert.equal(await modal.dialog.locator('.notice').filter({ visible: true }).count(), 0);
    release();
    await modal.waitForState('none');
    assert.equal(await modal.dialog.getByText('stops working immediately').isVisible(), false);
  },
  { at: NOON },
);

for (const [order, first] of /** @type {[string, number][]} */ ([
  ['older', 0],
  ['newer', 1],
])) {
  browserTest(
    `a dialog that is reopened while it loads lists a token once: the ${order} response first`,
    async (fixture) => {
      const { page } = fixture;
      await logIn(fixture);
      await createToken(fixture, 90 * DAY);
      const heldRoutes = /** @type {import('playwright-core').Route[]} */ ([]);
      await page.route('**/api', (route) => void heldRoutes.push(route));
      const button = page.getByRole('navigation').getByRole('button', { name: 'API', exact: true });
      const modal = new Modal(page);
      await Promise.all([page.waitForRequest('**/api'), button.click()]);
      await modal.close.click();
      await modal.dialog.waitFor({ state: 'hidden' });
      await Promise.all([page.waitForRequest('**/api'), button.click()]);

      const respond = async (/** @type {number} */ index) => {
        await Promise.all([
          page.waitForResponse('**/api').then((response) => response.finished()),
          heldRoutes[index]?.continue(),
        ]);
        await page.evaluate(
          () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))),
        );
      };
      await respond(first);
      assert.equal(
        await modal.dialog.getAttribute('data-state'),
        first === 0 ? 'pending' : 'active',
      );
      await respond(1 - first);
      await modal.waitForState('active');
      const listed = modal.dialog.getByRole('list', { name: 'Your tokens' }).getByRole('listitem');
      assert.equal(await listed.count(), 1);
    },
    { at: NOON },
  );
}

browserTest(
  'the title says what the dialog shows',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    assert.equal(await modal.title.innerText(), 'Update access token');
    await modal.create();
    assert.equal(await modal.title.innerText(), 'Your new access token');
    await modal.confirmAndClose();

    await Modal.open(fixture.page);
    assert.equal(await modal.title.innerText(), 'Your access token');
    await modal.dialog.getByRole('button', { name: 'Replace' }).click();
    assert.equal(await modal.title.innerText(), 'Replace access token');
    await modal.dialog.getByRole('button', { name: 'Keep current token' }).click();
    await modal.revoke.click();
    assert.equal(await modal.title.innerText(), 'Revoke access token');

    await fixture.server.fail('error');
    await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
    await modal.waitForState('network-error');
    assert.equal(await modal.title.innerText(), 'Something went wrong');
    await modal.close.or(modal.dialog.getByRole('button', { name: 'Keep current token' })).click();
    await modal.close.click();
    await Modal.open(fixture.page);
    assert.equal(await modal.title.innerText(), 'Your tokens could not be loaded');
    await fixture.server.fail(null);
    await fixture.server.advance(SESSION_LIFETIME);
    await modal.dialog.getByRole('button', { name: 'Retry' }).click();
    await modal.waitForState('session-ended');
    assert.equal(await modal.title.innerText(), 'Your session has ended');
  },
  { at: NOON },
);

browserTest(
  'of many tokens the active one is shown, and earlier ones are listed in pages',
  async (fixture) => {
    await logIn(fixture);
    for (let created = 0; created < 31; created += 1) {
      await createToken(fixture, 90 * DAY);
      await fixture.server.advance(1);
    }
    const modal = await Modal.open(fixture.page);
    const earlier = modal.dialog
      .getByRole('list', { name: 'Earlier tokens' })
      .getByRole('listitem');
    assert.equal(
      await modal.dialog.getByRole('list', { name: 'Your tokens' }).getByRole('listitem').count(),
      1,
    );
    assert.ok((await modal.dialog.boundingBox())?.height ?? 0 < 500, 'the dialog is too tall');

    await modal.dialog.getByText('Earlier tokens').click();
    const counts = [await earlier.count()];
    const more = modal.dialog.getByRole('button', { name: 'Show more' });
    while (await more.isVisible()) {
      await more.click();
      await modal.waitForState('active');
      counts.push(await earlier.count());
    }
    assert.deepEqual(counts, [9, 19, 29, 30]);
    assert.match(await earlier.last().innerText(), /^Replaced/);
    const heights = await earlier.evaluateAll((lines) =>
      lines.map((line) => line.getBoundingClientRect().height),
    );
    assert.ok(Math.max(...heights) <= 48, `a line is ${Math.max(...heights)} pixels high`);
    await assertAccessible(fixture.page);
  },
  { at: NOON },
);

browserTest(
  'the page shows the token from its creation until it is revoked',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    await modal.create();
    await modal.confirmAndClose();
    const message = fixture.page.getByText('You have a token. It expires on 15 Apr');
    await message.waitFor();
    await fixture.page.reload();
    await message.waitFor();

    await fixture.page.getByRole('button', { name: 'Manage your token' }).click();
    await modal.waitForState('active');
    await modal.revoke.click();
    await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
    await modal.waitForState('revoked');
    await modal.close.click();
    await fixture.page.getByRole('button', { name: 'Get an access token' }).waitFor();
    assert.equal(await message.isVisible(), false);
  },
  { at: NOON },
);

browserTest(
  'the page behind the dialog does not scroll',
  async (fixture) => {
    await fixture.page.setViewportSize({ width: 1280, height: 500 });
    await openModal(fixture);
    await fixture.page.mouse.move(20, 400);
    await fixture.page.mouse.wheel(0, 400);
    await fixture.page.evaluate(
      () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))),
    );

    assert.equal(await fixture.page.evaluate(() => scrollY), 0);
    assert.equal(
      await fixture.page.evaluate(() => getComputedStyle(document.documentElement).overflow),
      'hidden',
    );
  },
  { at: NOON },
);

browserTest(
  'a token fills its lines, and no button covers a line of a snippet',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    await modal.create();
    const widths = await modal.dialog
      .locator('[data-part="secret-sample"]')
      .evaluate((it) =>
        [...it.getClientRects()].slice(1, -1).map(({ width }) => Math.round(width)),
      );
    assert.ok(
      widths.length > 1 && Math.max(...widths) - Math.min(...widths) <= 9,
      `the lines are ${widths} pixels wide`,
    );

    for (const name of ['Environment', 'curl', 'Python requests', 'Python gql', 'JavaScript']) {
      await modal.dialog.getByRole('radio', { name }).check();
      const snippet = modal.dialog.locator('.snippet').filter({ visible: true });
      const [whole, text, button] = await Promise.all(
        [snippet, snippet.locator('pre'), snippet.getByRole('button')].map((it) =>
          it.boundingBox(),
        ),
      );
      assert.ok(whole && text && button);
      assert.ok(text.y >= button.y + button.height, `${name}: the button covers the text`);
      assert.equal(text.width, whole.width, `${name}: the text does not reach the edge`);
    }
    await modal.confirmAndClose();
  },
  { at: NOON },
);

browserTest(
  'network-error: the user can retry, and the entered date stays',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    await modal.selectLifetime('30 days');
    await fixture.context.setOffline(true);
    await modal.proceed.click();
    await modal.waitForState('network-error');
    await assertAccessible(fixture.page);

    await fixture.context.setOffline(false);
    await modal.dialog.getByRole('button', { name: 'Retry' }).click();
    await modal.waitForState('created');
  },
  { at: NOON },
);

browserTest(
  'network-error: if the database fails, the request ID is shown and the user can retry',
  async (fixture) => {
    const { modal } = await openModal(fixture);
    await fixture.server.fail('error');
    await modal.proceed.click();
    await modal.waitForState('network-error');
    await modal.dialog.getByText(/Request [0-9A-Z]{26}/).waitFor();

    await fixture.server.fail(null);
    await modal.dialog.getByRole('button', { name: 'Retry' }).click();
    await modal.waitForState('created');
  },
  { at: NOON },
);

browserTest(
  'the address /home#api opens the dialog, and closing it removes #api',
  async (fixture) => {
    await logIn(fixture);
    await fixture.page.goto(`${fixture.url}/home#api`);
    const modal = new Modal(fixture.page);
    await modal.waitForState('none');

    await fixture.page.keyboard.press('Escape');
    await modal.dialog.waitFor({ state: 'hidden' });
    await fixture.page.waitForURL(`${fixture.url}/home`);
  },
);
