/** The IDE at /api. */

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after } from 'node:test';

import { Ide, valueOf } from './ide.mjs';
import { makeToken } from './modal.mjs';
import { logIn, pass, signIn, story } from './story.mjs';

const NOON = Date.UTC(2027, 0, 15, 12);
const DAY = 86_400;

/** Forwards connections to the server, like `ssh -L` or the mapped port of a container. */
let target = 0;
const forwarder = createServer((socket) => {
  const onward = connect(target, '127.0.0.1');
  socket.pipe(onward).pipe(socket);
  socket.on('error', () => onward.destroy());
  onward.on('error', () => socket.destroy());
}).listen(0, '127.0.0.1');
after(() => forwarder.close());

const WHO = '{ me { userEmail } }';
const HANA = { data: { me: { userEmail: 'hacker@demo.test' } } };

story('the first tab shows who is logged in', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api`);

  const { data } = await ide.run();
  assert.equal(data.me.userEmail, 'hacker@demo.test');
});

story('the setting `request.credentials` sends the session', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api`);
  await ide.openSettings();
  await ide.set('request.credentials', 'omit');
  await ide.saveSettings();
  await ide.newTab();
  const { errors } = await ide.ask(WHO);
  assert.equal(errors[0].message, 'Login required');

  await ide.goTo('Settings');
  await ide.set('request.credentials', 'include');
  await ide.saveSettings();
  await ide.newTab();
  assert.deepEqual(await ide.ask(WHO), HANA);
});

story('a token on the screen is not stored', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api`);
  await ide.goTo('New API token');
  const { data } = await ide.run();
  const token = data.updateAccessToken.sessionJwt;
  await ide.goTo('With a token');
  await ide.write(ide.headers, JSON.stringify({ Authorization: `Bearer ${token}` }));
  assert.equal((await ide.run()).errors, undefined);

  assert.ok((await valueOf(ide.headers)).includes(token));
  const kept = await given.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]),
  );
  assert.ok(kept.includes('With a token'), 'Playground stored nothing');
  assert.doesNotMatch(kept, /eyJ/);
  for (const part of token.split('.')) assert.ok(!kept.includes(part));
});

story('an endpoint in the address is ignored', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api?endpoint=https://evil.test`);

  assert.ok(!given.page.url().includes('evil'));
  await ide.newTab();
  assert.deepEqual(await ide.ask(WHO), HANA);
});

story('without a session the IDE opens, and says that a login is required', async ({ page, url }) => {
  const ide = await Ide.open(page, `${url}/api`);

  const { errors } = await ide.run();
  assert.equal(errors[0].message, 'Login required');
});

story('the tab for a token does not send the placeholder, and works with a token', async (given) => {
  await logIn(given);
  const token = await makeToken(given, DAY);
  /** @type {string[]} */
  const sent = [];
  given.context.on('request', (request) => sent.push(request.headers().authorization ?? ''));
  const ide = await Ide.open(given.page, `${given.url}/api`);
  await ide.goTo('With a token');
  await ide.play();
  await ide.shows('There is no API token to send');
  await ide.isGreen();
  assert.deepEqual(sent.filter((it) => it !== ''), []);

  await ide.write(ide.headers, JSON.stringify({ Authorization: 'Bearer wrong' }));
  assert.equal((await ide.run()).errors[0].extensions.reason, 'TOKEN_MALFORMED');
  await ide.isGreen();
  await ide.write(ide.headers, JSON.stringify({ Authorization: `Bearer ${token}` }));
  assert.equal((await ide.run()).errors, undefined);
  await ide.isGreen();
});

story('after a reload the token must be entered again, and a new tab uses the session', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api`);
  await ide.goTo('With a token');
  await ide.write(ide.headers, JSON.stringify({ Authorization: `Bearer ${await makeToken(given, DAY)}` }));
  assert.equal((await ide.run()).errors, undefined);

  await Ide.open(given.page, `${given.url}/api`);
  await ide.goTo('With a token');
  await ide.play();
  await ide.shows('Tokens are not kept when this page is reloaded');
  await ide.newTab();
  assert.deepEqual(await ide.ask(WHO), HANA);
  await ide.isGreen();
});

story('a new tab does not inherit a placeholder, even if the settings let it inherit headers', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api`);
  await ide.openSettings();
  await ide.set('editor.reuseHeaders', 'true');
  await ide.saveSettings();
  await ide.goTo('With a token');
  await ide.newTab();

  assert.deepEqual(await ide.ask(WHO), HANA);
});

story('behind a forwarded port, queries and commands use the origin of the page', async (given) => {
  await logIn(given);
  const { port } = /** @type {import('node:net').AddressInfo} */ (forwarder.address());
  target = Number(new URL(given.url).port);
  given.allow(`http://localhost:${port}`);
  const ide = await Ide.open(given.page, `http://localhost:${port}/api`);
  await ide.newTab();
  assert.deepEqual(await ide.ask(WHO), HANA);

  await given.page.getByRole('button', { name: 'Copy CURL' }).click();
  const command = await given.page.evaluate(() => navigator.clipboard.readText());
  assert.ok(command.startsWith(`curl 'http://localhost:${port}/api' `), command);

  await given.page.goto(`http://localhost:${port}/home`);
  await given.page.locator('[data-snippet="start-curl"]').getByText(`curl http://localhost:${port}/api`).waitFor();
}, { context: { permissions: ['clipboard-read', 'clipboard-write'] } });

story('the IDE can be used without a mouse, and no editor keeps the focus', async (given) => {
  const { page, url } = given;
  await logIn(given);
  const ide = await Ide.open(page, `${url}/api`);
  await page.getByText('Esc then Tab leaves the editor').waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await focusedName(page), 'Query', 'Tab does not indent');

  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  const names = /** @type {string[]} */ ([]);
  for (let name = await focusedName(page); !names.includes(name); name = await focusedName(page)) {
    names.push(name);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
  }
  for (const name of [
    'Tab Who am I', 'Close tab Who am I', 'Tab With a token', 'New tab', 'Prettify', 'Reload the schema', 'Copy CURL',
    'Query', 'Query Variables', 'Run the query', 'Response', 'Docs', 'Schema', 'Settings', 'API token',
  ]) {
    assert.ok(names.includes(name), `${name} is not among ${names.join(', ')}`);
  }
  
  await ide.press('New tab');
  await page.getByText('New Tab', { exact: true }).waitFor();
  await ide.press('Tab Who am I');
  const answer = page.waitForResponse((it) => it.url().endsWith('/api'));
  await ide.press('Run the query');
  assert.equal((await (await answer).json()).data.me.userEmail, 'hacker@demo.test');
  await ide.press('Docs');
  await page.getByText('Search the docs').or(page.getByPlaceholder('Search the docs')).first().waitFor();
  await ide.press('Settings');
  await page.getByRole('button', { name: 'Save Settings' }).waitFor();
  await ide.press('Close tab Settings');
  await page.getByRole('button', { name: 'Close tab Settings' }).waitFor({ state: 'detached' });
});

story('the banner changes when another user logs in in another tab', async (given) => {
  const { context, page, url } = given;
  await logIn(given);
  await Ide.open(page, `${url}/api`);
  await page.getByText('hacker@demo.test · session ends').waitFor();
  const tab = await context.newPage();
  await tab.goto(`${url}/?next=%2Fhome&again`);
  await signIn(tab, 'manager@demo.test');

  await page.getByText('manager@demo.test · session ends').waitFor();
});

story('screen readers announce the last five minutes and the end of the session', async (given) => {
  await logIn(given);
  await Ide.open(given.page, `${given.url}/api`);
  await given.page.getByText('session ends in 40 minutes').or(given.page.getByText('session ends in 39 minutes')).waitFor();
  await given.page.evaluate(() => {
    const told = /** @type {string[]} */ ([]);
    Object.assign(window, { told });
    for (const live of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
      new MutationObserver(() => told.push(live.textContent ?? '')).observe(live, { childList: true, subtree: true });
    }
  });
  for (let minute = 0; minute < 34; minute += 1) await pass(given, 60);
  await given.page.clock.runFor(60_000); // Each timer in its time: the warning comes at five minutes, not later.
  for (let minute = 35; minute < 41; minute += 1) await pass(given, 60);

  await given.page.getByText('session has ended').first().waitFor();
  const told = await given.page.evaluate(() => /** @type {{ told: string[] }} */ (/** @type {unknown} */ (window)).told);
  assert.deepEqual(told, ['Your session ends in 5 minutes.', 'Your session has ended.']);
}, { at: NOON });

/**
 * Returns the name of the focused element, as screen readers announce it.
 *
 * @param {import('playwright-core').Page} page
 */
function focusedName(page) {
  return page.evaluate(() => {
    const it = document.activeElement;
    return it?.getAttribute('aria-label') ?? it?.textContent ?? '';
  });
}
