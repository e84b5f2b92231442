/** All pages: accessibility, size, layout shifts, and the end of the session. */

import assert from 'node:assert/strict';
import { brotliCompressSync } from 'node:zlib';

import { isAccessible } from './accessibility.mjs';
import { Ide } from './ide.mjs';
import { askWith } from './modal.mjs';
import { logIn, pass, signIn, story } from './story.mjs';

const SESSION = 'arm_session';

/** The limit for the home page with everything that it loads, compressed. */
const MOST_BYTES = 20_000;

for (const [name, path] of [
  ['the login page', '/'],
  ['the login page with a next page', '/?next=/api'],
  ['the development login', '/login/development'],
  ['a page that does not exist', '/no/such/page'],
]) {
  story(`${name} is accessible`, async ({ page, url }) => {
    await page.goto(url + path);
    await isAccessible(page);
  });
}

story('the home page is accessible, also on a narrow screen', async (given) => {
  await logIn(given);
  await isAccessible(given.page);
  await given.page.setViewportSize({ width: 390, height: 844 });
  await isAccessible(given.page);
});

story('the home page of a user without organizations is accessible', async (given) => {
  await logIn(given, 'nobody@new.test');
  await isAccessible(given.page);
});

story('the banner of the IDE is accessible', async ({ page, url }) => {
  await Ide.open(page, `${url}/api`);
  await isAccessible(page, '.banner');
});

story('if the database fails, the page shows the request ID and no internals', async (given) => {
  await logIn(given);
  await given.server.fail('error');
  const response = await given.page.goto(`${given.url}/home`);

  assert.equal(response?.status(), 503);
  const text = await given.page.locator('body').innerText();
  assert.ok(text.includes((await response?.headerValue('x-request-id')) ?? 'no id'));
  assert.doesNotMatch(text, /dynamo|injected|panick/i);
  await isAccessible(given.page);
});

story('no page is wider than the screen of a phone', async (given) => {
  await given.page.setViewportSize({ width: 390, height: 844 });
  await logIn(given);
  for (const path of ['/home', '/no/such/page', '/login/development']) {
    await given.page.goto(given.url + path);
    const [inner, scrolled] = await given.page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
    assert.ok(Number(scrolled) <= Number(inner), `${path} is ${scrolled} wide`);
  }
});

story('the home page loads only a stylesheet and scripts, and is small', async (given) => {
  await logIn(given);
  const response = await given.page.goto(`${given.url}/home`, { waitUntil: 'networkidle' });
  const files = await given.page.evaluate(() =>
    performance.getEntriesByType('resource').map((entry) => {
      const { name, encodedBodySize } = /** @type {PerformanceResourceTiming} */ (entry);
      return { path: new URL(name).pathname, bytes: encodedBodySize };
    }),
  );

  assert.deepEqual(files.filter(({ path }) => !/^\/static\/[\w.-]+\.(css|js)$/.test(path)), []);
  const document = brotliCompressSync((await response?.body()) ?? '').length;
  const bytes = files.reduce((sum, file) => sum + file.bytes, document);
  assert.ok(document > 0 && files.every((file) => file.bytes > 0));
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

story('nothing on the home page moves if its scripts load late', async (given) => {
  await given.context.addInitScript(() => {
    const shifts = /** @type {PerformanceEntry[]} */ ([]);
    const observer = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    Object.assign(window, { shifts: () => [...shifts, ...observer.takeRecords()].map((it) => it.toJSON()) });
  });
  await given.page.route('**/static/*.js', async (route) => {
    await given.page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    await route.continue();
  });
  await logIn(given);
  await given.page.waitForLoadState('networkidle');
  assert.deepEqual(await shifts(given.page), []);

  await given.page.evaluate(() => document.querySelector('main')?.prepend(document.createElement('hr')));
  assert.equal((await shifts(given.page)).length, 1, 'the test does not notice a shift');
});

story('without JavaScript a form creates a token, and a reload of the answer creates no other', async (given) => {
  const { context, page, url } = given;
  await logIn(given);
  const date = page.getByRole('main').getByLabel('Expiration date');
  assert.equal(await date.inputValue(), '2027-04-15');
  await date.fill('2027-07-15');
  await page.getByRole('button', { name: 'Get an access token' }).click();
  const token = await page.getByLabel('Access Token').inputValue();
  assert.equal(await askWith(url, token), 'hacker@demo.test');

  // A reload sends the same form again.
  const form = { date: '2027-07-15', replaces: '' };
  const again = await context.request.post(`${url}/home/token`, { headers: { Origin: url }, form });
  assert.equal(again.status(), 400);
  assert.match(await again.text(), /No token was created: this form was already sent/);
  assert.equal(await askWith(url, token), 'hacker@demo.test');
  await page.goto(`${url}/home`);
  assert.match(await page.locator('main form .notice').innerText(), /stops working immediately/);
  await page.getByRole('button', { name: 'Replace the token' }).click();
  await page.getByLabel('Access Token').waitFor();
  assert.equal(await askWith(url, token), 'TOKEN_REPLACED');
}, { at: Date.UTC(2027, 0, 15, 12), context: { javaScriptEnabled: false } });

for (const [name, date, expected] of [
  ['the page that shows a token without JavaScript', '', 'Your new access token'],
  ['the home page with a form that was refused', '2020-01-01', 'Hello'],
]) {
  story(`${name} is accessible`, async (given) => {
    const { page } = given;
    await logIn(given);
    await page.evaluate((value) => {
      // Sends the form of browsers without scripts.
      const form = document.createElement('form');
      form.innerHTML = document.querySelector('noscript form')?.textContent ?? document.querySelector('main noscript')?.textContent ?? '';
      const real = /** @type {HTMLFormElement} */ (form.querySelector('form') ?? form);
      Object.assign(real, { method: 'post', action: '/home/token', noValidate: true });
      if (value) /** @type {HTMLInputElement} */ (real.querySelector('[name=date]')).value = value;
      document.body.append(real);
      real.submit();
    }, date);
    await page.getByRole('heading', { level: 1, name: expected }).waitFor();
    await isAccessible(page);
  });
}

story('five minutes before a session ends the page says so, and a new login extends it', async (given) => {
  const { context, page } = given;
  await logIn(given);
  await pass(given, 34 * 60);
  const warning = page.getByText('to continue without interruption');
  assert.equal(await warning.isVisible(), false);
  await pass(given, 61);
  await warning.waitFor();
  await page.getByText('Your session ends in 4 minutes').first().waitFor();
  await isAccessible(page);

  const [tab] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('link', { name: 'Log in again' }).filter({ visible: true }).click(),
  ]);
  await signIn(tab);
  await tab.close();
  await page.bringToFront();
  await warning.waitFor({ state: 'hidden' });
}, { at: Date.UTC(2027, 0, 15, 12) });

story('a page is reloaded when another user logs in in another tab', async (given) => {
  const { context, page, url } = given;
  await logIn(given);
  const tab = await context.newPage();
  await tab.goto(`${url}/?next=%2Fhome&again`);
  await signIn(tab, 'manager@demo.test');

  await page.getByRole('navigation').getByText('manager@demo.test').waitFor();
});

story('after a request failed because the session ended, the page keeps saying so', async (given) => {
  const { context, page } = given;
  await logIn(given);
  await context.clearCookies({ name: SESSION });
  await page.getByRole('navigation').getByRole('button', { name: 'API', exact: true }).click();
  const toast = page.getByText('Nothing on this page is lost.');
  await toast.waitFor();

  await page.clock.fastForward(36 * 60 * 1000);
  assert.ok(await toast.isVisible());
  assert.equal(await page.getByText('to continue without interruption').isVisible(), false);
  assert.deepEqual(await page.locator('[data-session-end]').allInnerTexts().then((all) => new Set(all.filter(Boolean))),
    new Set(['Your session has ended.']));
}, { at: Date.UTC(2027, 0, 15, 12) });

story('screen readers announce once that a session ends, and in how many minutes', async (given) => {
  const { page, server, url } = given;
  await logIn(given);
  await server.advance(37 * 60);
  await page.goto(`${url}/home`);
  await page.getByText('to continue without interruption').waitFor();

  const spoken = page.locator(':is([role=status], [role=alert], [aria-live]):not(dialog *)');
  assert.deepEqual(await spoken.allInnerTexts(), ['Your session ends in 3 minutes.']);
  await pass(given, 50);
  await page.getByText('Your session ends in 2 minutes').first().waitFor();
  assert.deepEqual(await spoken.allInnerTexts(), ['Your session ends in 3 minutes.']);
  await pass(given, 140);
  await page.getByText('Nothing on this page is lost.').waitFor();
  assert.deepEqual(await spoken.allInnerTexts(), ['Your session has ended.']);
}, { at: Date.UTC(2027, 0, 15, 12) });

story('after a session has expired the login page says so once', async (given) => {
  const { context, page, url } = given;
  await logIn(given);
  await context.clearCookies({ name: SESSION }); // as the browser does in that second
  await page.goto(`${url}/home`);
  await page.getByRole('status').getByText('Your session has ended').waitFor();
  await isAccessible(page);

  await page.reload();
  assert.equal(await page.getByText('Your session has ended').count(), 0);
});

story('scripts and other sites cannot read the session cookie', async (given) => {
  await logIn(given);
  const cookies = (await given.context.cookies()).filter(({ name }) => name === SESSION);

  assert.equal(cookies.length, 1);
  const [{ name, httpOnly, secure, sameSite, path, domain }] = /** @type {[typeof cookies[0]]} */ (cookies);
  assert.deepEqual(
    { name, httpOnly, secure, sameSite, path, domain },
    { name: SESSION, httpOnly: true, secure: false, sameSite: 'Lax', path: '/', domain: 'localhost' },
  );
  assert.equal(await given.page.evaluate(() => document.cookie), '');
});

story('logging out ends the session, and deletes everything from the browser', async (given) => {
  await logIn(given);
  await given.page.evaluate(() => localStorage.setItem('anything', 'kept'));
  const cookies = await given.context.cookies();
  await given.page.getByRole('button', { name: 'Log out' }).click();
  await given.page.getByText('You are logged out').waitFor();

  assert.deepEqual(await given.context.cookies(), []);
  assert.equal(await given.page.evaluate(() => localStorage.getItem('anything')), null);
  await given.context.addCookies(cookies);
  await given.page.goto(`${given.url}/home`);
  assert.equal(new URL(given.page.url()).pathname, '/');
});

story('the login leads back to the page', async ({ page, url }) => {
  await page.goto(`${url}/home`);
  await page.getByRole('link', { name: /development/i }).click();
  await page.getByRole('button', { name: 'Log in' }).click();

  await page.waitForURL(`${url}/home`);
});

/**
 * Returns the layout shifts until now, after the page was painted twice.
 *
 * @param {import('playwright-core').Page} page
 * @returns {Promise<object[]>}
 */
function shifts(page) {
  return page.evaluate(async () => {
    const painted = () => new Promise((next) => requestAnimationFrame(next));
    await painted();
    await painted();
    return /** @type {{ shifts(): object[] }} */ (/** @type {unknown} */ (window)).shifts();
  });
}
