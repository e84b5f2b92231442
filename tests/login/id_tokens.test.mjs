/** Attacks with the ID token: every member of it that login relies on, made wrong, one at a time. */

import { exportJWK, generateKeyPair } from 'jose';

import { claiming, clientSecret, forged, publicKey, signed, unsigned } from './forgery.mjs';
import { CLIENT_ID } from './provider.mjs';
import { attack, login, story, succeeded } from './story.mjs';

/** Seconds since 1970, for the provider. */
const now = () => Math.floor(Date.now() / 1000);

story('an ID token that was signed anew, with nothing changed, lets one in', async (world) => {
  await succeeded(world, await login(world, { tamper: forged(world.acme, (claims) => claims) }));
});

story('an ID token for several, with us as the authorized party, lets one in', async (world) => {
  const tamper = claiming(world.acme, { aud: [CLIENT_ID], azp: CLIENT_ID });
  await succeeded(world, await login(world, { tamper }));
});

/** @type {[string, object][]} */
const WRONG_CLAIMS = [
  ['with the nonce of another attempt', { nonce: 'another-nonce-of-the-right-form-0123456789a' }],
  ['without a nonce', { nonce: undefined }],
  ['of another issuer', { iss: 'https://evil.test' }],
  ['without an issuer', { iss: undefined }],
  ['for another client', { aud: 'another' }],
  ['for nobody', { aud: undefined }],
  ['for us and another client', { aud: [CLIENT_ID, 'another'], azp: 'another' }],
  ['whose authorized party is another client', { azp: 'another' }],
  ['that is expired', { exp: now() - 3600, iat: now() - 7200 }],
  ['that never expires', { exp: undefined }],
  ['that was made an hour ago', { iat: now() - 3600 }],
  ['that will be made in an hour', { iat: now() + 3600 }],
  ['without a subject', { sub: undefined }],
  ['whose e-mail address is none', { email: 'ana' }],
];

for (const [name, claims] of WRONG_CLAIMS) {
  attack(`an ID token ${name} is refused`, ({ acme }) => ({ tamper: claiming(acme, claims) }));
}

attack('an ID token of the other provider, honestly made, is refused', async (world) => {
  const id_token = await honest(world, 'other');
  return { tamper: (answer) => ({ ...answer, id_token }) };
});

attack('an ID token that was used for an earlier login is refused', async (world) => {
  const id_token = await honest(world, 'acme');
  return { tamper: (answer) => ({ ...answer, id_token }) };
});

attack('an ID token without a signature is refused', () => ({ tamper: unsigned() }));

attack('an ID token whose signature was cut off is refused', () => ({
  tamper: (answer) => ({ ...answer, id_token: answer.id_token.replace(/[^.]*$/, '') }),
}));

attack('an ID token whose claims were changed after it was signed is refused', () => ({
  tamper: (answer) => {
    const [header, claims = '', signature] = answer.id_token.split('.');
    const changed = Buffer.from(claims, 'base64url').toString().replaceAll('ana@acme.test', 'eve@acme.test');
    return { ...answer, id_token: [header, Buffer.from(changed).toString('base64url'), signature].join('.') };
  },
}));

attack("an ID token that is signed with the client's secret is refused", ({ acme }) => ({
  tamper: signed(acme, { alg: 'HS256', kid: undefined }, clientSecret()),
}));

attack('an ID token that is signed with the public key as a secret is refused', async ({ acme }) => ({
  tamper: signed(acme, { alg: 'HS256' }, await publicKey(acme)),
}));

attack("an ID token that a stranger signed under the provider's key id is refused", async ({ acme }) => ({
  tamper: signed(acme, {}, (await generateKeyPair('RS256')).privateKey),
}));

attack('an ID token that names its own key in its header is refused', async ({ acme }) => {
  const { privateKey, publicKey: own } = await generateKeyPair('RS256');
  return { tamper: signed(acme, { jwk: await exportJWK(own), kid: 'mine' }, privateKey) };
});

attack('an ID token with a critical extension that nobody knows is refused', ({ acme }) => ({
  tamper: signed(acme, { crit: ['b64'], b64: true }, acme.keys.privateKey),
}));

attack('an answer without an ID token is refused', () => ({
  tamper: ({ id_token: _, ...answer }) => answer,
}));

attack('an ID token that is no token is refused', () => ({
  tamper: (answer) => ({ ...answer, id_token: 'a.b.c' }),
}));

/**
 * The ID token of a login that went through.
 *
 * @param {import('./story.mjs').World} world
 * @param {string} id
 */
async function honest(world, id) {
  let token = '';
  await login(world, { id, tamper: (answer) => ((token = answer.id_token), answer) });
  return token;
}
