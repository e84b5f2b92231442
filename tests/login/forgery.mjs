/** Forged and invalid ID tokens. */

import { SignJWT, decodeJwt, decodeProtectedHeader, exportSPKI } from 'jose';

import { CLIENT_SECRET } from './provider.mjs';

/**
 * @typedef {import('jose').JWTPayload} Claims
 * @typedef {import('jose').JWTHeaderParameters} Header
 * @typedef {import('./provider.mjs').IdentityProvider} IdentityProvider
 * @typedef {IdentityProvider['tamper']} Tamper
 */

/**
 * Changes the claims or the header of the ID token and signs it again. By default it uses the
 * provider's key, so the change is the only reason for a rejection.
 *
 * @param {IdentityProvider} provider
 * @param {(claims: Claims) => Claims} change
 * @param {{ header?: object, key?: import('jose').CryptoKey | Uint8Array }} [signature]
 * @returns {Tamper}
 */
export function forge({ keys }, change, { header = {}, key = keys.privateKey } = {}) {
  return async (response) => {
    const claims = change(decodeJwt(response.id_token));
    const protectedHeader = /** @type {Header} */ ({
      ...decodeProtectedHeader(response.id_token),
      ...header,
    });
    return {
      ...response,
      id_token: await new SignJWT(claims).setProtectedHeader(protectedHeader).sign(key),
    };
  };
}

/**
 * Changes claims of the ID token. `undefined` removes a claim.
 *
 * @param {IdentityProvider} provider
 * @param {object} claims
 */
export function withClaims(provider, claims) {
  return forge(provider, (own) => JSON.parse(JSON.stringify({ ...own, ...claims })));
}

/**
 * Signs the ID token with another header and key.
 *
 * @param {IdentityProvider} provider
 * @param {object} header
 * @param {import('jose').CryptoKey | Uint8Array} key
 */
export function signWith(provider, header, key) {
  return forge(provider, (own) => own, { header, key });
}

/**
 * Removes the signature and sets the algorithm `none`.
 *
 * @returns {Tamper}
 */
export function withoutSignature() {
  return (response) => {
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    return { ...response, id_token: `${header}.${response.id_token.split('.')[1]}.` };
  };
}

/** Returns the client secret as a symmetric key. */
export function clientSecretKey() {
  return new TextEncoder().encode(CLIENT_SECRET);
}

/**
 * Returns the public key as a symmetric key.
 *
 * @param {IdentityProvider} provider
 */
export async function publicKeyAsSecret({ keys }) {
  return new TextEncoder().encode(await exportSPKI(keys.publicKey));
}
