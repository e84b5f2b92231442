// @ts-check
/**
 * The window of API tokens: makes, shows and revokes them. A new token is on the screen
 * only: no variable keeps it, and closing the window wipes it.
 */

/** @typedef {import('./token-words.js').Token} Token */
/** @typedef {import('./token-words.js').Policy} Policy */

export {};

const { app = '', view: viewName = '', words: wordsName = '' } = document.body.dataset;

// The names of files carry hashes, which only the page knows.
const { ask, announce, Failure } = /** @type {typeof import('./app.js')} */ (await import(app));
const view = /** @type {typeof import('./token-view.js')} */ (await import(viewName));
const words = /** @type {typeof import('./token-words.js')} */ (await import(wordsName));

const { dialog, form, date, secret, stored } = view;

/** How many tokens are read at once: the one that lives, and some before it. */
const PAGE = 10;

/** @param {string | null} after Where the page before ended. */
const reading = (after) => `{ me {
  accessTokenPolicy { now minExpirationTime maxExpirationTime }
  accessTokens(first: ${PAGE}${after ? `, after: ${JSON.stringify(after)}` : ''}) {
    nodes { name state issuedAt expiresAt lastUsedAt revokedAt revokedBy }
    pageInfo { endCursor hasNextPage }
  }
} }`;

/** @type {Policy} */
let policy = { now: 0, minExpirationTime: 0, maxExpirationTime: 0 };
/** When the policy was read, by the browser's clock that only goes forward. */
let readAt = 0;
/** @type {Token[]} */
let tokens = [];
/** Where the page that was read last ended, if there is another one. @type {string | null} */
let cursor = null;
/** What Retry does. @type {() => unknown} */
let attempt = () => during(read);
/** How often the server was needed: the answer to what was begun before the last time is ignored. */
let turns = 0;
/** Whether a change is on its way, whose answer may be a secret. */
let isChanging = false;
/** Whether the visitor has copied the secret. */
let isCopied = false;

/** The server's time, in Unix seconds. */
function now() {
  return policy.now + (performance.now() - readAt) / 1000;
}

/** Reads policy and tokens, and shows what is there. */
async function read() {
  tokens = [];
  if (await readPage(null)) {
    showTokens();
  }
  return '';
}

/** Reads the tokens before those that are listed. */
async function readMore() {
  if (await readPage(cursor)) {
    view.clearProblem(words.stateOf(tokens, now()));
  }
  return 'Earlier tokens are added.';
}

/**
 * @param {string | null} after Where the page before ended; null reads the first one.
 * @returns {Promise<boolean>} Whether the answer still counts.
 */
async function readPage(after) {
  const turn = turns;
  const { me } = await ask(reading(after));
  if (turn !== turns) {
    return false;
  }
  const { nodes, pageInfo } = me.accessTokens;
  tokens = after ? [...tokens, ...nodes] : nodes;
  cursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  take(me.accessTokenPolicy);
  view.list(tokens, now(), cursor !== null);
  view.tellHome(words.current(tokens)?.expiresAt);
  return true;
}

/** Shows the tokens; the form at once where there is none to keep. */
function showTokens() {
  const state = words.stateOf(tokens, now());
  view.show(words.current(tokens) ? 'tokens' : 'form', state);
  view.explain(state, tokens[0]);
}

/**
 * Takes what the server allows, and fits the form to it.
 *
 * @param {Policy} allowed
 */
function take(allowed) {
  [policy, readAt] = [allowed, performance.now()];
  date.min = words.dateOf(policy.minExpirationTime);
  date.max = words.dateOf(policy.maxExpirationTime);
  fill();
}

/** The choice of how long a token lasts. */
function presets() {
  return /** @type {RadioNodeList} */ (form.elements.namedItem('preset'));
}

/** Fills the date of the chosen preset in; a date of the visitor's own stays. */
function fill() {
  const preset = presets().value;
  if (preset !== 'custom') {
    const seconds = preset === 'max' ? policy.maxExpirationTime : now() + Number(preset) * words.DAY;
    date.value = words.dateOf(seconds);
  }
  judge('');
}

/** @param {string} fault What is wrong with the date, as far as it is to be shown. */
function judge(fault) {
  const isMeant = words.faultOf(date, policy) === '';
  view.judge(fault, isMeant ? words.meantInWords(words.expirationTime(date.value, policy)) : '');
}

/** Makes a token, if the date is one. */
function proceed() {
  const fault = words.faultOf(date, policy);
  judge(fault);
  if (fault) {
    date.focus();
  } else {
    void during(create, true);
  }
}

async function create() {
  const time = words.expirationTime(date.value, policy);
  const { updateAccessToken } = await ask(`mutation { updateAccessToken(expirationTime: ${time}) { sessionJwt } }`);
  view.tellHome(new Date(time * 1000).toISOString());
  if (dialog.open) {
    view.reveal(updateAccessToken.sessionJwt);
  }
  return 'The access token is ready.';
}

async function revoke() {
  await ask('mutation { invalidateAccessToken { success } }');
  await read();
  return 'The token is revoked.';
}

/**
 * Does what needs the server: busy meanwhile, and with a way on if it fails.
 *
 * @param {() => Promise<string>} action Returns what to announce.
 */
async function during(action, isChange = false) {
  const turn = (turns += 1);
  attempt = () => during(action, isChange);
  isChanging = isChange;
  view.setBusy(true, isChange);
  announce(dialog, 'Please wait…');
  const tell = await action().then(
    (text) => () => announce(dialog, text),
    (failure) => () => tellOf(failure),
  );
  if (turn !== turns) {
    return;
  }
  tell();
  isChanging = false;
  view.setBusy(false, false);
  view.focusOnView();
}

/** @param {unknown} failure */
function tellOf(failure) {
  if (!(failure instanceof Failure)) {
    throw failure;
  }
  announce(dialog, '');
  const { reason, min = 0, max = 0, received = 0 } = failure.extensions;
  if (reason === 'INVALID_EXPIRATION_TIME') {
    take({ now: min - 1, minExpirationTime: min, maxExpirationTime: max });
    judge(received > max ? words.TOO_LATE : words.INVALID);
  }
  view.tellOf(failure);
}

/** Goes on after a login in another tab: with what was chosen, or else by reading. */
function resume() {
  if (dialog.dataset.view === 'wait') {
    void during(read);
  } else {
    then(() => view.clearProblem(words.stateOf(tokens, now())));
  }
}

function open() {
  if (!dialog.open) {
    dialog.showModal();
    void during(read);
  }
}

/** Closes the window, unless a secret would be lost that nobody has kept. */
function close() {
  if (isUnkept()) {
    view.guard();
  } else if (!isChanging) {
    shut();
  }
}

/** Closes the window when nothing is left in it: `close` is told only some time later. */
function shut() {
  wipe();
  dialog.close();
  view.focusOnPage();
}

function isUnkept() {
  return dialog.dataset.view === 'created' && !isCopied && !stored.checked;
}

function wipe() {
  isCopied = false;
  tokens = [];
  cursor = null;
  view.wipe();
  if (location.hash === '#api') {
    history.replaceState(null, '', location.pathname);
  }
}

function openByHash() {
  if (location.hash === '#api') {
    open();
  }
}

/**
 * Notes a copy, if it is one of the secret.
 *
 * @param {EventTarget | null} target
 * @param {boolean} isDone
 */
function noteCopy(target, isDone) {
  const isOfSecret = target instanceof Element && target.matches('[data-copy="token-value"], [data-copy="env"], textarea');
  if (isOfSecret && secret.value !== '') {
    isCopied ||= isDone;
    view.noteCopy(isDone);
  }
}

/** @param {() => void} step */
function then(step) {
  step();
  view.focusOnView();
}

/** What the buttons do, by their `data-do`. @type {Record<string, () => unknown>} */
const actions = {
  back: () => then(showTokens),
  close,
  confirm: () => then(() => tokens.filter((token) => token === words.current(tokens)).forEach(view.confirm)),
  more: async () => {
    await during(readMore);
    view.focusOnHistory();
  },
  open,
  replace: () => then(() => view.show('replace', dialog.dataset.state ?? '')),
  retry: () => attempt(),
  revoke: () => during(revoke, true),
};

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-do]') : null;
  actions[/** @type {HTMLElement | null} */ (button)?.dataset.do ?? '']?.();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && dialog.open) {
    // Before the browser closes the window, which it does at the second Escape whatever we say.
    event.preventDefault();
    close();
  }
});
document.addEventListener('sessionphase', (event) => {
  const { detail: phase } = /** @type {CustomEvent<import('./app.js').Phase>} */ (event);
  if (!dialog.open || dialog.ariaBusy === 'true') {
    return;
  }
  if (phase === 'over' && dialog.dataset.view !== 'created') {
    announce(dialog, ''); // The problem is an alert, which says it.
    view.tellOf(new Failure('session-ended', ''));
  } else if (phase === 'running' && dialog.dataset.state === 'session-ended') {
    resume();
  }
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  proceed();
});
form.addEventListener('change', ({ target }) => {
  if (target === date) {
    presets().value = 'custom';
  }
  fill();
});

dialog.addEventListener('copied', ({ target }) => noteCopy(target, true));
dialog.addEventListener('copyfailed', ({ target }) => noteCopy(target, false));
dialog.addEventListener('copy', ({ target }) => noteCopy(target, true));
dialog.addEventListener('cancel', (event) => {
  event.preventDefault();
  close();
});
dialog.addEventListener('close', wipe);

addEventListener('beforeunload', (event) => {
  if (isUnkept()) {
    event.preventDefault();
  }
});
addEventListener('pagehide', shut);
addEventListener('hashchange', openByHash);
openByHash();
