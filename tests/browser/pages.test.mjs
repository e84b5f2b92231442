/** All pages: accessibility, size, layout shifts, and the end of the session. */

import assert from 'node:assert/strict';
import { brotliCompressSync } from 'node:zlib';

import { assertAccessible } from './accessibility.mjs';
import { Ide } from './ide.mjs';
import { queryWithToken } from './modal.mjs';
import { advanceClocks, browserTest, logIn, logInOnPage } from './setup.mjs';

const SESSION = 'arm_session';

/** The maximum compressed size of the home page with its resources. */
const MAX_BYTES = 20_000;

for (const [name, path] of [
  ['the login page', '/'],
  ['the login page with a next page', '/?next=/api'],
  ['the development login', '/login/development'],
  ['a page that does not exist', '/no/such/page'],
]) {
  browserTest(`${name} is accessible`, async ({ page, url }) => {
    await page.goto(url + path);
    await assertAccessible(page);
  });
}

browserTest('the home page is accessible, also on a narrow screen', async (fixture) => {
  await logIn(fixture);
  await assertAccessible(fixture.page);
  await fixture.page.setViewportSize({ width: 390, height: 844 });
  await assertAccessible(fixture.page);
});

browserTest('the home page of a user without organizations is accessible', async (fixture) => {
  await logIn(fixture, 'nobody@new.test');
  await assertAccessible(fixture.page);
});

browserTest('an admin searches the list of organizations', async (fixture) => {
  const { page } = fixture;
  await logIn(fixture, 'admin@demo.test');
  await page.getByRole('link', { name: 'Organizations' }).click();
  await page.waitForURL('**/orgs');
  await assertAccessible(page);
  await page.getByLabel('Part of a name').fill('nothing has this name');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('No name contains “nothing has this name”').waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await assertAccessible(page);
  await page.getByLabel('Part of a name').fill('dem');
  await page.getByLabel('Part of a name').press('Enter');
  await page.getByLabel('List of organizations').getByText('demo').waitFor();
});

browserTest('the list of organizations of a user without one is accessible', async (fixture) => {
  await logIn(fixture, 'nobody@new.test');
  await fixture.page.goto(`${fixture.url}/orgs`);
  await assertAccessible(fixture.page);
});

browserTest('the banner of the IDE is accessible', async ({ page, url }) => {
  await Ide.open(page, `${url}/api`);
  await assertAccessible(page, '.banner');
});

browserTest(
  'if the database fails, the page shows the request ID and no internals',
  async (fixture) => {
    await logIn(fixture);
    await fixture.server.fail('error');
    const response = await fixture.page.goto(`${fixture.url}/home`);

    assert.equal(response?.status(), 503);
    const text = await fixture.page.locator('body').innerText();
    assert.ok(text.includes((await response?.headerValue('x-request-id')) ?? 'no id'));
    assert.doesNotMatch(text, /dynamo|injected|panick/i);
    await assertAccessible(fixture.page);
  },
);

browserTest('no page is wider than the screen of a phone', async (fixture) => {
  await fixture.page.setViewportSize({ width: 390, height: 844 });
  await logIn(fixture);
  for (const path of ['/home', '/orgs', '/no/such/page', '/login/development']) {
    await fixture.page.goto(fixture.url + path);
    const [inner, scrolled] = await fixture.page.evaluate(() => [
      innerWidth,
      document.documentElement.scrollWidth,
    ]);
    assert.ok(Number(scrolled) <= Number(inner), `${path} is ${scrolled} wide`);
  }
});

browserTest('the home page loads only a stylesheet and scripts, and is small', async (fixture) => {
  await logIn(fixture);
  const response = await fixture.page.goto(`${fixture.url}/home`, { waitUntil: 'networkidle' });
  const files = await fixture.page.evaluate(() =>
    performance.getEntriesByType('resource').map((entry) => {
      const { name, encodedBodySize } = /** @type {PerformanceResourceTiming} */ (entry);
      return { path: new URL(name).pathname, bytes: encodedBodySize };
    }),
  );

  assert.deepEqual(
    files.filter(({ path }) => !/^\/static\/[\w.-]+\.(css|js)$/.test(path)),
    [],
  );
  const document = brotliCompressSync((await response?.body()) ?? '').length;
  const bytes = files.reduce((sum, file) => sum + file.bytes, document);
  assert.ok(document > 0 && files.every((file) => file.bytes > 0));
  assert.ok(bytes < MAX_BYTES, `${bytes} bytes`);
});

browserTest('nothing on the home page moves if its scripts load late', async (fixture) => {
  await fixture.context.addInitScript(() => {
    const shifts = /** @type {PerformanceEntry[]} */ ([]);
    const observer = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
    observer.observe({ type: 'layout-shift', buffered: true });
    Object.assign(window, {
      shifts: () => [...shifts, ...observer.takeRecords()].map((it) => it.toJSON()),
    });
  });
  await fixture.page.route('**/static/*.js', async (route) => {
    await fixture.page.waitForFunction(
      () => performance.getEntriesByName('first-contentful-paint').length > 0,
    );
    await route.continue();
  });
  await logIn(fixture);
  await fixture.page.waitForLoadState('networkidle');
  assert.deepEqual(await shifts(fixture.page), []);

  await fixture.page.evaluate(() =>
    document.querySelector('main')?.prepend(document.createElement('hr')),
  );
  assert.equal((await shifts(fixture.page)).length, 1, 'the test does not detect a shift');
});

browserTest(
  'without JavaScript a form creates a token, and reloading the response creates no other',
  async (fixture) => {
    const { context, page, url } = fixture;
    await logIn(fixture);
    const date = page.getByRole('main').getByLabel('Expiration date');
    assert.equal(await date.inputValue(), '2027-04-15');
    await date.fill('2027-07-15');
    await page.getByRole('button', { name: 'Get an access token' }).click();
    const token = await page.getByLabel('Access Token').inputValue();
    assert.equal(await queryWithToken(url, token), 'hacker@demo.test');

    // A reload sends the same form again.
    const form = { date: '2027-07-15', replaces: '' };
    const repeated = await context.request.post(`${url}/home/token`, {
      headers: { Origin: url },
      form,
    });
    assert.equal(repeated.status(), 400);
    assert.match(await repeated.text(), /No token was created: this form was already submitted/);
    assert.equal(await queryWithToken(url, token), 'hacker@demo.test');
    await page.goto(`${url}/home`);
    assert.match(await page.locator('main form .notice').innerText(), /stops working immediately/);
    await page.getByRole('button', { name: 'Replace the token' }).click();
    await page.getByLabel('Access Token').waitFor();
    assert.equal(await queryWithToken(url, token), 'TOKEN_REPLACED');
  },
  { at: Date.UTC(2027, 0, 15, 12), context: { javaScriptEnabled: false } },
);

for (const [name, date, expected] of [
  ['the page that shows a token without JavaScript', '', 'Your new access token'],
  ['the home page with a form that was refused', '2020-01-01', 'Hello'],
]) {
  browserTest(`${name} is accessible`, async (fixture) => {
    const { page } = fixture;
    await logIn(fixture);
    await page.evaluate((value) => {
      // Submits the form for browsers without JavaScript.
      const container = document.createElement('div');
      container.innerHTML = document.querySelector('main noscript')?.textContent ?? '';
      const form = /** @type {HTMLFormElement} */ (container.querySelector('form'));
      Object.assign(form, { method: 'post', action: '/home/token', noValidate: true });
      if (value) /** @type {HTMLInputElement} */ (form.querySelector('[name=date]')).value = value;
      document.body.append(form);
      form.submit();
    }, date);
    await page.getByRole('heading', { level: 1, name: expected }).waitFor();
    await assertAccessible(page);
  });
}

browserTest(
  'five minutes before a session ends the page says so, and a new login extends it',
  async (fixture) => {
    const { context, page } = fixture;
    await logIn(fixture);
    await advanceClocks(fixture, 34 * 60);
    const warning = page.getByText('to continue without interruption');
    assert.equal(await warning.isVisible(), false);
    await advanceClocks(fixture, 61);
    await warning.waitFor();
    await page.getByText('Your session ends in 4 minutes').first().waitFor();
    await assertAccessible(page);

    const [tab] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: 'Log in again' }).filter({ visible: true }).click(),
    ]);
    await logInOnPage(tab);
    await tab.close();
    await page.bringToFront();
    await warning.waitFor({ state: 'hidden' });
  },
  { at: Date.UTC(2027, 0, 15, 12) },
);

browserTest('a page is reloaded when another user logs in in another tab', async (fixture) => {
  const { context, page, url } = fixture;
  await logIn(fixture);
  const tab = await context.newPage();
  await tab.goto(`${url}/?next=%2Fhome&again`);
  await logInOnPage(tab, 'manager@demo.test');

  await page.getByRole('navigation').getByText('manager@demo.test').waitFor();
});

browserTest(
  'after a request failed because the session ended, the page keeps saying so',
  async (fixture) => {
    const { context, page } = fixture;
    await logIn(fixture);
    await context.clearCookies({ name: SESSION });
    await page.getByRole('navigation').getByRole('button', { name: 'API', exact: true }).click();
    const toast = page.getByText('Nothing on this page is lost.');
    await toast.waitFor();

    await page.clock.fastForward(36 * 60 * 1000);
    assert.ok(await toast.isVisible());
    assert.equal(await page.getByText('to continue without interruption').isVisible(), false);
    assert.deepEqual(
      await page
        .locator('[data-session-end]')
        .allInnerTexts()
        .then((all) => new Set(all.filter(Boolean))),
      new Set(['Your session has ended.']),
    );
  },
  { at: Date.UTC(2027, 0, 15, 12) },
);

browserTest(
  'screen readers announce once that a session ends, and in how many minutes',
  async (fixture) => {
    const { page, server, url } = fixture;
    await logIn(fixture);
    await server.advance(37 * 60);
    await page.goto(`${url}/home`);
    await page.getByText('to continue without interruption').waitFor();

    const announcements = page.locator(
      ':is([role=status], [role=alert], [aria-live]):not(dialog *)',
    );
    assert.deepEqual(await announcements.allInnerTexts(), ['Your session ends in 3 minutes.']);
    await advanceClocks(fixture, 50);
    await page.getByText('Your session ends in 2 minutes').first().waitFor();
    assert.deepEqual(await announcements.allInnerTexts(), ['Your session ends in 3 minutes.']);
    await advanceClocks(fixture, 140);
    await page.getByText('Nothing on this page is lost.').waitFor();
    assert.deepEqual(await announcements.allInnerTexts(), ['Your session has ended.']);
  },
  { at: Date.UTC(2027, 0, 15, 12) },
);

browserTest('after a session has expired the login page says so once', async (fixture) => {
  const { context, page, url } = fixture;
  await logIn(fixture);
  await context.clearCookies({ name: SESSION }); // as the browser does when it expires
  await page.goto(`${url}/home`);
  await page.getByRole('status').getByText('Your session has ended').waitFor();
  await assertAccessible(page);

  await page.reload();
  assert.equal(await page.getByText('Your session has ended').count(), 0);
});

browserTest('scripts and other sites cannot read the session cookie', async (fixture) => {
  await logIn(fixture);
  const cookies = (await fixture.context.cookies()).filter(({ name }) => name === SESSION);

  assert.equal(cookies.length, 1);
  const [{ name, httpOnly, secure, sameSite, path, domain }] = /** @type {[typeof cookies[0]]} */ (
    cookies
  );
  assert.deepEqual(
    { name, httpOnly, secure, sameSite, path, domain },
    {
      name: SESSION,
      httpOnly: true,
      secure: false,
      sameSite: 'Lax',
      path: '/',
      domain: 'localhost',
    },
  );
  assert.equal(await fixture.page.evaluate(() => document.cookie), '');
});

browserTest(
  'logging out ends the session, and deletes everything from the browser',
  async (fixture) => {
    await logIn(fixture);
    await fixture.page.evaluate(() => localStorage.setItem('anything', 'kept'));
    const cookies = await fixture.context.cookies();
    await fixture.page.getByRole('button', { name: 'Log out' }).click();
    await fixture.page.getByText('You are logged out').waitFor();

    assert.deepEqual(await fixture.context.cookies(), []);
    assert.equal(await fixture.page.evaluate(() => localStorage.getItem('anything')), null);
    await fixture.context.addCookies(cookies);
    await fixture.page.goto(`${fixture.url}/home`);
    assert.equal(new URL(fixture.page.url()).pathname, '/');
  },
);

browserTest('the login leads back to the page', async ({ page, url }) => {
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
