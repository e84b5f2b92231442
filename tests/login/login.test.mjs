/** Logins that succeed, and email addresses that are not accepted. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { withClaims } from './forgery.mjs';
import { CLIENT_ID } from './provider.mjs';
import {
  ANA,
  assertLoggedIn,
  assertRejected,
  begin,
  identify,
  login,
  testAttack,
  testLogin,
} from './setup.mjs';
import { ATTEMPT, SESSION, Visitor, target } from './visitor.mjs';

testLogin('a login leads to the requested page', async (world) => {
  const end = await login(world, { next: '/api' });

  await assertLoggedIn(world, end);
  assert.equal(target(end.response).href, `${world.product}/api`);
});

testLogin('a login without a requested page leads to the home page', async (world) => {
  const end = await login(world, { next: '' });

  assert.equal(target(end.response).href, `${world.product}/home`);
});

testLogin('the session cookie lasts 40 minutes', async (world) => {
  const { response } = await login(world);

  const cookie =
    response.headers.getSetCookie().find((line) => line.startsWith(`${SESSION}=`)) ?? '';
  for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/', 'Max-Age=2400']) {
    assert.ok(cookie.split('; ').includes(attribute), cookie);
  }
  assert.doesNotMatch(cookie, /domain/i);
});

testLogin('the authorization request has a state, a nonce and a code challenge', async (world) => {
  const visitor = new Visitor();
  const { origin, searchParams } = await begin(world, { visitor });

  const { state, nonce, code_challenge: challenge, ...others } = Object.fromEntries(searchParams);
  assert.equal(origin, world.acme.issuer);
  assert.deepEqual(others, {
    client_id: CLIENT_ID,
    code_challenge_method: 'S256',
    redirect_uri: `${world.product}/callback`,
    response_type: 'code',
    scope: 'openid email profile',
  });
  for (const random of [state, nonce, challenge]) assert.match(random ?? '', /^[\w-]{22,}$/);
  assert.equal(new Set([state, nonce, challenge]).size, 3);
});

testLogin('a login has an HttpOnly cookie that is deleted at its end', async (world) => {
  const visitor = new Visitor();
  const response = await visitor.open(`${world.product}/login/acme`);

  const cookie =
    response.headers.getSetCookie().find((line) => line.startsWith(`${ATTEMPT}=`)) ?? '';
  for (const attribute of ['HttpOnly', 'SameSite=Lax', 'Path=/']) {
    assert.ok(cookie.split('; ').includes(attribute), cookie);
  }
  await assertLoggedIn(world, {
    visitor,
    response: await visitor.open(await identify(visitor, target(response))),
  });
  assert.equal(visitor.cookies(world.product).get(ATTEMPT), undefined);
});

testLogin('two logins have different states, nonces and code challenges', async (world) => {
  const [one, two] = [await begin(world), await begin(world)];

  for (const name of ['state', 'nonce', 'code_challenge']) {
    assert.notEqual(one.searchParams.get(name), two.searchParams.get(name), name);
  }
});

testLogin(
  'the code is exchanged with the code verifier and without a secret in the body',
  async (world) => {
    const challenges = /** @type {(string | null)[]} */ ([]);
    await login(world, {
      request: (url) => void challenges.push(url.searchParams.get('code_challenge')),
    });

    const [body] = world.acme.tokenRequests;
    assert.equal(world.acme.tokenRequests.length, 1);
    const challenge = createHash('sha256')
      .update(body?.code_verifier ?? '')
      .digest('base64url');
    assert.deepEqual(challenges, [challenge]);
    assert.equal(body?.client_secret, undefined);
  },
);

testLogin('the first login creates an account, and the second uses it', async (world) => {
  const first = await login(world);
  assert.deepEqual(await first.visitor.query(world.product, '{ me { userEmail userName } }'), {
    me: { userEmail: ANA, userName: 'Ana of Acme' },
  });
  const expires = (await world.server.now()) / 1000 + 86_400;
  await first.visitor.query(
    world.product,
    `mutation { updateAccessToken(expirationTime: ${expires}) { success } }`,
  );

  const second = await login(world);
  const { me } = await second.visitor.query(world.product, '{ me { accessToken } }');
  assert.equal(JSON.parse(me.accessToken).hasAccessToken, true);
});

testLogin('an email address in other case belongs to the same account', async (world) => {
  await assertLoggedIn(world, await login(world, { email: 'Ana@ACME.test' }), ANA);
});

testLogin('a second login does not end the first session', async (world) => {
  const [one, two] = [await login(world), await login(world)];

  await assertLoggedIn(world, one);
  await assertLoggedIn(world, two);
});

testLogin('each provider has a button on the login page', async (world) => {
  const page = await (await new Visitor().open(`${world.product}/?next=/api`)).text();
  for (const id of ['acme', 'other']) {
    assert.match(
      page,
      new RegExp(`href="/login/${id}\\?next=[^"]*api"[^>]*>.*Continue with Acme ${id}<`),
    );
  }

  await assertLoggedIn(world, await login(world, { id: 'acme' }));
  await assertLoggedIn(
    world,
    await login(world, { id: 'other', email: 'otto@other.test' }),
    'otto@other.test',
  );
});

testLogin('the login page of an unknown provider does not exist', async (world) => {
  const response = await new Visitor().open(`${world.product}/login/nobody`);

  assert.equal(response.status, 404);
});

testLogin(
  'an address in one of the domains is accepted',
  async (world) => assertLoggedIn(world, await login(world)),
  { domains: ['acme.test'] },
);

for (const email of [
  'eve@evil.test',
  'eve@acme.test.evil.test',
  'eve@notacme.test',
  'acme.test@evil.test',
]) {
  testAttack(`an address outside of the domains is rejected: ${email}`, () => ({ email }), {
    status: 403,
    entries: { domains: ['acme.test'] },
  });
}

testAttack(
  'an unverified address is rejected',
  ({ acme }) => ({ tamper: withClaims(acme, { email_verified: false }) }),
  { status: 403 },
);

testAttack(
  'an address without a claim about its verification is rejected',
  ({ acme }) => ({ tamper: withClaims(acme, { email_verified: undefined }) }),
  { status: 403 },
);

testLogin(
  'an address that is not in the ID token is requested from the provider',
  async (world) => {
    await assertLoggedIn(
      world,
      await login(world, { tamper: withClaims(world.acme, { email: undefined }) }),
    );
  },
);

testAttack('user info of another subject than in the ID token is rejected', ({ acme }) => ({
  tamper: withClaims(acme, { email: undefined, sub: 'eve@acme.test' }),
}));

testLogin('a user who cancels at the provider sees an error and can try again', async (world) => {
  const visitor = new Visitor();
  const callback = await identify(visitor, await begin(world, { visitor }));
  callback.searchParams.delete('code');
  callback.searchParams.set('error', 'access_denied');

  await assertRejected(world, { visitor, response: await visitor.open(callback) });
  await assertLoggedIn(world, await login(world, { visitor }));
});

testLogin('the error of a provider is not rendered as HTML', async (world) => {
  const visitor = new Visitor();
  const callback = await identify(visitor, await begin(world, { visitor }));
  callback.searchParams.delete('code');
  callback.searchParams.set('error', '<script>alert(1)</script>');
  callback.searchParams.set('error_description', '<img src=x onerror=alert(1)>');

  const page = await (await visitor.open(callback)).text();
  assert.doesNotMatch(page, /<script>alert|<img src=x/);
});
