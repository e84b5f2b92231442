/** Providers that are down, slow or send invalid responses. Later logins succeed. */

import assert from 'node:assert/strict';

import { assertLoggedIn, assertRejected, begin, identify, login, testLogin } from './setup.mjs';
import { Visitor } from './visitor.mjs';

/**
 * @typedef {import('./provider.mjs').Fault} Fault
 * @typedef {import('node:http').ServerResponse} Response
 */

/**
 * Faulty responses, and the status of the page if the token endpoint sends them. An invalid
 * response of the token endpoint does not mean that the provider is down, so it has status 400.
 *
 * @type {[string, (response: Response) => void, number][]}
 */
const FAULTS = [
  [
    'responds with status 500',
    (response) => response.writeHead(500).end('stack trace of the provider'),
    503,
  ],
  ['responds with HTML', (response) => response.writeHead(200).end('<html>'), 400],
  ['closes the connection', (response) => void response.destroy(), 503],
  [
    'redirects to another host',
    (response) => response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end(),
    400,
  ],
  ['never responds', () => {}, 503],
  ['sends an endless response', (response) => flood(response), 503],
];

/**
 * Sends a JSON response.
 *
 * @param {Response} response
 * @param {object} value
 */
function json(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

/**
 * Sends a response that never ends.
 *
 * @param {Response} response
 */
function flood(response) {
  const more = () =>
    void (response.destroyed || response.write(' '.repeat(65_536), () => setImmediate(more)));
  response.writeHead(200, { 'Content-Type': 'application/json' });
  more();
}

/**
 * Returns a fault of one path of the provider.
 *
 * @param {string} path
 * @param {(response: Response) => void} respond
 * @returns {Fault}
 */
function at(path, respond) {
  return ({ url }, response) => {
    if (!url?.startsWith(path)) return false;
    respond(response);
    return true;
  };
}

testLogin(
  'a provider that is down causes an error page, and other providers work',
  async (world) => {
    world.acme.stop();
    const visitor = new Visitor();

    await assertRejected(
      world,
      { visitor, response: await visitor.open(`${world.product}/login/acme`) },
      503,
    );
    await assertLoggedIn(world, await login(world, { id: 'other' }));
  },
);

for (const [name, respond, status] of FAULTS) {
  testLogin(
    `if discovery ${name}, there is an error page, and the next login works`,
    async (world) => {
      world.acme.fault = at('/.well-known/openid-configuration', respond);
      const visitor = new Visitor();
      await assertRejected(
        world,
        { visitor, response: await visitor.open(`${world.product}/login/acme`) },
        503,
      );

      world.acme.fault = () => false;
      await assertLoggedIn(world, await login(world));
    },
  );

  testLogin(
    `if the token endpoint ${name}, there is an error page, and the next login works`,
    async (world) => {
      const visitor = new Visitor();
      const callback = await identify(visitor, await begin(world, { visitor }));
      world.acme.fault = at('/token', respond);
      await assertRejected(world, { visitor, response: await visitor.open(callback) }, status);

      world.acme.fault = () => false;
      await assertLoggedIn(world, await login(world));
    },
  );
}

testLogin(
  'if the keys cannot be read, there is an error page, and the next login works',
  async (world) => {
    const visitor = new Visitor();
    world.acme.fault = at('/jwks', (response) => response.writeHead(500).end());
    const response = await visitor.open(`${world.product}/login/acme`);
    const end = response.status < 400 ? await login(world, { visitor }) : { visitor, response };
    await assertRejected(world, end, 503);

    world.acme.fault = () => false;
    await assertLoggedIn(world, await login(world));
  },
);

testLogin('new keys are requested at most once a minute', async (world) => {
  world.acme.fault = at('/jwks', (response) => json(response, { keys: [] }));
  await assertRejected(world, await login(world));
  world.acme.fault = () => false;
  await assertRejected(world, await login(world));

  await world.server.advance(60);
  await assertLoggedIn(world, await login(world));
});

testLogin('a discovery document of another issuer is rejected', async (world) => {
  const document = await (
    await fetch(`${world.acme.issuer}/.well-known/openid-configuration`)
  ).json();
  const lie = { ...document, issuer: world.other.issuer };
  world.acme.fault = at('/.well-known/openid-configuration', (response) => json(response, lie));
  const visitor = new Visitor();

  await assertRejected(
    world,
    { visitor, response: await visitor.open(`${world.product}/login/acme`) },
    503,
  );
});

testLogin('the discovery document and the keys are cached', async (world) => {
  const read = /** @type {string[]} */ ([]);
  world.acme.fault = ({ url = '' }) => {
    if (/openid-configuration|jwks/.test(url)) read.push(url);
    return false;
  };
  for (let i = 0; i < 3; i += 1) await assertLoggedIn(world, await login(world));

  assert.deepEqual(read.sort(), ['/.well-known/openid-configuration', '/jwks']);
});
