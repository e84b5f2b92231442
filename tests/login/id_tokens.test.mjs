/** Attacks with ID tokens. Each test changes one property that logins depend on. */

import { exportJWK, generateKeyPair } from 'jose';

import {
  clientSecretKey,
  forge,
  publicKeyAsSecret,
  signWith,
  withClaims,
  withoutSignature,
} from './forgery.mjs';
import { CLIENT_ID } from './provider.mjs';
import { assertLoggedIn, login, testAttack, testLogin } from './setup.mjs';

/** Returns the Unix time in seconds. */
const now = () => Math.floor(Date.now() / 1000);

testLogin('an ID token that was only signed again is accepted', async (world) => {
  await assertLoggedIn(
    world,
    await login(world, { tamper: forge(world.acme, (claims) => claims) }),
  );
});

testLogin(
  'an ID token for a list of clients is accepted if this client is the authorized party',
  async (world) => {
    const tamper = withClaims(world.acme, { aud: [CLIENT_ID], azp: CLIENT_ID });
    await assertLoggedIn(world, await login(world, { tamper }));
  },
);

/** @type {[string, object][]} */
const WRONG_CLAIMS = [
  ['with the nonce of another attempt', { nonce: 'another-nonce-of-the-right-form-0123456789a' }],
  ['without a nonce', { nonce: undefined }],
  ['of another issuer', { iss: 'https://evil.test' }],
  ['without an issuer', { iss: undefined }],
  ['for another client', { aud: 'another' }],
  ['without an audience', { aud: undefined }],
  ['for this and another client', { aud: [CLIENT_ID, 'another'], azp: 'another' }],
  ['whose authorized party is another client', { azp: 'another' }],
  ['that has expired', { exp: now() - 3600, iat: now() - 7200 }],
  ['that never expires', { exp: undefined }],
  ['that was issued an hour ago', { iat: now() - 3600 }],
  ['that is issued in an hour', { iat: now() + 3600 }],
  ['without a subject', { sub: undefined }],
  ['with an invalid email address', { email: 'ana' }],
];

for (const [name, claims] of WRONG_CLAIMS) {
  testAttack(`an ID token ${name} is rejected`, ({ acme }) => ({
    tamper: withClaims(acme, claims),
  }));
}

testAttack('a valid ID token of another provider is rejected', async (world) => {
  const id_token = await idTokenOfLogin(world, 'other');
  return { tamper: (response) => ({ ...response, id_token }) };
});

testAttack('an ID token that was used for an earlier login is rejected', async (world) => {
  const id_token = await idTokenOfLogin(world, 'acme');
  return { tamper: (response) => ({ ...response, id_token }) };
});

testAttack('an ID token without a signature is rejected', () => ({ tamper: withoutSignature() }));

testAttack('an ID token whose signature was cut off is rejected', () => ({
  tamper: (response) => ({ ...response, id_token: response.id_token.replace(/[^.]*$/, '') }),
}));

testAttack('an ID token whose claims were changed after it was signed is rejected', () => ({
  tamper: (response) => {
    const [header, claims = '', signature] = response.id_token.split('.');
    const json = Buffer.from(claims, 'base64url').toString();
    const changed = Buffer.from(json.replaceAll('ana@acme.test', 'eve@acme.test'));
    return { ...response, id_token: [header, changed.toString('base64url'), signature].join('.') };
  },
}));

testAttack("an ID token that is signed with the client's secret is rejected", ({ acme }) => ({
  tamper: signWith(acme, { alg: 'HS256', kid: undefined }, clientSecretKey()),
}));

testAttack(
  'an ID token that is signed with the public key as a secret is rejected',
  async ({ acme }) => ({
    tamper: signWith(acme, { alg: 'HS256' }, await publicKeyAsSecret(acme)),
  }),
);

testAttack(
  "an ID token that another key signed with the provider's key ID is rejected",
  async ({ acme }) => ({
    tamper: signWith(acme, {}, (await generateKeyPair('RS256')).privateKey),
  }),
);

testAttack('an ID token that names its own key in its header is rejected', async ({ acme }) => {
  const { privateKey, publicKey: own } = await generateKeyPair('RS256');
  return { tamper: signWith(acme, { jwk: await exportJWK(own), kid: 'mine' }, privateKey) };
});

testAttack('an ID token with an unknown critical extension is rejected', ({ acme }) => ({
  tamper: signWith(acme, { crit: ['b64'], b64: true }, acme.keys.privateKey),
}));

testAttack('a response without an ID token is rejected', () => ({
  tamper: ({ id_token: _, ...response }) => response,
}));

testAttack('an ID token that is not a JWT is rejected', () => ({
  tamper: (response) => ({ ...response, id_token: 'a.b.c' }),
}));

/**
 * Logs in and returns the ID token.
 *
 * @param {import('./setup.mjs').World} world
 * @param {string} id
 */
async function idTokenOfLogin(world, id) {
  let token = '';
  await login(world, { id, tamper: (response) => ((token = response.id_token), response) });
  return token;
}
