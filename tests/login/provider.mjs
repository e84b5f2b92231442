/**
 * An identity provider on loopback: the certified npm package `oidc-provider`, whose answers a
 * story can tamper with, or hold back.
 */

import { createServer } from 'node:http';

import { exportJWK } from 'jose';
// @ts-expect-error the package has no types
import Provider from 'oidc-provider';

/**
 * @typedef {{ access_token: string, id_token: string }} TokenAnswer What the token endpoint says.
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {(request: Request, response: Response) => boolean} Fault Whether it took the request.
 * @typedef {object} Context What the provider's middleware gets, as far as we use it.
 * @property {string} path
 * @property {number} status
 * @property {TokenAnswer} body
 * @property {{ body?: Record<string, string> }} [oidc]
 */

// It warns, at each start and more than once, that it is no provider for production.
console.warn = console.info = () => {};

export const CLIENT_ID = 'arm';
export const CLIENT_SECRET = 'a-client-secret-of-thirty-two-bytes!';

/** A provider, with all that a story may know of it or do to it. */
export class IdentityProvider {
  /** What it says of the person who logs in, besides `sub` and `email`. */
  claims = { email_verified: true, name: 'Ana of Acme' };

  /**
   * Changes what the token endpoint answers.
   *
   * @type {(answer: TokenAnswer) => Promise<object> | object}
   */
  tamper = (answer) => answer;

  /**
   * What happens in the place of an answer.
   *
   * @type {Fault}
   */
  fault = () => false;

  /**
   * The bodies that the token endpoint was sent.
   *
   * @type {Record<string, string>[]}
   */
  asked = [];

  /**
   * @param {import('node:http').Server} server
   * @param {string} issuer
   * @param {import('jose').GenerateKeyPairResult} keys Those with which it signs.
   */
  constructor(server, issuer, keys) {
    this.server = server;
    this.issuer = issuer;
    this.keys = keys;
  }

  /**
   * Starts a provider, which knows nobody yet to send people back to.
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
   * Lets the product be a client.
   *
   * @param {string} product Where it listens.
   */
  async serve(product) {
    const provider = new Provider(this.issuer, await this.#configuration(product));
    provider.use(async (/** @type {Context} */ ctx, /** @type {() => Promise<void>} */ next) => {
      await next();
      if (ctx.path === '/token') await this.#answer(ctx);
    });
    const answer = provider.callback();
    this.server.on('request', (request, response) => this.fault(request, response) || answer(request, response));
  }

  /** Ends it, also for those who still wait. */
  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }

  /**
   * What the provider is told of itself.
   *
   * @param {string} product
   */
  async #configuration(product) {
    const signing = { ...(await exportJWK(this.keys.privateKey)), alg: 'RS256', use: 'sig', kid: 'acme-1' };
    return {
      clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [`${product}/callback`] }],
      jwks: { keys: [signing] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: false, // the ID token says who it is, as Google's and Microsoft's do
      pkce: { required: () => true },
      cookies: { keys: ['a key for the cookies of this provider'] },
      findAccount: (/** @type {object} */ _, /** @type {string} */ sub) => ({
        accountId: sub,
        claims: () => ({ sub, email: sub, ...this.claims }),
      }),
    };
  }

  /**
   * Notes what the token endpoint was asked, and gives the story a hand in its answer.
   *
   * @param {Context} ctx
   */
  async #answer(ctx) {
    this.asked.push({ ...ctx.oidc?.body });
    if (ctx.status === 200) ctx.body = /** @type {TokenAnswer} */ (await this.tamper(ctx.body));
  }
}
