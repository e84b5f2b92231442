/** The API token dialog: its states and actions. */

import assert from 'node:assert/strict';

import { isAccessible } from './accessibility.mjs';
import { Modal, askWith, makeToken } from './modal.mjs';
import { logIn, pass, signIn, story } from './story.mjs';

/** @typedef {import('./story.mjs').Given} Given */

const NOON = Date.UTC(2027, 0, 15, 12);
const SESSION_LIFETIME = 40 * 60;
const DAY = 86_400;

/**
 * Logs in and opens the dialog. With `seconds`, creates a token with that lifetime before.
 *
 * @param {Given} given
 * @param {number} [seconds]
 */
async function opened(given, seconds) {
  await logIn(given);
  const token = seconds ? await makeToken(given, seconds) : '';
  return { modal: await Modal.open(given.page), token };
}

story('none: without a token the form is shown, with 90 days preset', async (given) => {
  const { modal } = await opened(given);

  await modal.is('none');
  assert.equal(await modal.date.inputValue(), '2027-04-15');
  await modal.dialog.getByText('2027-04-15 23:59:59 UTC').waitFor();
  await isAccessible(given.page);
}, { at: NOON });

story('each preset sets the date, and another date is custom', async (given) => {
  const { modal } = await opened(given);

  for (const [name, date] of [['7 days', '2027-01-22'], ['30 days', '2027-02-14'], ['6 months', '2027-07-16']]) {
    await modal.last(String(name));
    assert.equal(await modal.date.inputValue(), date);
  }
  await modal.date.fill('2027-03-03');
  assert.ok(await modal.dialog.getByLabel('Custom').isChecked());
}, { at: NOON });

story('a date is required, must be in the future, and must be below six months', async (given) => {
  const { modal } = await opened(given);

  for (const [date, message] of [
    ['', 'Required field'],
    ['2027-01-14', 'Invalid date'],
    ['2027-07-17', 'The date must be below six months'],
    ['9999-12-31', 'The date must be below six months'],
  ]) {
    await modal.date.fill(String(date));
    await modal.proceed.click();
    assert.equal(await modal.dialog.getByRole('alert').filter({ visible: true }).innerText(), message);
    assert.equal(await modal.date.getAttribute('aria-invalid'), 'true');
  }
  await isAccessible(given.page);
}, { at: NOON });

story('active: the token is shown with its creation, last use and expiration', async (given) => {
  const { modal, token } = await opened(given, 90 * DAY);

  await modal.is('active');
  const text = await modal.dialog.innerText();
  for (const expected of ['default', 'Active', 'never used', '15 Jan 2027', '15 Apr 2027']) {
    assert.ok(text.includes(expected), `${expected}: ${text}`);
  }
  await isAccessible(given.page);

  await askWith(given.url, token);
  await modal.close.click();
  assert.doesNotMatch(await (await Modal.open(given.page)).dialog.innerText(), /never used/);
}, { at: NOON });

story('expiring: a token that expires within a week says so in words', async (given) => {
  const { modal } = await opened(given, 3 * DAY + 3600);

  await modal.is('expiring');
  await modal.dialog.getByText('Expires in 3 days').waitFor();
  await isAccessible(given.page);
}, { at: NOON });

story('expired: the dialog says that the token has expired', async (given) => {
  await logIn(given);
  await makeToken(given, 30 * 60);
  await pass(given, 30 * 60);
  const modal = await Modal.open(given.page);

  await modal.is('expired');
  await modal.dialog.getByText('Your token has expired.').waitFor();
  await isAccessible(given.page);
}, { at: NOON });

story('revoked: after a question with the last use, the token stops working immediately', async (given) => {
  const { modal, token } = await opened(given, 90 * DAY);
  await modal.revoke.click();
  await modal.dialog.getByText('It was never used.').waitFor();
  assert.match(await modal.dialog.innerText(), /default/);
  await isAccessible(given.page);
  await modal.dialog.getByRole('button', { name: 'Keep current token' }).click();
  assert.equal(await askWith(given.url, token), 'hacker@demo.test');

  await modal.revoke.click();
  await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
  await modal.is('revoked');
  assert.equal(await askWith(given.url, token), 'TOKEN_REVOKED');
  await isAccessible(given.page);
}, { at: NOON });

story('replacing warns first, and then the current token stops working immediately', async (given) => {
  const { modal, token } = await opened(given, 90 * DAY);
  await modal.dialog.getByRole('button', { name: 'Replace' }).click();
  await modal.dialog.getByText('stops working immediately').waitFor();
  await isAccessible(given.page);

  const replacement = await modal.create();
  assert.equal(await askWith(given.url, token), 'TOKEN_REPLACED');
  assert.equal(await askWith(given.url, replacement), 'hacker@demo.test');
}, { at: NOON });

story('pending: buttons are disabled until the answer arrives', async (given) => {
  const { modal } = await opened(given);
  /** @type {() => void} */
  let release = () => {};
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  await given.page.route('**/api', (route) => released.then(() => route.continue()));
  await modal.proceed.click();

  await modal.is('pending');
  assert.ok(await modal.proceed.isDisabled());
  assert.ok(await modal.close.isDisabled());
  await isAccessible(given.page);
  release();
  await modal.is('created');
}, { at: NOON });

story('created: the token is shown, and the dialog does not close until it is stored', async (given) => {
  const { modal } = await opened(given);
  const token = await modal.create();

  assert.equal(await askWith(given.url, token), 'hacker@demo.test');
  assert.equal(await modal.token.isEditable(), false);
  assert.equal(await modal.token.isEnabled(), true);
  await modal.dialog.getByText('You will not be able to see it again').waitFor();
  for (const leave of [() => modal.close.click(), () => given.page.keyboard.press('Escape')]) {
    await leave();
    assert.ok(await modal.dialog.isVisible());
    await modal.dialog.getByText('Copy the token first').waitFor();
  }
  await isAccessible(given.page);
  await modal.leave();
}, { at: NOON });

story('copied: the button copies the token and says so, and the dialog can be closed', async (given) => {
  const { modal } = await opened(given);
  const token = await modal.create();
  await modal.copy.click();

  await modal.is('copied');
  await modal.dialog.getByText('Copied', { exact: true }).waitFor();
  assert.equal(await given.page.evaluate(() => navigator.clipboard.readText()), token);
  await isAccessible(given.page);
  await modal.close.click();
  await modal.dialog.waitFor({ state: 'hidden' });
}, { at: NOON, context: { permissions: ['clipboard-read', 'clipboard-write'] } });

story('copy-failed: without a clipboard, the token is selected for Ctrl+C', async (given) => {
  await given.context.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  const { modal } = await opened(given);
  const token = await modal.create();
  await modal.copy.click();

  await modal.is('copy-failed');
  assert.equal(await given.page.evaluate(() => getSelection()?.toString()), token);
  await isAccessible(given.page);
}, { at: NOON });

story('refused: the server\'s reason is shown, and the entered date stays', async (given) => {
  const { modal } = await opened(given);
  await modal.last('30 days');
  await modal.proceed.click();

  await modal.is('refused');
  await modal.dialog.getByText('Tokens are created on Mondays').waitFor();
  assert.equal(await modal.date.inputValue(), '2027-02-14');
  await isAccessible(given.page);
}, { at: NOON, server: ['--token-creation-disabled', 'Tokens are created on Mondays'] });

story('refused: the server checks a date that was valid when the page was opened', async (given) => {
  const { modal } = await opened(given);
  await modal.date.fill('2027-01-15');
  await given.server.advance(15 * 60);
  await modal.proceed.click();

  await modal.is('refused');
  await modal.dialog.getByText('The server refused the date.').waitFor();
  assert.equal(await modal.date.getAttribute('min'), '2027-01-16');
  await modal.date.fill('2027-01-16');
  await modal.create();
}, { at: Date.UTC(2027, 0, 15, 23, 50) });

story('session-ended: the entered date stays, and works after a login in another tab', async (given) => {
  const { context, page } = given;
  const { modal } = await opened(given);
  await modal.last('30 days');
  await given.server.advance(SESSION_LIFETIME);
  await modal.proceed.click();
  await modal.is('session-ended');
  await isAccessible(page);

  const [tab] = await Promise.all([
    context.waitForEvent('page'),
    modal.dialog.getByRole('link', { name: 'Log in again' }).click(),
  ]);
  await signIn(tab);
  await page.bringToFront();
  await modal.is('none');
  assert.doesNotMatch(await modal.dialog.innerText(), /session has ended|log in again/i);
  assert.equal(await modal.title.innerText(), 'Update access token');
  assert.equal(await modal.date.inputValue(), '2027-02-14');
  await modal.create();
}, { at: NOON });

story('no warning is shown while the tokens load', async (given) => {
  await logIn(given);
  /** @type {() => void} */
  let release = () => {};
  const released = new Promise((resolve) => (release = () => resolve(undefined)));
  await given.page.route('**/api', (route) => released.then(() => route.continue()));
  await given.page.getByRole('navigation').getByRole('button', { name: 'API', exact: true }).click();
  const modal = new Modal(given.page);
  await modal.is('pending');

  await modal.dialog.getByText('Loading your tokens…').waitFor();
  assert.equal(await modal.dialog.locator('.notice').filter({ visible: true }).count(), 0);
  release();
  await modal.is('none');
  assert.equal(await modal.dialog.getByText('stops working immediately').isVisible(), false);
}, { at: NOON });

for (const [order, first] of /** @type {[string, number][]} */ ([['older', 0], ['newer', 1]])) {
  story(`a dialog that is closed and opened while it loads lists a token once: the ${order} answer first`, async (given) => {
    const { page } = given;
    await logIn(given);
    await makeToken(given, 90 * DAY);
    const held = /** @type {import('playwright-core').Route[]} */ ([]);
    await page.route('**/api', (route) => void held.push(route));
    const button = page.getByRole('navigation').getByRole('button', { name: 'API', exact: true });
    const modal = new Modal(page);
    await Promise.all([page.waitForRequest('**/api'), button.click()]);
    await modal.close.click();
    await modal.dialog.waitFor({ state: 'hidden' });
    await Promise.all([page.waitForRequest('**/api'), button.click()]);

    const answer = async (/** @type {number} */ index) => {
      await Promise.all([page.waitForResponse('**/api').then((response) => response.finished()), held[index]?.continue()]);
      await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
    };
    await answer(first);
    assert.equal(await modal.dialog.getAttribute('data-state'), first === 0 ? 'pending' : 'active');
    await answer(1 - first);
    await modal.is('active');
    const listed = modal.dialog.getByRole('list', { name: 'Your tokens' }).getByRole('listitem');
    assert.equal(await listed.count(), 1);
  }, { at: NOON });
}

story('the title says what the dialog shows', async (given) => {
  const { modal } = await opened(given);
  assert.equal(await modal.title.innerText(), 'Update access token');
  await modal.create();
  assert.equal(await modal.title.innerText(), 'Your new access token');
  await modal.leave();

  await Modal.open(given.page);
  assert.equal(await modal.title.innerText(), 'Your access token');
  await modal.dialog.getByRole('button', { name: 'Replace' }).click();
  assert.equal(await modal.title.innerText(), 'Replace access token');
  await modal.dialog.getByRole('button', { name: 'Keep current token' }).click();
  await modal.revoke.click();
  assert.equal(await modal.title.innerText(), 'Revoke access token');

  await given.server.fail('error');
  await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
  await modal.is('network-error');
  assert.equal(await modal.title.innerText(), 'Something went wrong');
  await modal.close.or(modal.dialog.getByRole('button', { name: 'Keep current token' })).click();
  await modal.close.click();
  await Modal.open(given.page);
  assert.equal(await modal.title.innerText(), 'Your tokens could not be loaded');
  await given.server.fail(null);
  await given.server.advance(SESSION_LIFETIME);
  await modal.dialog.getByRole('button', { name: 'Retry' }).click();
  await modal.is('session-ended');
  assert.equal(await modal.title.innerText(), 'Your session has ended');
}, { at: NOON });

story('of many tokens the active one is shown, and earlier ones are listed in pages', async (given) => {
  await logIn(given);
  for (let made = 0; made < 31; made += 1) {
    await makeToken(given, 90 * DAY);
    await given.server.advance(1);
  }
  const modal = await Modal.open(given.page);
  const earlier = modal.dialog.getByRole('list', { name: 'Earlier tokens' }).getByRole('listitem');
  assert.equal(await modal.dialog.getByRole('list', { name: 'Your tokens' }).getByRole('listitem').count(), 1);
  assert.ok((await modal.dialog.boundingBox())?.height ?? 0 < 500, 'the dialog is too high');

  await modal.dialog.getByText('Earlier tokens').click();
  const counts = [await earlier.count()];
  const more = modal.dialog.getByRole('button', { name: 'Show more' });
  while (await more.isVisible()) {
    await more.click();
    await modal.is('active');
    counts.push(await earlier.count());
  }
  assert.deepEqual(counts, [9, 19, 29, 30]);
  assert.match(await earlier.last().innerText(), /^Replaced/);
  const heights = await earlier.evaluateAll((lines) => lines.map((line) => line.getBoundingClientRect().height));
  assert.ok(Math.max(...heights) <= 48, `a line is ${Math.max(...heights)} high`);
  await isAccessible(given.page);
}, { at: NOON });

story('the page shows the token from its creation until it is revoked', async (given) => {
  const { modal } = await opened(given);
  await modal.create();
  await modal.leave();
  const words = given.page.getByText('You have a token. It expires on 15 Apr');
  await words.waitFor();
  await given.page.reload();
  await words.waitFor();

  await given.page.getByRole('button', { name: 'Manage your token' }).click();
  await modal.is('active');
  await modal.revoke.click();
  await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
  await modal.is('revoked');
  await modal.close.click();
  await given.page.getByRole('button', { name: 'Get an access token' }).waitFor();
  assert.equal(await words.isVisible(), false);
}, { at: NOON });

story('the page behind the dialog does not scroll', async (given) => {
  await given.page.setViewportSize({ width: 1280, height: 500 });
  await opened(given);
  await given.page.mouse.move(20, 400);
  await given.page.mouse.wheel(0, 400);
  await given.page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));

  assert.equal(await given.page.evaluate(() => scrollY), 0);
  assert.equal(await given.page.evaluate(() => getComputedStyle(document.documentElement).overflow), 'hidden');
}, { at: NOON });

story('a token fills its lines, and no button covers a line of a snippet', async (given) => {
  const { modal } = await opened(given);
  await modal.create();
  const widths = await modal.dialog.locator('[data-part="secret-sample"]').evaluate((it) =>
    [...it.getClientRects()].slice(1, -1).map(({ width }) => Math.round(width)),
  );
  assert.ok(widths.length > 1 && Math.max(...widths) - Math.min(...widths) <= 9, `lines are ${widths} wide`);

  for (const name of ['Environment', 'curl', 'Python requests', 'Python gql', 'JavaScript']) {
    await modal.dialog.getByRole('radio', { name }).check();
    const snippet = modal.dialog.locator('.snippet').filter({ visible: true });
    const [whole, text, button] = await Promise.all(
      [snippet, snippet.locator('pre'), snippet.getByRole('button')].map((it) => it.boundingBox()),
    );
    assert.ok(whole && text && button);
    assert.ok(text.y >= button.y + button.height, `${name}: the button lies over the text`);
    assert.equal(text.width, whole.width, `${name}: the text does not reach the edge`);
  }
  await modal.leave();
}, { at: NOON });

story('network-error: one can retry, and the entered date stays', async (given) => {
  const { modal } = await opened(given);
  await modal.last('30 days');
  await given.context.setOffline(true);
  await modal.proceed.click();
  await modal.is('network-error');
  await isAccessible(given.page);

  await given.context.setOffline(false);
  await modal.dialog.getByRole('button', { name: 'Retry' }).click();
  await modal.is('created');
}, { at: NOON });

story('network-error: if the database fails, the request ID is shown and one can retry', async (given) => {
  const { modal } = await opened(given);
  await given.server.fail('error');
  await modal.proceed.click();
  await modal.is('network-error');
  await modal.dialog.getByText(/Request [0-9A-Z]{26}/).waitFor();

  await given.server.fail(null);
  await modal.dialog.getByRole('button', { name: 'Retry' }).click();
  await modal.is('created');
}, { at: NOON });

story('the address /home#api opens the dialog, and closing it removes #api', async (given) => {
  await logIn(given);
  await given.page.goto(`${given.url}/home#api`);
  const modal = new Modal(given.page);
  await modal.is('none');

  await given.page.keyboard.press('Escape');
  await modal.dialog.waitFor({ state: 'hidden' });
  await given.page.waitForURL(`${given.url}/home`);
});
