// Runs the server audits of graphql-http against local mode, or a server of which it is given
// the URL. Nothing here carries a credential.

import { createRequire } from 'node:module';

import { Server } from '../tools/server.mjs';

const require = createRequire(new URL('../../.tools/node/package.json', import.meta.url));
const { serverAudits } = require('graphql-http');

const EXPECTED_AUDITS = 61;

// Audits that we decline, by id, each with its reason: a MAY that we do not take, or a rule of
// ours that says otherwise. One that is listed here and passes is a failure too.
const DECLINED = {};

/** Whether an audit came out as it should, and what to say about it if not. */
function complaint({ id, name, status, reason }) {
  const declined = id in DECLINED;
  if (status === 'ok') return declined && `${id} ${name}: passes, take it off the list of declined audits`;
  return !declined && `${id} ${name}: ${status}, ${reason}`;
}

const server = new URL(process.argv[2] ?? (await Server.start()).url);
if (server.hostname === 'localhost') server.hostname = '127.0.0.1';

const audits = serverAudits({ url: new URL('/api', server).href });
const results = await Promise.all(audits.map((audit) => audit.fn()));
const complaints = results.map(complaint).filter(Boolean);
const passed = results.length - complaints.length;

const ids = new Set(audits.map((audit) => audit.id));
const unknown = Object.keys(DECLINED).filter((id) => !ids.has(id));
complaints.push(...unknown.map((id) => `${id}: declined, but there is no such audit`));
if (audits.length !== EXPECTED_AUDITS) complaints.push(`${audits.length} audits, not ${EXPECTED_AUDITS}`);

for (const id of Object.keys(DECLINED)) console.log(`declined ${id}: ${DECLINED[id]}`);
for (const line of complaints) console.error(line);
console.log(`${passed} passed, ${complaints.length} failed`);
process.exit(complaints.length > 0 ? 1 : 0);
