/** A provider that is down, slow or wrong: people are told, and nothing is remembered of it. */

import assert from 'node:assert/strict';

import { begin, identify, login, refused, story, succeeded } from './story.mjs';
import { Visitor } from './visitor.mjs';

/**
 * @typedef {import('./provider.mjs').Fault} Fault
 * @typedef {import('node:http').ServerResponse} Response
 */

/**
 * What can be wrong with an answer, and the status of the page when it is the answer to the
 * code: a provider that answers nonsense there is not down, but proves nobody.
 *
 * @type {[string, (response: Response) => void, number][]}
 */
const FAULTS = [
  ['answers 500', (response) => response.writeHead(500).end('stack trace of the provider'), 503],
  ['answers what is no JSON', (response) => response.writeHead(200).end('<html>'), 400],
  ['ends the connection', (response) => void response.destroy(), 503],
  ['leads elsewhere', (response) => response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end(), 400],
  ['never answers', () => {}, 503],
  ['never comes to an end', (response) => flood(response), 503],
];

/**
 * An answer in JSON.
 *
 * @param {Response} response
 * @param {object} value
 */
function json(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

/**
 * An answer of which more comes for as long as somebody reads it.
 *
 * @param {Response} response
 */
function flood(response) {
  const more = () => void (response.destroyed || response.write(' '.repeat(65_536), () => setImmediate(more)));
  response.writeHead(200, { 'Content-Type': 'application/json' });
  more();
}

/**
 * A fault of one of the provider's addresses.
 *
 * @param {string} path
 * @param {(response: Response) => void} happens
 * @returns {Fault}
 */
function at(path, happens) {
  return ({ url }, response) => {
    if (!url?.startsWith(path)) return false;
    happens(response);
    return true;
  };
}

story('a provider that listens no more is told by a page, and the others go on', async (world) => {
  world.acme.stop();
  const visitor = new Visitor();

  await refused(world, { visitor, response: await visitor.open(`${world.product}/login/acme`) }, 503);
  await succeeded(world, await login(world, { id: 'other' }));
});

for (const [name, happens, status] of FAULTS) {
  story(`a provider whose discovery ${name} is told by a page, and is asked again`, async (world) => {
    world.acme.fault = at('/.well-known/openid-configuration', happens);
    const visitor = new Visitor();
    await refused(world, { visitor, response: await visitor.open(`${world.product}/login/acme`) }, 503);

    world.acme.fault = () => false;
    await succeeded(world, await login(world));
  });

  story(`a provider whose token endpoint ${name} is told by a page, and the next login works`, async (world) => {
    const visitor = new Visitor();
    const callback = await identify(visitor, await begin(world, { visitor }));
    world.acme.fault = at('/token', happens);
    await refused(world, { visitor, response: await visitor.open(callback) }, status);

    world.acme.fault = () => false;
    await succeeded(world, await login(world));
  });
}

story('a provider whose keys cannot be read is told by a page, and the next login works', async (world) => {
  const visitor = new Visitor();
  world.acme.fault = at('/jwks', (response) => response.writeHead(500).end());
  const response = await visitor.open(`${world.product}/login/acme`);
  const end = response.status < 400 ? await login(world, { visitor }) : { visitor, response };
  await refused(world, end, 503);

  world.acme.fault = () => false;
  await succeeded(world, await login(world));
});

story('a provider that has new keys is asked for them, though once a minute at most', async (world) => {
  world.acme.fault = at('/jwks', (response) => json(response, { keys: [] }));
  await refused(world, await login(world));
  world.acme.fault = () => false;
  await refused(world, await login(world));

  await world.server.advance(60);
  await succeeded(world, await login(world));
});

story('a discovery document of another issuer is not believed', async (world) => {
  const document = await (await fetch(`${world.acme.issuer}/.well-known/openid-configuration`)).json();
  const lie = { ...document, issuer: world.other.issuer };
  world.acme.fault = at('/.well-known/openid-configuration', (response) => json(response, lie));
  const visitor = new Visitor();

  await refused(world, { visitor, response: await visitor.open(`${world.product}/login/acme`) }, 503);
});

story('the discovery document and the keys are read once for many logins', async (world) => {
  const read = /** @type {string[]} */ ([]);
  world.acme.fault = ({ url = '' }) => {
    if (/openid-configuration|jwks/.test(url)) read.push(url);
    return false;
  };
  for (let i = 0; i < 3; i += 1) await succeeded(world, await login(world));

  assert.deepEqual(read.sort(), ['/.well-known/openid-configuration', '/jwks']);
});
