/** The API token modal: each of its states, and what one can do in it. */

import assert from 'node:assert/strict';

import { isAccessible } from './accessibility.mjs';
import { Modal, askWith, makeToken } from './modal.mjs';
import { logIn, pass, signIn, story } from './story.mjs';

/** @typedef {import('./story.mjs').Given} Given */

const NOON = Date.UTC(2027, 0, 15, 12);
const SESSION_LIFETIME = 40 * 60;
const DAY = 86_400;

/**
 * Opens the modal of somebody who has a token, if `seconds` says how long it lives.
 *
 * @param {Given} given
 * @param {number} [seconds]
 */
async function opened(given, seconds) {
  await logIn(given);
  const token = seconds ? await makeToken(given, seconds) : '';
  return { modal: await Modal.open(given.page), token };
}

story('none: who has no token sees the form, with 90 days preset', async (given) => {
  const { modal } = await opened(given);

  await modal.is('none');
  assert.equal(await modal.date.inputValue(), '2027-04-15');
  await modal.dialog.getByText('2027-04-15 23:59:59 UTC').waitFor();
  await isAccessible(given.page);
}, { at: NOON });

story('each preset is a date, and another date is one of one\'s own', async (given) => {
  const { modal } = await opened(given);

  for (const [name, date] of [['7 days', '2027-01-22'], ['30 days', '2027-02-14'], ['6 months', '2027-07-16']]) {
    await modal.last(String(name));
    assert.equal(await modal.date.inputValue(), date);
  }
  await modal.date.fill('2027-03-03');
  assert.ok(await modal.dialog.getByLabel('Custom').isChecked());
}, { at: NOON });

story('a date is required, must be one to come, and must be below six months', async (given) => {
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

story('active: the token that there is, with when it was made, used, and will end', async (given) => {
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

story('expiring: a token that ends within a week says so in words', async (given) => {
  const { modal } = await opened(given, 3 * DAY + 3600);

  await modal.is('expiring');
  await modal.dialog.getByText('Expires in 3 days').waitFor();
  await isAccessible(given.page);
}, { at: NOON });

story('expired: one is told that it has, and when', async (given) => {
  await logIn(given);
  await makeToken(given, 30 * 60);
  await pass(given, 30 * 60);
  const modal = await Modal.open(given.page);

  await modal.is('expired');
  await modal.dialog.getByText('Your token has expired.').waitFor();
  await isAccessible(given.page);
}, { at: NOON });

story('revoked: one is asked first, told of the last use, and the token ends at once', async (given) => {
  const { modal, token } = await opened(given, 90 * DAY);
  await modal.revoke.click();
  await modal.dialog.getByText('It was never used.').waitFor();
  assert.match(await modal.dialog.innerText(), /default/);
  await isAccessible(given.page);
  await modal.dialog.getByRole('button', { name: 'Keep the present token' }).click();
  assert.equal(await askWith(given.url, token), 'hacker@demo.test');

  await modal.revoke.click();
  await modal.dialog.getByRole('button', { name: 'Revoke token' }).click();
  await modal.is('revoked');
  assert.equal(await askWith(given.url, token), 'TOKEN_REVOKED');
  await isAccessible(given.page);
}, { at: NOON });

story('replacing warns first, and then the present token stops at once', async (given) => {
  const { modal, token } = await opened(given, 90 * DAY);
  await modal.dialog.getByRole('button', { name: 'Replace' }).click();
  await modal.dialog.getByText('stops working at once').waitFor();
  await isAccessible(given.page);

  const replacement = await modal.create();
  assert.equal(await askWith(given.url, token), 'TOKEN_REPLACED');
  assert.equal(await askWith(given.url, replacement), 'hacker@demo.test');
}, { at: NOON });

story('pending: nothing can be pressed twice while the answer is awaited', async (given) => {
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

story('created: the token is there to be read, and closing is guarded until it is kept', async (given) => {
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

story('copied: the button copies the token and says so; then closing is free', async (given) => {
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

story('copy-failed: where there is no clipboard, the token is selected for Ctrl+C', async (given) => {
  await given.context.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  const { modal } = await opened(given);
  const token = await modal.create();
  await modal.copy.click();

  await modal.is('copy-failed');
  assert.equal(await given.page.evaluate(() => getSelection()?.toString()), token);
  await isAccessible(given.page);
}, { at: NOON });

story('refused: the server\'s reason is told, and what was chosen stays', async (given) => {
  const { modal } = await opened(given);
  await modal.last('30 days');
  await modal.proceed.click();

  await modal.is('refused');
  await modal.dialog.getByText('Tokens are made on Mondays').waitFor();
  assert.equal(await modal.date.inputValue(), '2027-02-14');
  await isAccessible(given.page);
}, { at: NOON, server: ['--token-creation-disabled', 'Tokens are made on Mondays'] });

story('refused: a date that was good when the page was opened is judged by the server', async (given) => {
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

story('session-ended: what was chosen stays, and after a login in another tab it works', async (given) => {
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
  assert.equal(await modal.date.inputValue(), '2027-02-14');
  await modal.dialog.getByRole('button', { name: 'Retry' }).click();
  await modal.is('created');
}, { at: NOON });

story('network-error: one can retry, and nothing that was chosen is lost', async (given) => {
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

story('network-error: when the database fails, the request id is told and one can retry', async (given) => {
  const { modal } = await opened(given);
  await given.server.fail('error');
  await modal.proceed.click();
  await modal.is('network-error');
  await modal.dialog.getByText(/Request [0-9A-Z]{26}/).waitFor();

  await given.server.fail(null);
  await modal.dialog.getByRole('button', { name: 'Retry' }).click();
  await modal.is('created');
}, { at: NOON });

story('the address /home#api opens it, and closing it makes the address plain', async (given) => {
  await logIn(given);
  await given.page.goto(`${given.url}/home#api`);
  const modal = new Modal(given.page);
  await modal.is('none');

  await given.page.keyboard.press('Escape');
  await modal.dialog.waitFor({ state: 'hidden' });
  await given.page.waitForURL(`${given.url}/home`);
});
