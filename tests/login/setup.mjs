/** The setup of login tests: the application, two providers, and the steps of a login. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { generateKeyPair } from 'jose';

import { Server } from '../tools/server.mjs';
import { CLIENT_ID, CLIENT_SECRET, IdentityProvider } from './provider.mjs';
import { SESSION, Visitor, target } from './visitor.mjs';

/**
 * @typedef {object} World
 * @property {string} product The URL of the application.
 * @property {Server} server
 * @property {IdentityProvider} acme
 * @property {IdentityProvider} other
 *
 * @typedef {object} Change Changes to the default login.
 * @property {string} [id] The provider.
 * @property {string} [next] The page after the login.
 * @property {string} [email] The email address of the user.
 * @property {Visitor} [visitor] The browser.
 * @property {UrlChange} [request] Changes the URL of the authorization request.
 * @property {UrlChange} [callback] Changes the URL of the callback.
 * @property {IdentityProvider['tamper']} [tamper] Changes the response of the token endpoint.
 *
 * @typedef {(url: URL) => void | URL | Promise<void | URL>} UrlChange
 */

export const ANA = 'ana@acme.test';

const ACME_KEYS = await generateKeyPair('RS256', { extractable: true });
const OTHER_KEYS = await generateKeyPair('RS256', { extractable: true });

/**
 * Runs a test with its own application and providers. `entries` are added to the entry of `acme`.
 *
 * @param {string} name
 * @param {(world: World) => Promise<void>} run
 * @param {object} [entries]
 */
export function testLogin(name, run, entries = {}) {
  test(name, async () => {
    const starts = [ACME_KEYS, OTHER_KEYS].map((keys) => IdentityProvider.start(keys));
    const [acme, other] = /** @type {[IdentityProvider, IdentityProvider]} */ (
      await Promise.all(starts)
    );
    const folder = await mkdtemp(join(tmpdir(), 'arm-login-'));
    const file = join(folder, 'providers.json');
    const providers = [
      { ...providerEntry('acme', acme), ...entries },
      providerEntry('other', other),
    ];
    await writeFile(file, JSON.stringify(providers));
    const server = await Server.start('--providers', file);
    try {
      await Promise.all([acme.serve(server.url), other.serve(server.url)]);
      await run({ product: server.url, server, acme, other });
    } catch (error) {
      if (error instanceof Error) error.stack += `\nThe server's log:\n${server.log.join('\n')}`;
      throw error;
    } finally {
      server.stop();
      for (const provider of [acme, other]) provider.stop();
      await rm(folder, { recursive: true });
    }
  });
}

/**
 * Returns the entry of a provider in the list of providers.
 *
 * @param {string} id
 * @param {IdentityProvider} provider
 */
function providerEntry(id, { issuer }) {
  return { id, label: `Acme ${id}`, issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
}

/**
 * Starts a login. Returns the URL of the authorization request.
 *
 * @param {World} world
 * @param {Change} [change]
 */
export async function begin(
  { product },
  { id = 'acme', next = '/api', visitor = new Visitor() } = {},
) {
  return target(await visitor.open(`${product}/login/${id}?next=${next}`));
}

/**
 * Logs in at the provider. Returns the URL of the callback.
 *
 * @param {Visitor} visitor
 * @param {URL} url
 * @param {string} [email]
 */
export async function identify(visitor, url, email = ANA) {
  const provider = url.origin;
  while (url.origin === provider) {
    const page = await visitor.open(url);
    const form = page.status === 200 ? await page.text() : '';
    const prompt = /name="prompt" value="(\w+)"/.exec(form)?.[1];
    const fields = { prompt: prompt ?? '', login: email, password: 'any' };
    url = target(prompt ? await visitor.submit(url, fields) : page);
  }
  return url;
}

/**
 * Logs in. Returns the response to the callback.
 *
 * @param {World} world
 * @param {Change} [change]
 */
export async function login(world, change = {}) {
  const { visitor = new Visitor(), email, id = 'acme' } = change;
  const provider = id === 'other' ? world.other : world.acme;
  const requestUrl = await begin(world, { ...change, visitor });
  const request = (await change.request?.(requestUrl)) ?? requestUrl;
  const callbackUrl = await identify(visitor, request, email);
  const callback = (await change.callback?.(callbackUrl)) ?? callbackUrl;
  provider.tamper = change.tamper ?? ((response) => response);
  return { visitor, callback, response: await visitor.open(callback) };
}

/**
 * Asserts that the user with the email address is logged in.
 *
 * @param {World} world
 * @param {{ visitor: Visitor, response: Response }} end
 * @param {string} [email]
 */
export async function assertLoggedIn({ product }, { visitor, response }, email = ANA) {
  const { status } = response;
  assert.ok([302, 303].includes(status), `status ${status}: ${await response.text()}`);
  assert.ok(visitor.cookies(product).has(SESSION), 'there is no session');
  assert.deepEqual(await visitor.query(product, '{ me { userEmail } }'), {
    me: { userEmail: email },
  });
}

/**
 * Asserts that the response is an error page with a request ID, and that nobody is logged in.
 *
 * @param {World} world
 * @param {{ visitor: Visitor, response: Response }} end
 * @param {number} [status]
 */
export async function assertRejected({ product }, { visitor, response }, status = 400) {
  const page = await response.text();
  assert.equal(response.status, status, page);
  assert.match(response.headers.get('Content-Type') ?? '', /^text\/html/);
  const requestId = response.headers.get('X-Request-Id') ?? 'no ID';
  assert.ok(page.includes(requestId), 'the page has no request ID');
  const internals = /panicked|jsonwebtoken|reqwest|src\/|127\.0\.0\.1/;
  assert.doesNotMatch(page, internals, 'the page contains internal details');
  assert.ok(!page.includes(CLIENT_SECRET));
  assert.equal(visitor.cookies(product).get(SESSION), undefined, 'there is a session');
  assert.equal(target(await visitor.open(`${product}/home`)).pathname, '/');
}

/**
 * Runs a test of an attack: the default login succeeds, and the changed login is rejected.
 *
 * @param {string} name
 * @param {(world: World) => Change | Promise<Change>} change
 * @param {{ status?: number, entries?: object }} [expected]
 */
export function testAttack(name, change, { status, entries } = {}) {
  const run = async (/** @type {World} */ world) => {
    await assertLoggedIn(world, await login(world));
    await assertRejected(world, await login(world, await change(world)), status);
  };
  testLogin(name, run, entries);
}
