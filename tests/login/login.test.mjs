/** Logging in as it should be. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { claiming } from './forgery.mjs';
import { CLIENT_ID } from './provider.mjs';
import { ANA, attack, begin, identify, login, refused, story, succeeded } from './story.mjs';
import { ATTEMPT, SESSION, Visitor, target } from './visitor.mjs';

story('a person logs in and gets to the page that they had asked for', async (world) => {
  const end = await login(world, { next: '/api' });

  await succeeded(world, end);
  assert.equal(target(end.response).href, `${world.product}/api`);
});

story('without a wish one gets home', async (world) => {
  const end = await login(world, { next: '' });

  assert.equal(target(end.response).href, `${world.product}/home`);
});

story('the session is the same cookie of forty minutes that every login gives', async (world) => {
  const { response } = await login(world);

  const cookie = response.headers.getSetCookie().find((line) => line.startsWith(`${SESSION}=`)) ?? '';
  for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/', 'Max-Age=2400']) {
    assert.ok(cookie.split('; ').includes(attribute), cookie);
  }
  assert.doesNotMatch(cookie, /domain/i);
});

story('the provider is asked for a code, with state, nonce and a challenge', async (world) => {
  const visitor = new Visitor();
  const { origin, searchParams } = await begin(world, { visitor });

  const { state, nonce, code_challenge: challenge, ...asked } = Object.fromEntries(searchParams);
  assert.equal(origin, world.acme.issuer);
  assert.deepEqual(asked, {
    client_id: CLIENT_ID,
    code_challenge_method: 'S256',
    redirect_uri: `${world.product}/callback`,
    response_type: 'code',
    scope: 'openid email profile',
  });
  for (const random of [state, nonce, challenge]) assert.match(random ?? '', /^[\w-]{22,}$/);
  assert.equal(new Set([state, nonce, challenge]).size, 3);
});

story('an attempt is bound to its browser by a cookie that no script reads, and that ends with it', async (world) => {
  const visitor = new Visitor();
  const response = await visitor.open(`${world.product}/login/acme`);

  const cookie = response.headers.getSetCookie().find((line) => line.startsWith(`${ATTEMPT}=`)) ?? '';
  for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/']) {
    assert.ok(cookie.split('; ').includes(attribute), cookie);
  }
  await succeeded(world, { visitor, response: await visitor.open(await identify(visitor, target(response))) });
  assert.equal(visitor.cookies(world.product).get(ATTEMPT), undefined);
});

story('two attempts have nothing in common', async (world) => {
  const [one, two] = [await begin(world), await begin(world)];

  for (const name of ['state', 'nonce', 'code_challenge']) {
    assert.notEqual(one.searchParams.get(name), two.searchParams.get(name), name);
  }
});

story('the code is exchanged with the verifier of the challenge, and the secret is no parameter', async (world) => {
  const challenges = /** @type {(string | null)[]} */ ([]);
  await login(world, { request: (url) => void challenges.push(url.searchParams.get('code_challenge')) });

  const [asked] = world.acme.asked;
  assert.ok(asked && world.acme.asked.length === 1);
  const challenge = createHash('sha256').update(asked.code_verifier ?? '').digest('base64url');
  assert.deepEqual(challenges, [challenge]);
  assert.equal(asked.client_secret, undefined);
});

story('who logs in for the first time is enrolled, and is the same stakeholder the second time', async (world) => {
  const first = await login(world);
  assert.deepEqual(await first.visitor.ask(world.product, '{ me { userEmail userName } }'), {
    me: { userEmail: ANA, userName: 'Ana of Acme' },
  });
  const expires = (await world.server.now()) / 1000 + 86_400;
  await first.visitor.ask(world.product, `mutation { updateAccessToken(expirationTime: ${expires}) { success } }`);

  const second = await login(world);
  const { me } = await second.visitor.ask(world.product, '{ me { accessToken } }');
  assert.equal(JSON.parse(me.accessToken).hasAccessToken, true);
});

story('an e-mail address in other letters is the same stakeholder', async (world) => {
  await succeeded(world, await login(world, { email: 'Ana@ACME.test' }), ANA);
});

story('a second login leaves the first one alone', async (world) => {
  const [one, two] = [await login(world), await login(world)];

  await succeeded(world, one);
  await succeeded(world, two);
});

story('several providers serve side by side, each with a button', async (world) => {
  const page = await (await new Visitor().open(`${world.product}/?next=/api`)).text();
  for (const id of ['acme', 'other']) {
    assert.match(page, new RegExp(`href="/login/${id}\\?next=[^"]*api"[^>]*>.*Continue with Acme ${id}<`));
  }

  await succeeded(world, await login(world, { id: 'acme' }));
  await succeeded(world, await login(world, { id: 'other', email: 'otto@other.test' }), 'otto@other.test');
});

story('a provider that nobody has configured is a page that does not exist', async (world) => {
  const response = await new Visitor().open(`${world.product}/login/nobody`);

  assert.equal(response.status, 404);
});

story(
  'where domains are listed, an address of one of them gets in',
  async (world) => succeeded(world, await login(world)),
  { domains: ['acme.test'] },
);

for (const email of ['eve@evil.test', 'eve@acme.test.evil.test', 'eve@notacme.test', 'acme.test@evil.test']) {
  attack(`where domains are listed, ${email} is refused`, () => ({ email }), {
    status: 403,
    entries: { domains: ['acme.test'] },
  });
}

attack(
  'an address that the provider has not verified is refused',
  ({ acme }) => ({ tamper: claiming(acme, { email_verified: false }) }),
  { status: 403 },
);

attack(
  'an address of which the provider does not say that it is verified is refused',
  ({ acme }) => ({ tamper: claiming(acme, { email_verified: undefined }) }),
  { status: 403 },
);

story('an address that is not in the ID token is asked for at the provider', async (world) => {
  await succeeded(world, await login(world, { tamper: claiming(world.acme, { email: undefined }) }));
});

attack('what the provider tells of another person than the one of the ID token is refused', ({ acme }) => ({
  tamper: claiming(acme, { email: undefined, sub: 'eve@acme.test' }),
}));

story('who changes their mind at the provider is told so, and can try again', async (world) => {
  const visitor = new Visitor();
  const callback = await identify(visitor, await begin(world, { visitor }));
  callback.searchParams.delete('code');
  callback.searchParams.set('error', 'access_denied');

  await refused(world, { visitor, response: await visitor.open(callback) });
  await succeeded(world, await login(world, { visitor }));
});

story('what a provider says of an error is shown as text, or not at all', async (world) => {
  const visitor = new Visitor();
  const callback = await identify(visitor, await begin(world, { visitor }));
  callback.searchParams.delete('code');
  callback.searchParams.set('error', '<script>alert(1)</script>');
  callback.searchParams.set('error_description', '<img src=x onerror=alert(1)>');

  const page = await (await visitor.open(callback)).text();
  assert.doesNotMatch(page, /<script>alert|<img src=x/);
});
