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

/** @typedef {'running' | 'ending' | 'over'} Phase Of a session: `ending` is its last five minutes. */

/**
 * @typedef {object} Visit Who is signed in, until when, by the server's clock.
 * @property {string} userEmail
 * @property {string} sessionExpiration
 * @property {{ now: number }} accessTokenPolicy
 */

/** How long an answer is waited for: longer than the server takes at most. */
const PATIENCE_MS = 15_000;

/** How often the time that is left is written anew. */
const TICK_MS = 10_000;

/** How long before its end a session is said to end. */
const WARNING_MS = 5 * 60_000;

/** How long a button says that it has copied. */
const FEEDBACK_MS = 2_000;

/** How long the session lasted when the page was made; nothing on a page for everybody. */
const { sessionSeconds } = document.body.dataset;

/** Other tabs of this browser. */
const tabs = new BroadcastChannel('session');

/** Tells other tabs that there is a session, which may be a new one. */
export function tellOtherTabs() {
  tabs.postMessage(null);
}

/**
 * Calls the listener when another tab tells of a session.
 *
 * @param {() => void} listener
 */
export function hearOtherTabs(listener) {
  tabs.addEventListener('message', listener);
}

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
  if (failure.kind === 'session-ended' && sessionSeconds) {
    endSession();
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
 * Follows a session to its end, or until this is called for another one.
 *
 * @param {number} seconds How long it still lasts.
 * @param {(left: number) => void} tell Is told the seconds that are left, now and again.
 * @param {(phase: Phase, left: number) => void} turn Is told once that a phase begins, with the seconds left.
 */
export function countDown(seconds, tell, turn) {
  const end = Date.now() + seconds * 1000;
  /** @type {Phase | undefined} */
  let phase;
  const tick = () => {
    const left = Math.max(0, end - Date.now());
    const untilWarning = left > WARNING_MS ? left - WARNING_MS : left;
    tell(left / 1000);
    if (phase !== (phase = phaseOf(left))) {
      turn(phase, left / 1000);
    }
    if (left > 0) {
      ticking = setTimeout(tick, Math.min(untilWarning, TICK_MS));
    }
  };
  stopCountDown();
  tick();
}

/** Follows no session any more. */
export function stopCountDown() {
  clearTimeout(ticking);
}

/**
 * @param {number} left In milliseconds.
 * @returns {Phase}
 */
function phaseOf(left) {
  return left === 0 ? 'over' : left <= WARNING_MS ? 'ending' : 'running';
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
  const clock = new Date(Date.now() + seconds * 1000).toLocaleTimeString('en-GB', { timeStyle: 'short' });
  return `in ${leftInWords(seconds)}, at ${clock}`;
}

/**
 * The whole minutes in so many seconds, in words. A timer fires a little late, so
 * seconds are rounded first.
 *
 * @param {number} seconds
 */
function leftInWords(seconds) {
  const minutes = Math.floor(Math.round(seconds) / 60);
  return minutes < 1 ? 'less than a minute' : minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/**
 * What those who listen are told as a phase begins: nothing more often than that.
 *
 * @param {Phase} phase
 * @param {number} left The seconds that are left.
 */
export function phaseInWords(phase, left) {
  switch (phase) {
    case 'running':
      return '';
    case 'ending':
      return `Your session ends in ${leftInWords(left)}.`;
    case 'over':
      return 'Your session has ended.';
  }
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

/** In which phase the session is, as far as this page knows. @type {Phase} */
let current = 'running';

/**
 * Shows in which phase the session is; an open window hears of it, too.
 *
 * @param {Phase} phase
 * @param {number} left The seconds that are left.
 */
function showPhase(phase, left) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-phase]'))) {
    element.hidden = element.dataset.phase !== phase;
  }
  if (current !== phase) {
    current = phase;
    announce(document.querySelector('dialog[open] *') ?? document.body, phaseInWords(phase, left));
    document.dispatchEvent(new CustomEvent('sessionphase', { detail: phase }));
  }
}

/** @param {number} left The seconds that are left. */
function tellTime(left) {
  for (const words of document.querySelectorAll('[data-session-words]')) {
    words.textContent = left > 0 ? `Your session ends ${endInWords(left)}.` : 'Your session has ended.';
  }
}

/** @param {number} seconds */
function watchSession(seconds) {
  countDown(seconds, tellTime, showPhase);
}

/** Shows that the session is over, whatever the countdown says. */
function endSession() {
  stopCountDown();
  tellTime(0);
  showPhase('over', 0);
}

/** Looks whether there is a new session, when the visitor comes back to a page that needs one. */
function lookOnFocus() {
  if (current !== 'running') {
    void lookAgain();
  }
}

/**
 * Looks whose session there is. If somebody else is signed in now, this page is over and
 * is loaded again as theirs.
 */
async function lookAgain() {
  try {
    const { me } = await ask(VISIT);
    if (me.userEmail === document.body.dataset.user) {
      watchSession(secondsLeft(me));
    } else {
      endSession();
      location.reload();
    }
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
  announce(button, isCopied ? 'Copied.' : 'This page cannot copy it. The text is selected: press Ctrl+C.');
  setTimeout(() => (label.textContent = 'Copy'), FEEDBACK_MS);
}

/**
 * Makes the open menu of a narrow screen modal: nothing behind it can be reached.
 *
 * @param {HTMLElement} menu
 */
function makeModal(menu) {
  const show = (/** @type {boolean} */ isOpen) => {
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.skip, header.bar, main'))) {
      element.inert = isOpen;
    }
    menu.role = isOpen ? 'dialog' : null;
    menu.ariaModal = isOpen ? 'true' : null;
    menu.ariaLabel = isOpen ? 'Menu' : null;
  };
  menu.addEventListener('toggle', (event) => {
    const isOpen = /** @type {ToggleEvent} */ (event).newState === 'open';
    show(isOpen);
    if (isOpen) {
      menu.querySelector('button')?.focus();
    } else if (!document.activeElement?.closest('dialog')) {
      /** @type {HTMLElement | null} */ (document.querySelector('[popovertarget]'))?.focus();
    }
  });
  matchMedia('(min-width: 48rem)').addEventListener('change', () => menu.hidePopover());
}

document.querySelectorAll('[popover]').forEach((menu) => makeModal(/** @type {HTMLElement} */ (menu)));

/** Names the origin of this page in commands, which may be reached through a forwarded port. */
function fixCommands() {
  const { api = '' } = document.body.dataset;
  if (api && api !== `${location.origin}/api`) {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      text.nodeValue = (text.nodeValue ?? '').replaceAll(api, `${location.origin}/api`);
    }
  }
}

fixCommands();

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-copy]') : null;
  if (button) {
    void copy(/** @type {HTMLElement} */ (button));
  }
});

if (sessionSeconds) {
  watchSession(Number(sessionSeconds));
  addEventListener('focus', lookOnFocus);
  hearOtherTabs(lookAgain);
  tellOtherTabs();
}
