// @ts-check
/**
 * The boot script of the IDE at `/api`. It runs before Playground does, keeps
 * secrets out of the browser's storage, and then starts Playground with the
 * page's configuration. The banner above it says whose session the queries use.
 *
 * Playground keeps its whole state in localStorage in clear, so also the API
 * token that it has just shown, and the headers. What it keeps on disk must be
 * worth nothing to a thief; what it shows on the screen stays as it is.
 */

/**
 * @typedef {object} Config What the server prepares, see `src/web/ide.rs`.
 * @property {number} now Unix seconds, by the server's clock.
 * @property {number} expirationTime Unix seconds, for a new API token.
 * @property {Record<string, unknown>} settings
 * @property {object[]} tabs Without their endpoint.
 */

/**
 * @typedef {object} Tabs Playground's tabs, by their ids.
 * @property {string} selectedSessionId
 * @property {{ get(id: string): { headers?: string } | undefined }} sessions
 *
 * @typedef {object} State
 * @property {string} settingsString
 * @property {{ has(endpoint: string): boolean, get(endpoint: string): { sessions: Tabs } | undefined }} workspaces
 *
 * @typedef {object} Action
 * @property {string} type
 * @property {Record<string, unknown>} [payload]
 *
 * @typedef {object} Store Playground's Redux store, as far as we use it.
 * @property {() => State} getState
 * @property {(action: Action) => unknown} dispatch
 */

/**
 * @typedef {object} Playground What Playground's script adds to `window`.
 * @property {Store} s
 * @property {{ init(element: HTMLElement, options: object): void }} GraphQLPlayground
 */

/**
 * Where queries go: to the origin of this page, which is right behind a forwarded port,
 * too. It is absolute, so that a command made by COPY CURL can be run as it is.
 */
const ENDPOINT = `${location.origin}/api`;

/** Under which key Playground keeps its state. */
const STATE = 'graphql-playground';

/** What stands in storage in the place of a secret. */
const REDACTED = '<api-token>';

/** Words in angle brackets where a token should be: no token has such a character. */
const PLACEHOLDER = /<(?!eyJ)[^>]*>/;

/**
 * What a secret looks like in text. The text is JSON in which other JSON is a
 * string, so a quote may have any number of backslashes before it.
 *
 * @type {[RegExp, string][]}
 */
const SECRETS = [
  // The value of an Authorization header (RFC 6750, section 2.1).
  [/(\bbearer\s+)[\w.~+/=-]+/gi, `$1${REDACTED}`],
  // A JWT, wherever it is: each begins with `{"` in base64.
  [/eyJ[\w-]*\.[\w.-]*/g, REDACTED],
  // What the mutation answers, whatever a token may look like one day.
  [/(sessionJwt\\*"\s*:\s*\\*")[^"\\]+/g, `$1${REDACTED}`],
];

/**
 * The text without the secrets in it.
 *
 * @param {string} text
 */
function redact(text) {
  return SECRETS.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
}

/**
 * Playground's state without the responses. It writes them and never reads
 * them again, and they are the visitor's data.
 *
 * @param {string} state
 */
function withoutResponses(state) {
  try {
    return JSON.stringify(JSON.parse(state), (key, value) => (key === 'responses' ? [] : value));
  } catch {
    return state;
  }
}

/**
 * What may be kept under the key in place of the value.
 *
 * @param {string} key
 * @param {string} value
 */
function storable(key, value) {
  return redact(key === STATE ? withoutResponses(value) : value);
}

/**
 * The storage, in which an assignment to a property is a `setItem` too.
 *
 * @param {Storage} storage
 */
function guarded(storage) {
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

/** Redacts from now on what any script of this page writes into storage. */
function guardStorage() {
  const write = Storage.prototype.setItem;
  Storage.prototype.setItem = function setItem(/** @type {string} */ key, /** @type {string} */ value) {
    write.call(this, key, storable(String(key), String(value)));
  };
  for (const name of /** @type {const} */ (['localStorage', 'sessionStorage'])) {
    Object.defineProperty(window, name, { configurable: true, value: guarded(window[name]) });
  }
}

/**
 * Makes the address plain. Playground obeys parameters of its address that
 * could send queries and headers elsewhere, or plant tabs and tokens.
 */
function dropParameters() {
  history.replaceState(null, '', location.pathname);
}

/**
 * Sends every query to our endpoint, whatever a tab thinks of as its own. The Settings tab
 * has none: while it is shown, Playground would ask `/graphql` for the schema.
 *
 * The schema is the same for everybody, so it is asked for without credentials: a token
 * that is wrong, half typed or expired would make Playground say that the server cannot
 * be reached, and go on saying so.
 */
function fixRequests() {
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
    return isPlaceholder ? notSent() : send(ENDPOINT, options);
  };
}

/** The answer to a query whose token is only a placeholder. It is made here. */
function notSent() {
  const hint =
    `HTTP HEADERS has the placeholder ${REDACTED}. Put your API token in its place, or delete the header to use ` +
    'your session. A token is not kept when this page is loaded again.';
  return Response.json({ errors: [{ message: 'There is no API token to send', extensions: { code: 'NOT_SENT', hint } }] });
}

/**
 * Mends in the kept state the expirations that have passed since, so that the prepared
 * mutation always works.
 *
 * @param {Config} config
 */
function mendState({ now, expirationTime }) {
  const state = localStorage.getItem(STATE);
  if (state) {
    const mended = state.replace(/(expirationTime:\s*)(\d+)/g, (all, name, seconds) =>
      Number(seconds) > now ? all : name + expirationTime,
    );
    localStorage.setItem(STATE, mended);
  }
}

/**
 * Gives Playground our tabs and settings, unless the visitor has their own.
 * Its own options for this would override the visitor's on each visit.
 *
 * @param {Store} store
 * @param {Config} config
 */
function furnish(store, { settings, tabs }) {
  if (store.getState().workspaces.has(ENDPOINT)) {
    return;
  }
  store.dispatch({ type: 'INJECT_TABS', payload: { tabs: tabs.map((tab) => ({ ...tab, endpoint: ENDPOINT })) } });
  const all = { ...JSON.parse(store.getState().settingsString), ...settings };
  store.dispatch({ type: 'SET_SETTINGS_STRING', payload: { settingsString: JSON.stringify(all, null, 2) } });
}

/**
 * Keeps a new tab from inheriting a placeholder, where the visitor's settings let it
 * inherit headers.
 *
 * @param {Store} store
 */
function guardNewTabs(store) {
  const { dispatch, getState } = store;
  store.dispatch = (action) => {
    if (action.type === 'NEW_SESSION' && PLACEHOLDER.test(headersShown(getState()))) {
      return dispatch({ ...action, payload: { ...action.payload, reuseHeaders: false } });
    }
    return dispatch(action);
  };
}

/**
 * The headers of the tab that is shown, as text.
 *
 * @param {State} state
 */
function headersShown({ workspaces }) {
  const tabs = workspaces.get(ENDPOINT)?.sessions;
  return tabs?.sessions.get(tabs.selectedSessionId)?.headers ?? '';
}

/**
 * Starts Playground, whose script has run by now.
 *
 * @param {HTMLElement} root
 * @param {Config} config
 */
function start(root, config) {
  const { s: store, GraphQLPlayground } = /** @type {Playground} */ (/** @type {unknown} */ (window));
  furnish(store, config);
  guardNewTabs(store);
  GraphQLPlayground.init(root, { endpoint: ENDPOINT, fixedEndpoint: true, setTitle: false });
}

/** @param {string} name */
function bannerPart(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`[data-${name}]`));
}

/**
 * @param {string} who
 * @param {string} login What the link says that leads to the login page.
 */
function tellWho(who, login) {
  bannerPart('who').textContent = who;
  bannerPart('login').textContent = login;
}

/** Fills the banner, and again whenever somebody logs in in another tab. */
async function keepBanner() {
  const app = /** @type {typeof import('./app.js')} */ (await import(document.body.dataset.app ?? ''));
  if (await fillBanner(app)) {
    app.tellOtherTabs();
  }
  app.hearOtherTabs(() => void fillBanner(app));
}

/**
 * Fills the banner: who is signed in, and until when; or that nobody is. The time runs
 * in silence: those who listen are told five minutes before the end, and at the end.
 *
 * @param {typeof import('./app.js')} app
 * @returns {Promise<boolean>} Whether somebody is signed in.
 */
async function fillBanner({ announce, ask, countDown, endInWords, phaseInWords, secondsLeft, stopCountDown, Failure, VISIT }) {
  try {
    const { me } = await ask(VISIT);
    const tell = (/** @type {number} */ left) => {
      const state = left > 0 ? `session ends ${endInWords(left)}` : 'session has ended';
      tellWho(`${me.userEmail} · ${state}`, 'Log in again');
    };
    countDown(secondsLeft(me), tell, (phase, left) => announce(document.body, phaseInWords(phase, left)));
    return true;
  } catch (failure) {
    stopCountDown();
    const isNobody = failure instanceof Failure && failure.kind === 'session-ended';
    tellWho(isNobody ? 'Not signed in' : 'Could not check who is signed in', 'Log in');
    return false;
  }
}

const root = /** @type {HTMLElement} */ (document.getElementById('root'));
const config = /** @type {Config} */ (JSON.parse(root.dataset.config ?? ''));

guardStorage();
dropParameters();
fixRequests();
mendState(config);
addEventListener('DOMContentLoaded', () => start(root, config));
void keepBanner();

export {};
