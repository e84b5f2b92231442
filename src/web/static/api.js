// @ts-check
/** Sends GraphQL documents to the API with the session of this browser. */

/**
 * @typedef {object} Extensions The `extensions` of an error of the API.
 * @property {string} [code]
 * @property {string} [reason]
 * @property {string} [hint]
 * @property {string} [requestId]
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [received]
 */

/** @typedef {'session-ended' | 'refused' | 'network-error'} FailureKind */

/**
 * @typedef {object} ResponseBody The body of a response of the API.
 * @property {{ message: string, extensions?: Extensions }[]} [errors]
 * @property {any} [data]
 */

/** How long to wait for a response. The server responds within ten seconds. */
const TIMEOUT_MS = 15_000;

/** A request to the API that failed. */
export class Failure extends Error {
  /**
   * @param {FailureKind} kind
   * @param {string} title A sentence without a full stop, like the messages of the API.
   * @param {Extensions} [extensions]
   */
  constructor(kind, title, extensions = {}) {
    super(title);
    this.kind = kind;
    this.extensions = extensions;
  }
}

/**
 * Sends a GraphQL document to the API and returns the `data` of the response. If the session has
 * ended, also dispatches the event `sessionended` on the document.
 *
 * @param {string} query
 * @param {Record<string, unknown>} [variables]
 * @returns {Promise<any>}
 * @throws {Failure} For the first error in the response, or if there is no response.
 */
export async function sendQuery(query, variables) {
  const { errors: [error] = [], data } = await read(await post({ query, variables }));
  if (!error) {
    return data;
  }
  const failure = new Failure(getKind(error.extensions), error.message, error.extensions);
  if (failure.kind === 'session-ended') {
    document.dispatchEvent(new Event('sessionended'));
  }
  throw failure;
}

/** @param {{ query: string, variables?: Record<string, unknown> }} request */
async function post(request) {
  try {
    return await fetch('/api', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    const hint = 'Check your connection, then try again.';
    throw new Failure('network-error', 'The server cannot be reached', { hint });
  }
}

/**
 * @param {Response} response
 * @returns {Promise<ResponseBody>}
 */
async function read(response) {
  try {
    return await response.json();
  } catch {
    // A proxy or the gateway responded with its own page.
    const requestId = response.headers.get('x-request-id') ?? undefined;
    const hint = 'A proxy between this page and the server may have responded. Try again.';
    throw new Failure('network-error', `The response cannot be read (${response.status})`, {
      hint,
      requestId,
    });
  }
}

/**
 * @param {Extensions} [extensions]
 * @returns {FailureKind}
 */
function getKind({ code } = {}) {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'session-ended';
    case 'SERVICE_UNAVAILABLE':
    case 'INTERNAL_SERVER_ERROR':
      return 'network-error';
    default:
      return 'refused';
  }
}
