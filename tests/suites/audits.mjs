// Runs the server audits of graphql-http against local mode, or against the server whose URL is
// passed as an argument. The requests contain no credentials.

import { createRequire } from 'node:module';

import { Server } from '../tools/server.mjs';

const require = createRequire(new URL('../../.tools/node/package.json', import.meta.url));
const { serverAudits } = require('graphql-http');

const EXPECTED_AUDITS = 61;

// Audits that are expected to fail, by ID, with the reason: a MAY that we do not implement, or a
// stricter rule of this API. If such an audit passes, the suite fails.
const EXPECTED_FAILURES = {};

/** Returns what is wrong with the result of an audit, or false. */
function describeFailure({ id, name, status, reason }) {
  const isExpected = id in EXPECTED_FAILURES;
  if (status === 'ok') return isExpected && `${id} ${name}: passes, but is expected to fail`;
  return !isExpected && `${id} ${name}: ${status}, ${reason}`;
}

const server = new URL(process.argv[2] ?? (await Server.start()).url);
if (server.hostname === 'localhost') server.hostname = '127.0.0.1';

const audits = serverAudits({ url: new URL('/api', server).href });
const results = await Promise.all(audits.map((audit) => audit.fn()));
const failures = results.map(describeFailure).filter(Boolean);
const passed = results.length - failures.length;

const ids = new Set(audits.map((audit) => audit.id));
const unknown = Object.keys(EXPECTED_FAILURES).filter((id) => !ids.has(id));
failures.push(...unknown.map((id) => `${id}: expected to fail, but there is no such audit`));
if (audits.length !== EXPECTED_AUDITS) {
  failures.push(`${audits.length} audits, expected ${EXPECTED_AUDITS}`);
}

for (const [id, why] of Object.entries(EXPECTED_FAILURES)) console.log(`expected ${id}: ${why}`);
for (const line of failures) console.error(line);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
