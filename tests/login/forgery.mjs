/** ID tokens as an attacker, or a provider gone wrong, would make them. */

import { SignJWT, decodeJwt, decodeProtectedHeader, exportSPKI } from 'jose';

import { CLIENT_SECRET } from './provider.mjs';

/**
 * @typedef {import('jose').JWTPayload} Claims
 * @typedef {import('jose').JWTHeaderParameters} Header
 * @typedef {import('./provider.mjs').IdentityProvider} IdentityProvider
 * @typedef {IdentityProvider['tamper']} Tamper
 */

/**
 * Signs the ID token anew, with other claims or another header. The provider's own key makes
 * the signature good, so that nothing but the change can be what is refused.
 *
 * @param {IdentityProvider} provider
 * @param {(claims: Claims) => Claims} change
 * @param {{ header?: object, key?: import('jose').CryptoKey | Uint8Array }} [signature]
 * @returns {Tamper}
 */
export function forged({ keys }, change, { header = {}, key = keys.privateKey } = {}) {
  return async (answer) => {
    const claims = change(decodeJwt(answer.id_token));
    const protectedHeader = /** @type {Header} */ ({ ...decodeProtectedHeader(answer.id_token), ...header });
    return { ...answer, id_token: await new SignJWT(claims).setProtectedHeader(protectedHeader).sign(key) };
  };
}

/**
 * Other claims, well signed; what is `undefined` is left out.
 *
 * @param {IdentityProvider} provider
 * @param {object} claims
 */
export function claiming(provider, claims) {
  return forged(provider, (own) => JSON.parse(JSON.stringify({ ...own, ...claims })));
}

/**
 * The right claims, but signed otherwise.
 *
 * @param {IdentityProvider} provider
 * @param {object} header
 * @param {import('jose').CryptoKey | Uint8Array} key
 */
export function signed(provider, header, key) {
  return forged(provider, (own) => own, { header, key });
}

/**
 * No signature at all, and a header that says so.
 *
 * @returns {Tamper}
 */
export function unsigned() {
  return (answer) => {
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    return { ...answer, id_token: `${header}.${answer.id_token.split('.')[1]}.` };
  };
}

/** The client's secret as a key: every client knows one such. */
export function clientSecret() {
  return new TextEncoder().encode(CLIENT_SECRET);
}

/**
 * The public key as if it were a secret: everybody knows it.
 *
 * @param {IdentityProvider} provider
 */
export async function publicKey({ keys }) {
  return new TextEncoder().encode(await exportSPKI(keys.publicKey));
}
