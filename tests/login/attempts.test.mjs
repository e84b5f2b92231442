/** Attacks on the way back from the provider: on the state, the code, and the browser. */

import assert from 'node:assert/strict';

import { attack, begin, identify, login, refused, story, succeeded } from './story.mjs';
import { ATTEMPT, SESSION, Visitor } from './visitor.mjs';

/**
 * A change of one parameter of the callback.
 *
 * @param {string} name
 * @param {string | null} value Null leaves it out.
 */
function replaced(name, value) {
  return (/** @type {URL} */ url) => {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  };
}

attack('a callback without a state is refused', () => ({ callback: replaced('state', null) }));

attack('a callback with an empty state is refused', () => ({ callback: replaced('state', '') }));

attack('a state that nobody has made is refused', () => ({
  callback: replaced('state', 'A'.repeat(43)),
}));

attack('a state of an attempt in another browser is refused', async (world) => {
  const foreign = await begin(world);
  return { callback: replaced('state', foreign.searchParams.get('state')) };
});

attack('a state twice is refused', () => ({
  callback: (url) => url.searchParams.append('state', 'another'),
}));

attack('a callback without a code is refused', () => ({ callback: replaced('code', null) }));

attack('a code that nobody has given is refused', () => ({ callback: replaced('code', 'B'.repeat(43)) }));

attack('a code that was given to another attempt is refused', async (world) => {
  const visitor = new Visitor();
  const foreign = await identify(visitor, await begin(world, { visitor }), 'eve@acme.test');
  return { callback: replaced('code', foreign.searchParams.get('code')) };
});

attack('a code that was exchanged before is refused', async (world) => {
  const earlier = await login(world);
  return { callback: replaced('code', earlier.callback.searchParams.get('code')) };
});

attack('a challenge that somebody put in the place of ours is refused', () => ({
  request: replaced('code_challenge', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'),
}));

attack('a nonce that somebody put in the place of ours is refused', () => ({
  request: replaced('nonce', 'a-nonce-of-the-attacker'),
}));

story('a callback works once, also for the browser that began', async (world) => {
  const { visitor, callback, response } = await login(world);
  await succeeded(world, { visitor, response });
  visitor.cookies(world.product).delete(SESSION);

  await refused(world, { visitor, response: await visitor.open(callback) });
});

story('a state works once, also with a fresh code and the cookie of its attempt', async (world) => {
  const visitor = new Visitor();
  const request = await begin(world, { visitor });
  const attempt = visitor.cookies(world.product).get(ATTEMPT) ?? '';
  const [one, two] = [await identify(visitor, request), await identify(visitor, request)];
  assert.notEqual(one.searchParams.get('code'), two.searchParams.get('code'));
  await succeeded(world, { visitor, response: await visitor.open(one) });

  const cookies = visitor.cookies(world.product);
  cookies.delete(SESSION);
  cookies.set(ATTEMPT, attempt);
  await refused(world, { visitor, response: await visitor.open(two) });
});

story('of two callbacks at once with the same state, one gets in', async (world) => {
  const visitor = new Visitor();
  const request = await begin(world, { visitor });
  const callbacks = [await identify(visitor, request), await identify(visitor, request)];

  const answers = await Promise.all(callbacks.map((callback) => visitor.open(callback)));
  assert.deepEqual(answers.map(({ status }) => status < 400).sort(), [false, true]);
});

story('nobody is logged in as the attacker by a link that the attacker began', async (world) => {
  const [attacker, victim] = [new Visitor(), new Visitor()];
  const callback = await identify(attacker, await begin(world, { visitor: attacker }), 'eve@acme.test');

  await refused(world, { visitor: victim, response: await victim.open(callback) });
});

story('nor by such a link while their own attempt is under way, which goes on', async (world) => {
  const [attacker, victim] = [new Visitor(), new Visitor()];
  const own = await identify(victim, await begin(world, { visitor: victim }));
  const foreign = await identify(attacker, await begin(world, { visitor: attacker }), 'eve@acme.test');

  await refused(world, { visitor: victim, response: await victim.open(foreign) });
  await succeeded(world, { visitor: victim, response: await victim.open(own) });
});

story('an attempt whose cookie is another one of the right form is refused', async (world) => {
  const [visitor, another] = [new Visitor(), new Visitor()];
  const callback = await identify(visitor, await begin(world, { visitor }));
  await begin(world, { visitor: another });
  visitor.cookies(world.product).set(ATTEMPT, another.cookies(world.product).get(ATTEMPT) ?? '');

  await refused(world, { visitor, response: await visitor.open(callback) });
});

story('a session that was planted before the login is not adopted but ended', async (world) => {
  const attacker = await login(world, { email: 'eve@acme.test' });
  const planted = attacker.visitor.cookies(world.product).get(SESSION) ?? '';
  const visitor = new Visitor();
  visitor.cookies(world.product).set(SESSION, planted);

  const victim = await login(world, { visitor });
  await succeeded(world, victim);
  assert.notEqual(visitor.cookies(world.product).get(SESSION), planted);
  assert.equal(await attacker.visitor.ask(world.product, '{ me { userEmail } }'), 'SESSION_ENDED');
});

story('a made-up session that was planted before the login is not adopted', async (world) => {
  const planted = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
  const visitor = new Visitor();
  visitor.cookies(world.product).set(SESSION, planted);

  await succeeded(world, await login(world, { visitor }));
  assert.notEqual(visitor.cookies(world.product).get(SESSION), planted);
});

story('an attempt lasts for ten minutes, and not for a second more', async (world) => {
  const after = (/** @type {number} */ seconds) => ({ callback: () => world.server.advance(seconds).then(() => {}) });

  await succeeded(world, await login(world, after(599)));
  await refused(world, await login(world, after(600)));
});

attack('a callback from the other provider, by its `iss`, is refused', ({ other }) => ({
  callback: replaced('iss', other.issuer),
}));

attack('a callback without `iss`, of a provider that always sends it, is refused', () => ({
  callback: replaced('iss', null),
}));

attack('a code of the other provider is refused, though it comes with the right `iss`', async (world) => {
  const visitor = new Visitor();
  const foreign = await identify(visitor, await begin(world, { visitor, id: 'other' }));
  return { callback: replaced('code', foreign.searchParams.get('code')) };
});

attack('who is sent to the other provider on the way does not get in', async (world) => ({
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
  story(`whoever is lured with next=${next} stays on our own pages`, async (world) => {
    const end = await login(world, { next });

    await succeeded(world, end);
    const url = new URL(end.response.headers.get('Location') ?? '', world.product);
    assert.equal(url.origin, world.product);
    const leads = await end.visitor.open(url);
    assert.ok(!(leads.headers.get('Location') ?? '').includes('evil.test'));
  });
}
