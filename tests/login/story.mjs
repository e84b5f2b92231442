/** What a story of the login starts with: the product and two providers, and a whole login. */

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
 * @property {string} product Where the product listens.
 * @property {Server} server
 * @property {IdentityProvider} acme
 * @property {IdentityProvider} other
 *
 * @typedef {object} Change What a story does otherwise in a login.
 * @property {string} [id] Through which provider.
 * @property {string} [next] Where to get to afterwards.
 * @property {string} [email] Who it is.
 * @property {Visitor} [visitor] With which browser.
 * @property {(url: URL) => void | URL | Promise<void | URL>} [request] Changes the address at the provider.
 * @property {(url: URL) => void | URL | Promise<void | URL>} [callback] Changes the address that leads back.
 * @property {IdentityProvider['tamper']} [tamper] Changes what the token endpoint answers.
 */

export const ANA = 'ana@acme.test';

const ACME_KEYS = await generateKeyPair('RS256', { extractable: true });
const OTHER_KEYS = await generateKeyPair('RS256', { extractable: true });

/**
 * A story with a world of its own. `entries` are added to what the product knows of `acme`.
 *
 * @param {string} name
 * @param {(world: World) => Promise<void>} tell
 * @param {object} [entries]
 */
export function story(name, tell, entries = {}) {
  test(name, async () => {
    const [acme, other] = await Promise.all([IdentityProvider.start(ACME_KEYS), IdentityProvider.start(OTHER_KEYS)]);
    const folder = await mkdtemp(join(tmpdir(), 'arm-login-'));
    const file = join(folder, 'providers.json');
    await writeFile(file, JSON.stringify([{ ...known('acme', acme), ...entries }, known('other', other)]));
    const server = await Server.start('--providers', file);
    try {
      await Promise.all([acme.serve(server.url), other.serve(server.url)]);
      await tell({ product: server.url, server, acme, other });
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
 * What the product is told of a provider.
 *
 * @param {string} id
 * @param {IdentityProvider} provider
 */
function known(id, { issuer }) {
  return { id, label: `Acme ${id}`, issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
}

/**
 * Goes to log in; answers the address at the provider to which it leads.
 *
 * @param {World} world
 * @param {Change} [change]
 */
export async function begin({ product }, { id = 'acme', next = '/api', visitor = new Visitor() } = {}) {
  return target(await visitor.open(`${product}/login/${id}?next=${next}`));
}

/**
 * Logs in at the provider, page by page; answers the address that leads back.
 *
 * @param {Visitor} visitor
 * @param {URL} url
 * @param {string} [email]
 */
export async function identify(visitor, url, email = ANA) {
  const provider = url.origin;
  while (url.origin === provider) {
    const page = await visitor.open(url);
    const prompt = page.status === 200 && /name="prompt" value="(\w+)"/.exec(await page.text())?.[1];
    url = target(prompt ? await visitor.submit(url, { prompt, login: email, password: 'any' }) : page);
  }
  return url;
}

/**
 * A whole login, with a change or as it should be; answers what the product says at its end.
 *
 * @param {World} world
 * @param {Change} [change]
 */
export async function login(world, change = {}) {
  const { visitor = new Visitor(), email, id = 'acme' } = change;
  const provider = id === 'other' ? world.other : world.acme;
  const asked = await begin(world, { ...change, visitor });
  const request = (await change.request?.(asked)) ?? asked;
  const answered = await identify(visitor, request, email);
  const callback = (await change.callback?.(answered)) ?? answered;
  provider.tamper = change.tamper ?? ((answer) => answer);
  return { visitor, callback, response: await visitor.open(callback) };
}

/**
 * Asserts that somebody is logged in, by the e-mail address that the API then tells.
 *
 * @param {World} world
 * @param {{ visitor: Visitor, response: Response }} end
 * @param {string} [email]
 */
export async function succeeded({ product }, { visitor, response }, email = ANA) {
  assert.ok([302, 303].includes(response.status), `the callback answered ${response.status}: ${await response.text()}`);
  assert.ok(visitor.cookies(product).has(SESSION), 'there is no session');
  assert.deepEqual(await visitor.ask(product, '{ me { userEmail } }'), { me: { userEmail: email } });
}

/**
 * Asserts that the product refuses with a page that a person can read and report, and lets
 * nobody in.
 *
 * @param {World} world
 * @param {{ visitor: Visitor, response: Response }} end
 * @param {number} [status]
 */
export async function refused({ product }, { visitor, response }, status = 400) {
  const page = await response.text();
  assert.equal(response.status, status, page);
  assert.match(response.headers.get('Content-Type') ?? '', /^text\/html/);
  assert.ok(page.includes(response.headers.get('X-Request-Id') ?? 'no id'), 'the page has no request id');
  assert.doesNotMatch(page, /panicked|openidconnect|reqwest|src\/|127\.0\.0\.1/, 'the page tells of our insides');
  assert.ok(!page.includes(CLIENT_SECRET));
  assert.equal(visitor.cookies(product).get(SESSION), undefined, 'there is a session');
  assert.equal(target(await visitor.open(`${product}/home`)).pathname, '/');
}

/**
 * The story of an attack: the login goes through as it is, and is refused with the change.
 *
 * @param {string} name
 * @param {(world: World) => Change | Promise<Change>} change
 * @param {{ status?: number, entries?: object }} [expected]
 */
export function attack(name, change, { status, entries } = {}) {
  const tell = async (/** @type {World} */ world) => {
    await succeeded(world, await login(world));
    await refused(world, await login(world, await change(world)), status);
  };
  story(name, tell, entries);
}
