/** The IDE at /api. */

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after } from 'node:test';

import { Ide, valueOf } from './ide.mjs';
import { createToken } from './modal.mjs';
import { advanceClocks, browserTest, logIn, logInOnPage } from './setup.mjs';

const NOON = Date.UTC(2027, 0, 15, 12);
const DAY = 86_400;

/** Forwards connections to the server, like `ssh -L` or the mapped port of a container. */
let target = 0;
const forwarder = createServer((socket) => {
  const upstream = connect(target, '127.0.0.1');
  socket.pipe(upstream).pipe(socket);
  socket.on('error', () => upstream.destroy());
  upstream.on('error', () => socket.destroy());
}).listen(0, '127.0.0.1');
after(() => forwarder.close());

const EMAIL_QUERY = '{ me { userEmail } }';
const EMAIL_RESULT = { data: { me: { userEmail: 'hacker@demo.test' } } };

browserTest('the first tab shows who is logged in', async (fixture) => {
  await logIn(fixture);
  const ide = await Ide.open(fixture.page, `${fixture.url}/api`);

  const { data } = await ide.run();
  assert.equal(data.me.userEmail, 'hacker@demo.test');
});

browserTest('the setting `request.credentials` sends the session', async (fixture) => {
  await logIn(fixture);
  const ide = await Ide.open(fixture.page, `${fixture.url}/api`);
  await ide.openSettings();
  await ide.set('request.credentials', 'omit');
  await ide.saveSettings();
  await ide.newTab();
  const { errors } = await ide.query(EMAIL_QUERY);
  assert.equal(errors[0].message, 'Login required');

  await ide.goTo('Settings');
  await ide.set('request.credentials', 'include');
  await ide.saveSettings();
  await ide.newTab();
  assert.deepEqual(await ide.query(EMAIL_QUERY), EMAIL_RESULT);
});

browserTest('a token on the screen is not stored', async (fixture) => {
  await logIn(fixture);
  const ide = await Ide.open(fixture.page, `${fixture.url}/api`);
  await ide.goTo('New API token');
  const { data } = await ide.run();
  const token = data.updateAccessToken.sessionJwt;
  await ide.goTo('With a token');
  await ide.write(ide.headersEditor, JSON.stringify({ Authorization: `Bearer ${token}` }));
  assert.equal((await ide.run()).errors, undefined);

  assert.ok((await valueOf(ide.headersEditor)).includes(token));
  const stored = await fixture.page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]),
  );
  assert.ok(stored.includes('With a token'), 'Playground stored nothing');
  assert.doesNotMatch(stored, /eyJ/);
  for (const part of token.split('.')) assert.ok(!stored.includes(part));
});

browserTest('an endpoint in the address is ignored', async (fixture) => {
  await logIn(fixture);
  const ide = await Ide.open(fixture.page, `${fixture.url}/api?endpoint=https://evil.test`);

  assert.ok(!fixture.page.url().includes('evil'));
  await ide.newTab();
  assert.deepEqual(await ide.query(EMAIL_QUERY), EMAIL_RESULT);
});

browserTest(
  'without a session the IDE opens, and says that a login is required',
  async ({ page, url }) => {
    const ide = await Ide.open(page, `${url}/api`);

    const { errors } = await ide.run();
    assert.equal(errors[0].message, 'Login required');
  },
);

browserTest(
  'the tab for a token does not send the placeholder, and works with a token',
  async (fixture) => {
    await logIn(fixture);
    const token = await createToken(fixture, DAY);
    /** @type {string[]} */
    const sent = [];
    fixture.context.on('request', (request) => sent.push(request.headers().authorization ?? ''));
    const ide = await Ide.open(fixture.page, `${fixture.url}/api`);
    await ide.goTo('With a token');
    await ide.play();
    await ide.waitForText('There is no API token to send');
    await ide.assertConnected();
    assert.deepEqual(
      sent.filter((it) => it !== ''),
      [],
    );

    await ide.write(ide.headersEditor, JSON.stringify({ Authorization: 'Bearer wrong' }));
    assert.equal((await ide.run()).errors[0].extensions.reason, 'TOKEN_MALFORMED');
    await ide.assertConnected();
    await ide.write(ide.headersEditor, JSON.stringify({ Authorization: `Bearer ${token}` }));
    assert.equal((await ide.run()).errors, undefined);
    await ide.assertConnected();
  },
);

browserTest(
  'after a reload the token must be entered again, and a new tab uses the session',
  async (fixture) => {
    await logIn(fixture);
    const ide = await Ide.open(fixture.page, `${fixture.url}/api`);
    await ide.goTo('With a token');
    await ide.write(
      ide.headersEditor,
      JSON.stringify({ Authorization: `Bearer ${await createToken(fixture, DAY)}` }),
    );
    assert.equal((await ide.run()).errors, undefined);

    await Ide.open(fixture.page, `${fixture.url}/api`);
    await ide.goTo('With a token');
    await ide.play();
    await ide.waitForText('Tokens are not kept when this page is reloaded');
    await ide.newTab();
    assert.deepEqual(await ide.query(EMAIL_QUERY), EMAIL_RESULT);
    await ide.assertConnected();
  },
);

browserTest(
  'a new tab does not inherit a placeholder, even if the settings let it inherit headers',
  async (fixture) => {
    await logIn(fixture);
    const ide = await Ide.open(fixture.page, `${fixture.url}/api`);
    await ide.openSettings();
    await ide.set('editor.reuseHeaders', 'true');
    await ide.saveSettings();
    await ide.goTo('With a token');
    await ide.newTab();

    assert.deepEqual(await ide.query(EMAIL_QUERY), EMAIL_RESULT);
  },
);

browserTest(
  'behind a forwarded port, queries and commands use the origin of the page',
  async (fixture) => {
    await logIn(fixture);
    const { port } = /** @type {import('node:net').AddressInfo} */ (forwarder.address());
    target = Number(new URL(fixture.url).port);
    fixture.allow(`http://localhost:${port}`);
    const ide = await Ide.open(fixture.page, `http://localhost:${port}/api`);
    await ide.newTab();
    assert.deepEqual(await ide.query(EMAIL_QUERY), EMAIL_RESULT);

    await fixture.page.getByRole('button', { name: 'Copy CURL' }).click();
    const command = await fixture.page.evaluate(() => navigator.clipboard.readText());
    assert.ok(command.startsWith(`curl 'http://localhost:${port}/api' `), command);

    await fixture.page.goto(`http://localhost:${port}/home`);
    await fixture.page
      .locator('[data-snippet="start-curl"]')
      .getByText(`curl http://localhost:${port}/api`)
      .waitFor();
  },
  { context: { permissions: ['clipboard-read', 'clipboard-write'] } },
);

browserTest(
  'the IDE can be used without a mouse, and no editor traps the focus',
  async (fixture) => {
    const { page, url } = fixture;
    await logIn(fixture);
    const ide = await Ide.open(page, `${url}/api`);
    await page.getByText('Esc then Tab leaves the editor').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focusedName(page), 'Query', 'Tab moved the focus');

    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    const names = /** @type {string[]} */ ([]);
    for (
      let name = await focusedName(page);
      !names.includes(name);
      name = await focusedName(page)
    ) {
      names.push(name);
      await page.keyboard.press('Escape');
      await page.keyboard.press('Tab');
    }
    for (const name of [
      'Tab Who am I',
      'Close tab Who am I',
      'Tab With a token',
      'New tab',
      'Prettify',
      'Reload the schema',
      'Copy CURL',
      'Query',
      'Query Variables',
      'Run the query',
      'Response',
      'Docs',
      'Schema',
      'Settings',
      'API token',
    ]) {
      assert.ok(names.includes(name), `${name} is not among ${names.join(', ')}`);
    }

    await ide.press('New tab');
    await page.getByText('New Tab', { exact: true }).waitFor();
    await ide.press('Tab Who am I');
    const response = page.waitForResponse((it) => it.url().endsWith('/api'));
    await ide.press('Run the query');
    assert.equal((await (await response).json()).data.me.userEmail, 'hacker@demo.test');
    await ide.press('Docs');
    await page
      .getByText('Search the docs')
      .or(page.getByPlaceholder('Search the docs'))
      .first()
      .waitFor();
    await ide.press('Settings');
    await page.getByRole('button', { name: 'Save Settings' }).waitFor();
    await ide.press('Close tab Settings');
    await page.getByRole('button', { name: 'Close tab Settings' }).waitFor({ state: 'detached' });
  },
);

browserTest('the banner changes when another user logs in in another tab', async (fixture) => {
  const { context, page, url } = fixture;
  await logIn(fixture);
  await Ide.open(page, `${url}/api`);
  await page.getByText('hacker@demo.test · session ends').waitFor();
  const tab = await context.newPage();
  await tab.goto(`${url}/?next=%2Fhome&again`);
  await logInOnPage(tab, 'manager@demo.test');

  await page.getByText('manager@demo.test · session ends').waitFor();
});

browserTest(
  'screen readers announce the last five minutes and the end of the session',
  async (fixture) => {
    await logIn(fixture);
    await Ide.open(fixture.page, `${fixture.url}/api`);
    await fixture.page
      .getByText('session ends in 40 minutes')
      .or(fixture.page.getByText('session ends in 39 minutes'))
      .waitFor();
    await fixture.page.evaluate(() => {
      const announcements = /** @type {string[]} */ ([]);
      Object.assign(window, { announcements });
      for (const live of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
        new MutationObserver(() => announcements.push(live.textContent ?? '')).observe(live, {
          childList: true,
          subtree: true,
        });
      }
    });
    for (let minute = 0; minute < 34; minute += 1) await advanceClocks(fixture, 60);
    // Runs each timer at its time, so that the warning appears after 35 minutes.
    await fixture.page.clock.runFor(60_000);
    for (let minute = 35; minute < 41; minute += 1) await advanceClocks(fixture, 60);

    await fixture.page.getByText('session has ended').first().waitFor();
    const announcements = await fixture.page.evaluate(
      () =>
        /** @type {{ announcements: string[] }} */ (/** @type {unknown} */ (window)).announcements,
    );
    assert.deepEqual(announcements, ['Your session ends in 5 minutes.', 'Your session has ended.']);
  },
  { at: NOON },
);

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
