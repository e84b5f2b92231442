/**
 * graphql-js, the reference implementation, and we judge the same documents over our schema:
 * which are valid, and what the data of the answer is. Nobody is signed in, so `me` is null and
 * a mutation has no data, for both.
 */

import { buildSchema, execute, getOperationAST, getVariableValues, GraphQLError, parse, validate } from 'graphql';

import { Server } from '../tools/server.mjs';
import { byChance, handPicked } from './documents.mjs';

/**
 * @typedef {import('./documents.mjs').Sent} Sent
 * @typedef {{ isValid: boolean, why: string, data?: unknown }} Verdict
 */

const COUNT = 600;
const WORKERS = 8;

/**
 * Where we differ: what we take that graphql-js refuses, each with its reason. What it says
 * tells which documents are meant.
 *
 * @type {{ says: RegExp, reason: string }[]}
 */
const TAKEN = [
  {
    says: /Int cannot represent non 32-bit signed integer value/,
    reason: 'Int has 64 bits here, so that Unix times beyond 2038 reach us, and are told what is allowed',
  },
  {
    says: /Enum "\w+" cannot represent non-enum value: "/,
    reason: 'async-graphql takes the name of an enum value as a string, too, as it does in variables',
  },
  {
    says: /Enum "\w+" cannot represent non-enum value: \[/,
    reason: 'async-graphql takes a list of one variable for its value',
  },
  {
    says: /^Fields ".*" conflict because they have differing arguments/,
    reason: 'a string and a block string of the same value are the same argument',
  },
  {
    says: /^Variable "\$\w+" of type ".*" used in position expecting type/,
    reason: 'async-graphql compares only some types of variables and positions; the value is checked in any case',
  },
  {
    says: /^Int cannot represent non-integer value: -?\d[\d.eE+]*$/,
    reason: 'a whole number is an expiration time however it is written',
  },
];

/** @type {{ says: RegExp, reason: string }[]} */
const REFUSED = [
  {
    says: /^Subscriptions are not supported/,
    reason: 'the schema has no subscriptions; graphql-js has no rule for that',
  },
  {
    says: /^Invalid value for argument "first", expected type "Int"$/,
    reason: 'null for an argument that cannot be null is refused before anything is executed; graphql-js fails the field',
  },
];

const server = process.argv[2] ?? (await Server.start()).url;
const schema = buildSchema(await (await fetch(new URL('/api/schema.graphql', server))).text());

/**
 * What graphql-js says.
 *
 * @param {Sent} sent
 * @returns {Promise<Verdict>}
 */
async function theirs({ query, variables = {}, operationName }) {
  try {
    const document = parse(query);
    const [fault] = validate(schema, document);
    if (fault) return { isValid: false, why: fault.message };
    const operation = getOperationAST(document, operationName || undefined);
    if (!operation) return { isValid: false, why: 'no operation' };
    const [wrong] = getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors ?? [];
    if (wrong) return { isValid: false, why: wrong.message };
    const { data } = await execute({ schema, document, variableValues: variables, operationName: operationName || undefined });
    return { isValid: true, why: '', data };
  } catch (error) {
    if (error instanceof GraphQLError) return { isValid: false, why: error.message };
    throw error;
  }
}

/**
 * What we say.
 *
 * @param {Sent} sent
 * @returns {Promise<Verdict>}
 */
async function ours(sent) {
  const headers = { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' };
  const response = await fetch(new URL('/api', server), { method: 'POST', headers, body: JSON.stringify(sent) });
  const { data, errors } = await response.json();
  if (![200, 400].includes(response.status)) throw new Error(`${response.status}: ${JSON.stringify(sent)}`);
  return { isValid: data !== undefined, why: errors?.[0]?.message ?? '', data };
}

/** How often each difference was met, by its reason. */
const met = new Map([...TAKEN, ...REFUSED].map(({ reason }) => [reason, 0]));

/**
 * What is wrong about a document, if anything.
 *
 * @param {Sent} sent
 */
async function complaint(sent) {
  const [they, we] = await Promise.all([theirs(sent), ours(sent)]);
  if (they.isValid && we.isValid) {
    const [expected, data] = [they.data, we.data].map((it) => JSON.stringify(it));
    return expected !== data && `the data is ${data}, not ${expected}`;
  }
  if (they.isValid === we.isValid) return false;
  const known = we.isValid ? TAKEN.find(({ says }) => says.test(they.why)) : REFUSED.find(({ says }) => says.test(we.why));
  if (!known) return we.isValid ? `taken, although ${they.why}` : `refused: ${we.why}`;
  met.set(known.reason, (met.get(known.reason) ?? 0) + 1);
  return false;
}

const documents = [...handPicked(), ...byChance(schema, COUNT)];
let [passed, failed] = [0, 0];

/** Takes documents from the heap until there is none. */
async function work() {
  for (let sent = documents.pop(); sent; sent = documents.pop()) {
    const fault = await complaint(sent);
    if (fault) console.error(`${fault}\n    ${JSON.stringify(sent)}`);
    if (fault) failed += 1;
    else passed += 1;
  }
}
await Promise.all(Array.from({ length: WORKERS }, work));

for (const [reason, count] of met) {
  console.log(`${count} times: ${reason}`);
  if (count === 0) failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
