/**
 * Compares local mode with graphql-js, the reference implementation. With the same schema, both must
 * accept the same requests and return the same data. The requests have no credential, so `me` is
 * null and mutations have no data.
 */

import {
  buildSchema,
  execute,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  parse,
  validate,
} from 'graphql';

import { Server } from '../tools/server.mjs';
import { fixedRequests, randomRequests } from './documents.mjs';

/**
 * @typedef {import('./documents.mjs').GraphqlRequest} GraphqlRequest
 * @typedef {{ isValid: boolean, message: string, data?: unknown }} Result
 * @typedef {{ message: RegExp, reason: string }} KnownDifference
 */

/** The number of random requests. */
const COUNT = 600;
const WORKERS = 8;

/**
 * Requests that only graphql-js rejects, by its error message, and why local mode accepts them.
 *
 * @type {KnownDifference[]}
 */
const ACCEPTED = [
  {
    message: /Int cannot represent non 32-bit signed integer value/,
    reason: 'Int has 64 bits here, so that Unix times after 2038 are rejected with a helpful error',
  },
  {
    message: /Enum "\w+" cannot represent non-enum value: "/,
    reason: 'async-graphql accepts the name of an enum value as a string, as in variables',
  },
  {
    message: /Enum "\w+" cannot represent non-enum value: \[/,
    reason: 'async-graphql accepts a list with one variable instead of its value',
  },
  {
    message: /^Fields ".*" conflict because they have differing arguments/,
    reason: 'a string and a block string with the same value are the same argument',
  },
  {
    message: /^Variable "\$\w+" of type ".*" used in position expecting type/,
    reason: 'async-graphql compares only some types of variables, but always checks the value',
  },
  {
    message: /^Int cannot represent non-integer value: -?\d[\d.eE+]*$/,
    reason: 'any notation of a whole number is accepted as an expiration time',
  },
];

/**
 * Requests that only local mode rejects, by its error message.
 *
 * @type {KnownDifference[]}
 */
const REJECTED = [
  {
    message: /^Subscriptions are not supported/,
    reason: 'the schema has no subscriptions; graphql-js has no rule for that',
  },
  {
    message: /^Invalid value for argument "first", expected type "Int"$/,
    reason: 'null for a non-null argument is rejected before execution; graphql-js fails the field',
  },
];

const server = process.argv[2] ?? (await Server.start()).url;
const schema = buildSchema(await (await fetch(new URL('/api/schema.graphql', server))).text());

/**
 * Executes a request with graphql-js.
 *
 * @param {GraphqlRequest} request
 * @returns {Promise<Result>}
 */
async function executeWithGraphqlJs({ query, variables = {}, operationName }) {
  try {
    const document = parse(query);
    const [invalid] = validate(schema, document);
    if (invalid) return { isValid: false, message: invalid.message };
    const operation = getOperationAST(document, operationName || undefined);
    if (!operation) return { isValid: false, message: 'no operation' };
    const [wrongVariable] =
      getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors ?? [];
    if (wrongVariable) return { isValid: false, message: wrongVariable.message };
    const { data } = await execute({
      schema,
      document,
      variableValues: variables,
      operationName: operationName || undefined,
    });
    return { isValid: true, message: '', data };
  } catch (error) {
    if (error instanceof GraphQLError) return { isValid: false, message: error.message };
    throw error;
  }
}

/**
 * Sends a request to local mode.
 *
 * @param {GraphqlRequest} request
 * @returns {Promise<Result>}
 */
async function executeWithLocalMode(request) {
  const headers = {
    'Content-Type': 'application/json',
    Accept: 'application/graphql-response+json',
  };
  const response = await fetch(new URL('/api', server), {
    method: 'POST',
    headers,
    body: JSON.stringify(request),
  });
  const { data, errors } = await response.json();
  if (![200, 400].includes(response.status))
    throw new Error(`${response.status}: ${JSON.stringify(request)}`);
  return { isValid: data !== undefined, message: errors?.[0]?.message ?? '', data };
}

/** How often each known difference occurred, by its reason. */
const occurrences = new Map([...ACCEPTED, ...REJECTED].map(({ reason }) => [reason, 0]));

/**
 * Describes an unknown difference between the results of a request. Returns false if there is none.
 *
 * @param {GraphqlRequest} request
 */
async function findDifference(request) {
  const expected = await executeWithGraphqlJs(request);
  const actual = await executeWithLocalMode(request);
  if (expected.isValid && actual.isValid) {
    const expectedData = JSON.stringify(expected.data);
    const data = JSON.stringify(actual.data);
    return expectedData !== data && `the data is ${data}, expected ${expectedData}`;
  }
  if (expected.isValid === actual.isValid) return false;
  const { message } = actual.isValid ? expected : actual;
  const known = (actual.isValid ? ACCEPTED : REJECTED).find((it) => it.message.test(message));
  if (!known)
    return `${actual.isValid ? 'accepted, but graphql-js reports' : 'rejected'}: ${message}`;
  occurrences.set(known.reason, (occurrences.get(known.reason) ?? 0) + 1);
  return false;
}

const requests = [...fixedRequests(), ...randomRequests(schema, COUNT)];
let passed = 0;
let failed = 0;

/** Compares requests until there are no more. */
async function work() {
  for (let request = requests.pop(); request; request = requests.pop()) {
    const difference = await findDifference(request);
    if (difference) console.error(`${difference}\n    ${JSON.stringify(request)}`);
    if (difference) failed += 1;
    else passed += 1;
  }
}
await Promise.all(Array.from({ length: WORKERS }, work));

for (const [reason, count] of occurrences) {
  console.log(`${count} times: ${reason}`);
  if (count === 0) failed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
