/**
 * An identity provider on loopback: the certified npm package `oidc-provider`. Tests can change or
 * replace its responses.
 */

import { createServer } from 'node:http';

import { exportJWK } from 'jose';
// @ts-expect-error the package has no types
import Provider from 'oidc-provider';

/**
 * @typedef {{ access_token: string, id_token: string }} TokenAnswer Sent by the token endpoint.
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {(request: Request, response: Response) => boolean} Fault True if it handled the request.
 * @typedef {object} Context The part of the middleware's context that is used here.
 * @property {string} path
 * @property {number} status
 * @property {TokenAnswer} body
 * @property {{ body?: Record<string, string> }} [oidc]
 */

// Suppresses the warnings that it is not configured for production.
console.warn = console.info = () => {};

export const CLIENT_ID = 'arm';
export const CLIENT_SECRET = 'a-client-secret-of-thirty-two-bytes!';

/** A provider that tests can inspect and change. */
export class IdentityProvider {
  /** Claims of the user besides `sub` and `email`. */
  claims = { email_verified: true, name: 'Ana of Acme' };

  /**
   * Changes the response of the token endpoint.
   *
   * @type {(answer: TokenAnswer) => Promise<object> | object}
   */
  tamper = (answer) => answer;

  /**
   * Handles a request instead of the provider.
   *
   * @type {Fault}
   */
  fault = () => false;

  /**
   * The bodies of the requests to the token endpoint.
   *
   * @type {Record<string, string>[]}
   */
  tokenRequests = [];

  /**
   * @param {import('node:http').Server} server
   * @param {string} issuer
   * @param {import('jose').GenerateKeyPairResult} keys The signing keys.
   */
  constructor(server, issuer, keys) {
    this.server = server;
    this.issuer = issuer;
    this.keys = keys;
  }

  /**
   * Starts a provider without clients.
   *
   * @param {import('jose').GenerateKeyPairResult} keys
   */
  static async start(keys) {
    const server = createServer();
    await new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(null)));
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    return new IdentityProvider(server, `http://127.0.0.1:${port}`, keys);
  }

  /**
   * Registers the application as a client.
   *
   * @param {string} product The URL of the application.
   */
  async serve(product) {
    const provider = new Provider(this.issuer, await this.#configuration(product));
    provider.use(async (/** @type {Context} */ ctx, /** @type {() => Promise<void>} */ next) => {
      await next();
      if (ctx.path === '/token') await this.#changeAnswer(ctx);
    });
    const answer = provider.callback();
    this.server.on('request', (request, response) => {
      if (!this.fault(request, response)) answer(request, response);
    });
  }

  /** Stops the provider and closes all connections. */
  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  /**
   * Returns the configuration of the provider.
   *
   * @param {string} product
   */
  async #configuration(product) {
    const jwk = await exportJWK(this.keys.privateKey);
    const signing = { ...jwk, alg: 'RS256', use: 'sig', kid: 'acme-1' };
    const client = { client_id: CLIENT_ID, client_secret: CLIENT_SECRET };
    return {
      clients: [{ ...client, redirect_uris: [`${product}/callback`] }],
      jwks: { keys: [signing] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      // The ID token contains the email address, as those of Google and Microsoft do.
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      cookies: { keys: ['a key for the cookies of this provider'] },
      findAccount: (/** @type {object} */ _, /** @type {string} */ sub) => ({
        accountId: sub,
        claims: () => ({ sub, email: sub, ...this.claims }),
      }),
    };
  }

  /**
   * Records the request to the token endpoint, and lets the test change the response.
   *
   * @param {Context} ctx
   */
  async #changeAnswer(ctx) {
    this.tokenRequests.push({ ...ctx.oidc?.body });
    if (ctx.status === 200) ctx.body = /** @type {TokenAnswer} */ (await this.tamper(ctx.body));
  }
}
