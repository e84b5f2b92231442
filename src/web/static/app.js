// @ts-check
/**
 * What our pages do in a browser whatever they show: ask the API with the session,
 * know when the session is over, copy text, tell times in the visitor's words. The
 * API tokens are `token.js`'s, which imports from here; so does the IDE's `ide.js`.
 */

/**
 * @typedef {object} Extensions What the API says of an error beside its message.
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
 * @typedef {object} Visit Who is signed in, until when, by the server's clock.
 * @property {string} userEmail
 * @property {string} sessionExpiration
 * @property {{ now: number }} accessTokenPolicy
 */

/** How long an answer is waited for: longer than the server takes at most. */
const PATIENCE_MS = 15_000;

/** How often the time that is left is told anew. */
const TICK_MS = 10_000;

/** How long a button says that it has copied. */
const FEEDBACK_MS = 2_000;

/** What is asked for to know the session. */
export const VISIT = '{ me { userEmail sessionExpiration accessTokenPolicy { now } } }';

/** What was asked for and is not had. */
export class Failure extends Error {
  /**
   * @param {FailureKind} kind
   * @param {string} title A sentence without its full stop, as the API's messages are.
   * @param {Extensions} [extensions]
   */
  constructor(kind, title, extensions = {}) {
    super(title);
    this.kind = kind;
    this.extensions = extensions;
  }
}

/**
 * Asks the API in the name of the session.
 *
 * @param {string} query
 * @returns {Promise<any>} The answer's `data`.
 * @throws {Failure}
 */
export async function ask(query) {
  const { errors: [error] = [], data } = await answered(query);
  if (!error) {
    return data;
  }
  const failure = new Failure(kindOf(error.extensions), error.message, error.extensions);
  if (failure.kind === 'session-ended') {
    showWhetherOver(true);
  }
  throw failure;
}

/**
 * The body of the API's answer.
 *
 * @param {string} query
 * @returns {Promise<{ errors?: { message: string, extensions?: Extensions }[], data?: any }>}
 */
async function answered(query) {
  const response = await sent(query);
  const requestId = response.headers.get('x-request-id') ?? undefined;
  try {
    return await response.json();
  } catch {
    const hint = 'Something between this page and the server answered instead of it. Try again.';
    throw new Failure('network-error', `The answer cannot be read (${response.status})`, { hint, requestId });
  }
}

/** @param {string} query */
async function sent(query) {
  try {
    return await fetch('/api', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify({ query }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Failure('network-error', 'The server cannot be reached', { hint: 'Check your connection, then try again.' });
  }
}

/**
 * @param {Extensions} [extensions]
 * @returns {FailureKind}
 */
function kindOf({ code } = {}) {
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

/** @type {ReturnType<typeof setTimeout> | undefined} */
let ticking;

/**
 * Tells how many seconds of the session are left, now and again until none is; or
 * until this is called for another session.
 *
 * @param {number} seconds
 * @param {(left: number) => void} tell
 */
export function countDown(seconds, tell) {
  const end = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.max(0, end - Date.now());
    tell(left / 1000);
    if (left > 0) {
      ticking = setTimeout(tick, Math.min(left, TICK_MS));
    }
  };
  clearTimeout(ticking);
  tick();
}

/**
 * How many seconds of the session are left.
 *
 * @param {Visit} visit
 */
export function secondsLeft({ sessionExpiration, accessTokenPolicy }) {
  return Date.parse(sessionExpiration) / 1000 - accessTokenPolicy.now;
}

/**
 * When something ends that has so many seconds left, in words.
 *
 * @param {number} seconds
 */
export function endInWords(seconds) {
  const minutes = Math.floor(seconds / 60);
  const left = minutes < 1 ? 'less than a minute' : minutes === 1 ? '1 minute' : `${minutes} minutes`;
  const clock = new Date(Date.now() + seconds * 1000).toLocaleTimeString('en-GB', { timeStyle: 'short' });
  return `in ${left}, at ${clock}`;
}

/**
 * Says to those who listen what those who look can see.
 *
 * @param {Element} where
 * @param {string} text
 */
export function announce(where, text) {
  const status = (where.closest('dialog') ?? document).querySelector('[data-announce]');
  if (status) {
    status.textContent = text;
  }
}

/**
 * Shows that the session is over, or no longer; an open window hears of it too.
 *
 * @param {boolean} isOver
 */
function showWhetherOver(isOver) {
  for (const toast of document.querySelectorAll('[data-session-over]')) {
    /** @type {HTMLElement} */ (toast).hidden = !isOver;
  }
  if (isOver) {
    document.dispatchEvent(new Event('sessionover'));
  }
}

/** @param {number} seconds */
function watchSession(seconds) {
  const words = document.querySelector('[data-session-words]');
  countDown(seconds, (left) => {
    if (words) {
      words.textContent = left > 0 ? `Your session ends ${endInWords(left)}.` : 'Your session has ended.';
    }
    if (left === 0) {
      showWhetherOver(true);
    }
  });
}

/**
 * Looks whether there is a session again, as when the visitor comes back from logging
 * in elsewhere. Somebody else gets a page of their own.
 */
async function lookAgain() {
  const toast = /** @type {HTMLElement | null} */ (document.querySelector('[data-session-over]'));
  if (document.visibilityState !== 'visible' || toast?.hidden !== false) {
    return;
  }
  try {
    const { me } = await ask(VISIT);
    if (me.userEmail !== document.body.dataset.user) {
      location.reload();
    }
    showWhetherOver(false);
    watchSession(secondsLeft(me));
  } catch {
    // What it says already is still so.
  }
}

/**
 * Copies the text that the button is for, or selects it for the visitor to copy.
 *
 * @param {HTMLElement} button
 */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy ?? '');
  if (!source) {
    return;
  }
  const isCopied = await isWritten(source instanceof HTMLTextAreaElement ? source.value : source.textContent ?? '');
  if (!isCopied) {
    select(source);
  }
  tell(button, isCopied);
  button.dispatchEvent(new CustomEvent(isCopied ? 'copied' : 'copyfailed', { bubbles: true }));
}

/** @param {string} text */
async function isWritten(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // There is no clipboard without TLS, and where the visitor does not allow it.
    return false;
  }
}

/** @param {HTMLElement} source */
function select(source) {
  if (source instanceof HTMLTextAreaElement) {
    source.focus();
    source.select();
  } else {
    getSelection()?.selectAllChildren(source);
  }
}

/**
 * @param {HTMLElement} button
 * @param {boolean} isCopied
 */
function tell(button, isCopied) {
  const label = button.firstElementChild ?? button;
  label.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
  announce(button, isCopied ? 'Copied.' : 'It cannot be copied. The text is selected: press Ctrl+C.');
  setTimeout(() => (label.textContent = 'Copy'), FEEDBACK_MS);
}

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-copy]') : null;
  if (button) {
    void copy(/** @type {HTMLElement} */ (button));
  }
});

const { sessionSeconds } = document.body.dataset;
if (sessionSeconds) {
  watchSession(Number(sessionSeconds));
  document.addEventListener('visibilitychange', lookAgain);
  addEventListener('focus', lookAgain);
}
