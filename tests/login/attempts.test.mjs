/** Attacks on the callback: with the state, the code, and the browser. */

import assert from 'node:assert/strict';

import {
  assertLoggedIn,
  assertRejected,
  begin,
  identify,
  login,
  testAttack,
  testLogin,
} from './setup.mjs';
import { ATTEMPT, SESSION, Visitor } from './visitor.mjs';

/**
 * Returns a function that sets a parameter of a URL.
 *
 * @param {string} name
 * @param {string | null} value Null removes it.
 */
function setParameter(name, value) {
  return (/** @type {URL} */ url) => {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  };
}

testAttack('a callback without a state is rejected', () => ({
  callback: setParameter('state', null),
}));

testAttack('a callback with an empty state is rejected', () => ({
  callback: setParameter('state', ''),
}));

testAttack('an unknown state is rejected', () => ({
  callback: setParameter('state', 'A'.repeat(43)),
}));

testAttack('the state of a login in another browser is rejected', async (world) => {
  const foreign = await begin(world);
  return { callback: setParameter('state', foreign.searchParams.get('state')) };
});

testAttack('a duplicate state is rejected', () => ({
  callback: (url) => url.searchParams.append('state', 'another'),
}));

testAttack('a callback without a code is rejected', () => ({
  callback: setParameter('code', null),
}));

testAttack('an unknown code is rejected', () => ({
  callback: setParameter('code', 'B'.repeat(43)),
}));

testAttack('the code of another login is rejected', async (world) => {
  const visitor = new Visitor();
  const foreign = await identify(visitor, await begin(world, { visitor }), 'eve@acme.test');
  return { callback: setParameter('code', foreign.searchParams.get('code')) };
});

testAttack('a code that was already used is rejected', async (world) => {
  const earlier = await login(world);
  return { callback: setParameter('code', earlier.callback.searchParams.get('code')) };
});

testAttack('a replaced code challenge is rejected', () => ({
  request: setParameter('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'),
}));

testAttack('a replaced nonce is rejected', () => ({
  request: setParameter('nonce', 'a-nonce-of-the-attacker'),
}));

testLogin(
  'a callback works only once, even in the browser that started the login',
  async (world) => {
    const { visitor, callback, response } = await login(world);
    await assertLoggedIn(world, { visitor, response });
    visitor.cookies(world.product).delete(SESSION);

    await assertRejected(world, { visitor, response: await visitor.open(callback) });
  },
);

testLogin(
  'a state works only once, even with a new code and the original cookie',
  async (world) => {
    const visitor = new Visitor();
    const request = await begin(world, { visitor });
    const attempt = visitor.cookies(world.product).get(ATTEMPT) ?? '';
    const [one, two] = [await identify(visitor, request), await identify(visitor, request)];
    assert.notEqual(one.searchParams.get('code'), two.searchParams.get('code'));
    await assertLoggedIn(world, { visitor, response: await visitor.open(one) });

    const cookies = visitor.cookies(world.product);
    cookies.delete(SESSION);
    cookies.set(ATTEMPT, attempt);
    await assertRejected(world, { visitor, response: await visitor.open(two) });
  },
);

testLogin('of two concurrent callbacks with the same state, one succeeds', async (world) => {
  const visitor = new Visitor();
  const request = await begin(world, { visitor });
  const callbacks = [await identify(visitor, request), await identify(visitor, request)];

  const responses = await Promise.all(callbacks.map((callback) => visitor.open(callback)));
  assert.deepEqual(responses.map(({ status }) => status < 400).sort(), [false, true]);
});

testLogin("an attacker's callback does not work in the victim's browser", async (world) => {
  const [attacker, victim] = [new Visitor(), new Visitor()];
  const callback = await identify(
    attacker,
    await begin(world, { visitor: attacker }),
    'eve@acme.test',
  );

  await assertRejected(world, { visitor: victim, response: await victim.open(callback) });
});

testLogin("an attacker's callback does not interrupt the victim's own login", async (world) => {
  const [attacker, victim] = [new Visitor(), new Visitor()];
  const own = await identify(victim, await begin(world, { visitor: victim }));
  const foreign = await identify(
    attacker,
    await begin(world, { visitor: attacker }),
    'eve@acme.test',
  );

  await assertRejected(world, { visitor: victim, response: await victim.open(foreign) });
  await assertLoggedIn(world, { visitor: victim, response: await victim.open(own) });
});

testLogin('a callback with the cookie of another login is rejected', async (world) => {
  const [visitor, another] = [new Visitor(), new Visitor()];
  const callback = await identify(visitor, await begin(world, { visitor }));
  await begin(world, { visitor: another });
  visitor.cookies(world.product).set(ATTEMPT, another.cookies(world.product).get(ATTEMPT) ?? '');

  await assertRejected(world, { visitor, response: await visitor.open(callback) });
});

testLogin('a login replaces a planted session and ends it', async (world) => {
  const attacker = await login(world, { email: 'eve@acme.test' });
  const planted = attacker.visitor.cookies(world.product).get(SESSION) ?? '';
  const visitor = new Visitor();
  visitor.cookies(world.product).set(SESSION, planted);

  const victim = await login(world, { visitor });
  await assertLoggedIn(world, victim);
  assert.notEqual(visitor.cookies(world.product).get(SESSION), planted);
  assert.equal(
    await attacker.visitor.query(world.product, '{ me { userEmail } }'),
    'SESSION_ENDED',
  );
});

testLogin('a login replaces a planted session that does not exist', async (world) => {
  const planted = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
  const visitor = new Visitor();
  visitor.cookies(world.product).set(SESSION, planted);

  await assertLoggedIn(world, await login(world, { visitor }));
  assert.notEqual(visitor.cookies(world.product).get(SESSION), planted);
});

testLogin('a login must be completed within ten minutes', async (world) => {
  const after = (/** @type {number} */ seconds) => ({
    callback: () => world.server.advance(seconds).then(() => {}),
  });

  await assertLoggedIn(world, await login(world, after(599)));
  await assertRejected(world, await login(world, after(600)));
});

testAttack('a callback with the `iss` of another provider is rejected', ({ other }) => ({
  callback: setParameter('iss', other.issuer),
}));

testAttack('a callback without `iss` is rejected if the provider always sends it', () => ({
  callback: setParameter('iss', null),
}));

testAttack('a code of another provider with the right `iss` is rejected', async (world) => {
  const visitor = new Visitor();
  const foreign = await identify(visitor, await begin(world, { visitor, id: 'other' }));
  return { callback: setParameter('code', foreign.searchParams.get('code')) };
});

testAttack('a user who is redirected to another provider is not logged in', async (world) => ({
  request: async (url) => new URL(url.href.replace(world.acme.issuer, world.other.issuer)),
}));

for (const next of [
  '//evil.test',
  '/%5Cevil.test',
  '/%09/evil.test',
  'https://evil.test',
  'https:evil.test',
  'javascript:alert(1)',
  '%2F%2Fevil.test',
  '/%0D%0ALocation:%20https://evil.test',
  '/%0d%0a/evil.test',
  '/..//evil.test',
]) {
  testLogin(`next=${next} does not redirect to another site`, async (world) => {
    const end = await login(world, { next });

    await assertLoggedIn(world, end);
    const url = new URL(end.response.headers.get('Location') ?? '', world.product);
    assert.equal(url.origin, world.product);
    const page = await end.visitor.open(url);
    assert.ok(!(page.headers.get('Location') ?? '').includes('evil.test'));
  });
}
