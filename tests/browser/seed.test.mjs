/** The guide "Accessing ARM via API", step by step, with a screenshot of each step. */

import assert from 'node:assert/strict';

import { Ide, valueOf } from './ide.mjs';
import { Modal, queryWithToken } from './modal.mjs';
import { screenshot } from './screenshots.mjs';
import { advanceClocks, browserTest, logIn, logInOnPage } from './setup.mjs';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('./setup.mjs').Fixture} Fixture
 */

/** A fixed time, so that the screenshots are the same in every run. */
const NOON = Date.UTC(2027, 0, 15, 12);

/** The screenshots show the address that is in the README. */
const OPTIONS = { at: NOON, server: process.env.UPDATE_SCREENSHOTS ? ['--port', '3000'] : [] };

const SESSION_LIFETIME = 40 * 60;
const LAST_DAY = '2027-07-16';

/** The example in the guide, which is in the past: 31 December 2019. */
const EXAMPLE = 1577854799;

const QUERY = `{
  me {
    userEmail
    userName
    organizations {
      name
    }
  }
}`;

/** @param {number} expirationTime */
function mutation(expirationTime) {
  return `mutation {
  updateAccessToken(expirationTime: ${expirationTime}) {
    sessionJwt
  }
}`;
}

browserTest(
  'the guide, with the session: log in, Settings, a new tab, and again after 40 minutes',
  withSession,
  OPTIONS,
);

/** @param {Fixture} fixture */
async function withSession(fixture) {
  const { page, url } = fixture;
  await page.goto(url);
  await screenshot(page, '01-log-in');
  await logInOnPage(page);
  await screenshot(page, '02-home');

  const home = await fixture.context.newPage();
  await home.goto(`${url}/home`);
  await page.bringToFront();
  const ide = await Ide.open(page, `${url}/api`);
  await screenshot(page, '03-playground');

  await ide.openSettings();
  await ide.set('request.credentials', 'include');
  await ide.saveSettings();
  await screenshot(page, '04-settings');

  await ide.newTab();
  const { data } = await ide.query(QUERY);
  assert.equal(data.me.userEmail, 'hacker@demo.test');
  await screenshot(page, '05-query');

  await advanceClocks(fixture, SESSION_LIFETIME);
  const { errors } = await ide.run();
  assert.equal(errors[0].message, 'Login required');
  assert.equal(errors[0].extensions.reason, 'SESSION_EXPIRED');
  await logInAgain(fixture, home);
  await page.bringToFront();
  await page.reload();
  assert.equal((await ide.run()).data.me.userEmail, 'hacker@demo.test');
}

/**
 * Logs in again from the home page, which says that the session has ended.
 *
 * @param {Fixture} fixture
 * @param {Page} home
 */
async function logInAgain({ context }, home) {
  await home.bringToFront();
  await home
    .getByRole('region', { name: 'Your session' })
    .getByText('Your session has ended.')
    .waitFor();
  await screenshot(home, '06-session-over');
  const [tab] = await Promise.all([
    context.waitForEvent('page'),
    home.getByRole('link', { name: 'Log in again' }).filter({ visible: true }).click(),
  ]);
  await logInOnPage(tab);
  await tab.close();
}

browserTest(
  'the guide, with a token: the left panel, a date, Proceed, and the string "Access Token"',
  withToken,
  OPTIONS,
);

/** @param {Fixture} fixture */
async function withToken(fixture) {
  const { page, server, url } = fixture;
  await logIn(fixture);
  const modal = await Modal.open(page);
  await screenshot(page, '07-api-token');

  await modal.date.fill(LAST_DAY);
  await screenshot(page, '08-expiration-date');
  const token = await modal.create();
  assert.match(token, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
  await screenshot(page, '09-access-token');
  await page.emulateMedia({ colorScheme: 'dark' });
  await screenshot(page, '15-access-token-dark');
  await modal.stored.check();
  await modal.close.click();

  assert.equal(await queryWithToken(url, token), 'hacker@demo.test');
  await server.advance(SESSION_LIFETIME);
  assert.equal(await queryWithToken(url, token), 'hacker@demo.test');
  await server.moveTo(Date.parse(`${LAST_DAY}T11:59:59Z`));
  assert.equal(await queryWithToken(url, token), 'hacker@demo.test');
  await server.moveTo(Date.parse(`${LAST_DAY}T12:00:00Z`));
  assert.equal(await queryWithToken(url, token), 'TOKEN_EXPIRED');
}

browserTest(
  'the guide, with the mutation: a token in the IDE, and a query with its header',
  withMutation,
  OPTIONS,
);

/** @param {Fixture} fixture */
async function withMutation(fixture) {
  const { page, server, url } = fixture;
  await logIn(fixture);
  const ide = await Ide.open(page, `${url}/api`);
  await ide.newTab();
  const { errors } = await ide.query(mutation(EXAMPLE));
  assert.equal(errors[0].message, 'Exception - Invalid Expiration Time');
  await screenshot(page, '10-invalid-expiration-time');

  const { data } = await ide.query(mutation(NOON / 1000 + 90 * 86_400));
  const token = data.updateAccessToken.sessionJwt;
  assert.ok((await valueOf(ide.response)).includes(token));
  await screenshot(page, '11-mutation');

  await ide.newTab();
  await ide.openHeaders();
  await ide.write(ide.headersEditor, JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2));
  assert.equal((await ide.query(QUERY)).data.me.userEmail, 'hacker@demo.test');
  await screenshot(page, '12-authorization');

  await server.advance(SESSION_LIFETIME);
  assert.equal((await ide.run()).data.me.userEmail, 'hacker@demo.test');
}
