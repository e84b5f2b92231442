/** The IDE at /api. */

import assert from 'node:assert/strict';

import { Ide, valueOf } from './ide.mjs';
import { logIn, story } from './story.mjs';

const WHO = '{ me { userEmail } }';
const HANA = { data: { me: { userEmail: 'hacker@demo.test' } } };

story('the first tab tells who is signed in, at the press of a button', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api`);

  const { data } = await ide.run();
  assert.equal(data.me.userEmail, 'hacker@demo.test');
});

story('the setting `request.credentials` is what sends the session', async (given) => {
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

story('a token that is on the screen is nowhere in storage', async (given) => {
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
  assert.ok(kept.includes('With a token'), 'Playground kept nothing at all');
  assert.doesNotMatch(kept, /eyJ/);
  for (const part of token.split('.')) assert.ok(!kept.includes(part));
});

story('an address that names another endpoint sends nothing there', async (given) => {
  await logIn(given);
  const ide = await Ide.open(given.page, `${given.url}/api?endpoint=https://evil.test`);

  assert.ok(!given.page.url().includes('evil'));
  await ide.newTab();
  assert.deepEqual(await ide.ask(WHO), HANA);
});

story('without a session it opens, and says that a login is required', async ({ page, url }) => {
  const ide = await Ide.open(page, `${url}/api`);

  const { errors } = await ide.run();
  assert.equal(errors[0].message, 'Login required');
});
