// @ts-check
/**
 * Starts GraphQL Playground, the IDE at `/api`. Runs before Playground's own script. Imports
 * nothing, so that no import can fail.
 *
 * Playground stores its state in localStorage in clear text, including headers and responses with
 * API tokens. This script redacts tokens in everything that is stored, but not on the screen.
 */

/**
 * @typedef {object} Config See `src/web/ide.rs`.
 * @property {number} now The server's time, in Unix seconds.
 * @property {number} expirationTime The expiration time in the prepared mutation.
 * @property {Record<string, unknown>} settings
 * @property {object[]} tabs Playground's tabs, without an endpoint.
 */

/**
 * @typedef {object} Tabs Playground's tabs by id.
 * @property {string} selectedSessionId
 * @property {{ get(id: string): { headers?: string } | undefined }} sessions
 *
 * @typedef {object} State
 * @property {string} settingsString
 * @property {Workspaces} workspaces
 *
 * @typedef {object} Workspaces
 * @property {(endpoint: string) => boolean} has
 * @property {(endpoint: string) => { sessions: Tabs } | undefined} get
 *
 * @typedef {object} Action
 * @property {string} type
 * @property {Record<string, unknown>} [payload]
 *
 * @typedef {object} Store The part of Playground's Redux store that is used here.
 * @property {() => State} getState
 * @property {(action: Action) => unknown} dispatch
 */

/**
 * @typedef {object} Playground The properties that Playground's script adds to `window`.
 * @property {Store} s
 * @property {{ init(element: HTMLElement, options: object): void }} GraphQLPlayground
 */

/**
 * The address of the API at the origin of this page. Behind a forwarded port, it differs from the
 * public one. It is absolute, so that the command of COPY CURL works.
 */
const ENDPOINT = `${location.origin}/api`;

/** The storage key of Playground's state. */
const STATE = 'graphql-playground';

/** The placeholder that replaces tokens in storage. */
const REDACTED = '<api-token>';

/** Matches a placeholder in angle brackets, but not a JWT in angle brackets. */
const PLACEHOLDER = /<(?!eyJ)[^>]*>/;

/**
 * Patterns of secrets, and their replacements. The text is JSON that contains JSON in strings, so
 * there can be any number of backslashes before a quote.
 *
 * @type {[RegExp, string][]}
 */
const SECRETS = [
  // The value of an `Authorization` header (RFC 6750, section 2.1).
  [/(\bbearer\s+)[\w.~+/=-]+/gi, `$1${REDACTED}`],
  // A JWT: it begins with `{"` in base64.
  [/eyJ[\w-]*\.[\w.-]*/g, REDACTED],
  // The response of `updateAccessToken`, whatever the format of its token.
  [/(sessionJwt\\*"\s*:\s*\\*")[^"\\]+/g, `$1${REDACTED}`],
];

/**
 * Redacts the secrets in a text.
 *
 * @param {string} text
 */
function redact(text) {
  return SECRETS.reduce((result, [pattern, value]) => result.replace(pattern, value), text);
}

/**
 * Removes the responses from Playground's state. Playground stores them but never reads them,
 * and they contain the visitor's data.
 *
 * @param {string} state
 */
function removeResponses(state) {
  try {
    return JSON.stringify(JSON.parse(state), (key, value) => (key === 'responses' ? [] : value));
  } catch {
    return state;
  }
}

/**
 * Removes the parts of a value that must not be stored.
 *
 * @param {string} key
 * @param {string} value
 */
function sanitize(key, value) {
  return redact(key === STATE ? removeResponses(value) : value);
}

/**
 * Wraps a storage so that assigning to a property also calls `setItem`.
 *
 * @param {Storage} storage
 */
function wrapStorage(storage) {
  return new Proxy(storage, {
    get(target, key) {
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, key, value) {
      target.setItem(String(key), value);
      return true;
    },
    defineProperty(target, key, { value }) {
      target.setItem(String(key), value);
      return true;
    },
  });
}

/** Sanitizes everything that a script of this page writes to storage from now on. */
function guardStorage() {
  const write = Storage.prototype.setItem;
  /** @type {typeof write} */
  Storage.prototype.setItem = function setItem(key, value) {
    write.call(this, key, sanitize(String(key), String(value)));
  };
  for (const name of /** @type {const} */ (['localStorage', 'sessionStorage'])) {
    Object.defineProperty(window, name, { configurable: true, value: wrapStorage(window[name]) });
  }
}

/**
 * Removes the query parameters from the address. Playground supports parameters that could send
 * queries and headers to another server, or add tabs and tokens.
 */
function removeParameters() {
  history.replaceState(null, '', location.pathname);
}

/**
 * Sends every query to our endpoint. Playground would send the query for the schema to
 * `/graphql` while the Settings tab is open, which has no endpoint.
 *
 * The schema is public, so it is read without credentials. If the token were wrong or incomplete,
 * Playground would say that the server cannot be reached, and not try again.
 */
function redirectRequests() {
  const send = window.fetch;
  window.fetch = async (address, options = {}) => {
    if (options.method !== 'POST') {
      return send(address, options);
    }
    const headers = new Headers(options.headers);
    if (String(options.body).includes('"operationName":"IntrospectionQuery"')) {
      headers.delete('Authorization');
      return send(ENDPOINT, { ...options, headers, credentials: 'omit' });
    }
    const isPlaceholder = PLACEHOLDER.test(headers.get('Authorization') ?? '');
    return isPlaceholder ? refuseToSend() : send(ENDPOINT, options);
  };
}

/** Returns the response to a query that is not sent, because its token is a placeholder. */
function refuseToSend() {
  const hint =
    `HTTP HEADERS contains the placeholder ${REDACTED}. Replace it with your API token, or ` +
    'delete the header to use your session. Tokens are not kept when this page is reloaded.';
  const message = 'There is no API token to send';
  return Response.json({ errors: [{ message, extensions: { code: 'NOT_SENT', hint } }] });
}

/**
 * Replaces expiration times in the stored state that are in the past, so that the prepared
 * mutation works.
 *
 * @param {Config} config
 */
function updateExpirationTimes({ now, expirationTime }) {
  const state = localStorage.getItem(STATE);
  if (state) {
    const updated = state.replace(/(expirationTime:\s*)(\d+)/g, (all, name, seconds) =>
      Number(seconds) > now ? all : name + expirationTime,
    );
    localStorage.setItem(STATE, updated);
  }
}

/**
 * Adds our tabs and settings on the first visit. Playground's own options would override the
 * visitor's tabs and settings on every visit.
 *
 * @param {Store} store
 * @param {Config} config
 */
function addTabsAndSettings(store, config) {
  if (store.getState().workspaces.has(ENDPOINT)) {
    return;
  }
  const tabs = config.tabs.map((tab) => ({ ...tab, endpoint: ENDPOINT }));
  store.dispatch({ type: 'INJECT_TABS', payload: { tabs } });
  const settings = { ...JSON.parse(store.getState().settingsString), ...config.settings };
  const settingsString = JSON.stringify(settings, null, 2);
  store.dispatch({ type: 'SET_SETTINGS_STRING', payload: { settingsString } });
}

/**
 * Stops new tabs from inheriting headers with a placeholder. New tabs inherit headers only if the
 * visitor's settings say so.
 *
 * @param {Store} store
 */
function keepPlaceholdersOutOfNewTabs(store) {
  const { dispatch, getState } = store;
  store.dispatch = (action) => {
    if (action.type === 'NEW_SESSION' && PLACEHOLDER.test(currentHeaders(getState()))) {
      return dispatch({ ...action, payload: { ...action.payload, reuseHeaders: false } });
    }
    return dispatch(action);
  };
}

/**
 * Returns the headers of the current tab, as text.
 *
 * @param {State} state
 */
function currentHeaders({ workspaces }) {
  const tabs = workspaces.get(ENDPOINT)?.sessions;
  return tabs?.sessions.get(tabs.selectedSessionId)?.headers ?? '';
}

/**
 * Starts Playground. Its script must have run.
 *
 * @param {HTMLElement} root
 * @param {Config} config
 */
function start(root, config) {
  const playground = /** @type {Playground} */ (/** @type {unknown} */ (window));
  const { s: store, GraphQLPlayground } = playground;
  addTabsAndSettings(store, config);
  keepPlaceholdersOutOfNewTabs(store);
  GraphQLPlayground.init(root, { endpoint: ENDPOINT, fixedEndpoint: true, setTitle: false });
}

const root = /** @type {HTMLElement} */ (document.getElementById('root'));
const config = /** @type {Config} */ (JSON.parse(root.dataset.config ?? ''));

guardStorage();
removeParameters();
redirectRequests();
updateExpirationTimes(config);
addEventListener('DOMContentLoaded', () => start(root, config));

export {};
