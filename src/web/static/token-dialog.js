// @ts-check
/**
 * The API token dialog: creates, lists and revokes tokens. A new token is only on the screen. No
 * variable contains it, and closing the dialog removes it.
 */

import { announce } from './announce.js';
import { Failure, sendQuery } from './api.js';
import { expirationTime, now, onProceed, setPolicy, showDate } from './token-form.js';
import * as text from './token-text.js';
import * as view from './token-view.js';

/** @typedef {import('./token-text.js').Token} Token */

const { dialog, secret, stored } = view;

/** How many tokens to load at once. Usually these are the active one and some earlier ones. */
const PAGE_SIZE = 10;

const TOKENS_QUERY = /* GraphQL */ `
  query Tokens($first: Int!, $after: String) {
    me {
      accessTokenPolicy { now minExpirationTime maxExpirationTime }
      accessTokens(first: $first, after: $after) {
        nodes { name state issuedAt expiresAt lastUsedAt revokedAt revokedBy }
        pageInfo { endCursor hasNextPage }
      }
    }
  }
`;

const CREATE_MUTATION = /* GraphQL */ `
  mutation CreateToken($expirationTime: Int!) {
    updateAccessToken(expirationTime: $expirationTime) { sessionJwt }
  }
`;

const REVOKE_MUTATION = /* GraphQL */ `
  mutation RevokeToken {
    invalidateAccessToken { success }
  }
`;

/** The loaded tokens, newest first. @type {Token[]} */
let tokens = [];
/** The cursor for the next page of tokens, or null if there is none. @type {string | null} */
let cursor = null;
/** Repeats the last request. @type {() => unknown} */
let retry = () => run(load);
/** The number of requests so far. Responses to all but the last one are ignored. */
let requests = 0;
/** Whether a mutation is running. Its response may contain a secret. */
let isChanging = false;
/** Whether the visitor has copied the secret. */
let isCopied = false;

/** Loads the policy and the first page of tokens, and shows them. */
async function load() {
  tokens = [];
  if (await loadPage(null)) {
    showTokens();
  }
  return '';
}

/** Loads the next page of tokens. */
async function loadMore() {
  if (await loadPage(cursor)) {
    view.clearFailure(text.getStatus(tokens, now()));
  }
  return 'Earlier tokens are loaded.';
}

/**
 * @param {string | null} after The cursor after which the page begins, or null for the first page.
 * @returns {Promise<boolean>} Whether no other request was sent in the meantime.
 */
async function loadPage(after) {
  const request = requests;
  const { me } = await sendQuery(TOKENS_QUERY, { first: PAGE_SIZE, after });
  if (request !== requests) {
    return false;
  }
  const { nodes, pageInfo } = me.accessTokens;
  tokens = after ? [...tokens, ...nodes] : nodes;
  cursor = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  setPolicy(me.accessTokenPolicy);
  view.list(tokens, now(), cursor !== null);
  view.updatePage(text.findCurrent(tokens)?.expiresAt);
  return true;
}

/** Shows the tokens, or the form if there is no active one. */
function showTokens() {
  const status = text.getStatus(tokens, now());
  view.show(text.findCurrent(tokens) ? 'tokens' : 'form', status);
  view.showNotice(status, tokens[0]);
}

async function create() {
  const time = expirationTime();
  const { updateAccessToken } = await sendQuery(CREATE_MUTATION, { expirationTime: time });
  view.updatePage(new Date(time * 1000).toISOString());
  if (dialog.open) {
    view.showSecret(updateAccessToken.sessionJwt);
  }
  return 'The access token is ready.';
}

async function revoke() {
  await sendQuery(REVOKE_MUTATION);
  await load();
  return 'The token is revoked.';
}

/**
 * Runs an action that sends requests. Disables the dialog meanwhile. Shows the failure, if any.
 *
 * @param {() => Promise<string>} action Returns the text to announce.
 */
async function run(action, isChange = false) {
  const request = (requests += 1);
  retry = () => run(action, isChange);
  isChanging = isChange;
  view.setBusy(true, isChange);
  announce(dialog, 'Please wait…');
  const showResult = await action().then(
    (result) => () => announce(dialog, result),
    (failure) => () => showFailure(failure),
  );
  if (request !== requests) {
    return;
  }
  showResult();
  isChanging = false;
  view.setBusy(false, false);
  view.focusOnView();
}

/** @param {unknown} failure */
function showFailure(failure) {
  if (!(failure instanceof Failure)) {
    throw failure;
  }
  announce(dialog, '');
  const { reason, min = 0, max = 0, received = 0 } = failure.extensions;
  if (reason === 'INVALID_EXPIRATION_TIME') {
    setPolicy({ now: min - 1, minExpirationTime: min, maxExpirationTime: max });
    showDate(received > max ? text.TOO_LATE : text.INVALID_DATE);
  }
  view.showFailure(failure);
}

/** Continues after a login in another tab. Keeps what the visitor entered. */
function resume() {
  if (dialog.dataset.view === 'wait') {
    void run(load);
  } else {
    view.clearFailure(text.getStatus(tokens, now()));
    view.focusOnView();
  }
}

function open() {
  if (!dialog.open) {
    dialog.showModal();
    void run(load);
  }
}

/** Closes the dialog, unless it shows a token that the visitor has not stored. */
function close() {
  if (isUnsaved()) {
    view.showGuard();
  } else if (!isChanging) {
    closeNow();
  }
}

/** Removes the token, then closes the dialog. The event `close` would be too late for that. */
function closeNow() {
  reset();
  dialog.close();
  view.focusOnPage();
}

function isUnsaved() {
  return dialog.dataset.view === 'created' && !isCopied && !stored.checked;
}

function reset() {
  isCopied = false;
  tokens = [];
  cursor = null;
  view.reset();
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
 * Handles the event that the secret was copied, or could not be copied.
 *
 * @param {EventTarget | null} target
 * @param {boolean} isDone
 */
function noteCopy(target, isDone) {
  const sources = '[data-copy="token-value"], [data-copy="env"], textarea';
  if (target instanceof Element && target.matches(sources) && secret.value !== '') {
    isCopied ||= isDone;
    view.showCopy(isDone);
  }
}

/** The actions of the buttons, by `data-do`. @type {Record<string, () => unknown>} */
const actions = {
  back() {
    showTokens();
    view.focusOnView();
  },
  close,
  confirm() {
    const current = text.findCurrent(tokens);
    if (current) {
      view.confirmRevoke(current);
      view.focusOnView();
    }
  },
  async more() {
    await run(loadMore);
    view.focusOnEarlier();
  },
  open,
  replace() {
    view.show('replace', dialog.dataset.state ?? '');
    view.focusOnView();
  },
  retry: () => retry(),
  revoke: () => run(revoke, true),
};

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-do]') : null;
  actions[/** @type {HTMLElement | null} */ (button)?.dataset.do ?? '']?.();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && dialog.open) {
    // Browsers close a dialog at the second Escape even if its event `cancel` is prevented.
    event.preventDefault();
    close();
  }
});
document.addEventListener('sessionphase', (event) => {
  const { detail: phase } = /** @type {CustomEvent<import('./session.js').Phase>} */ (event);
  if (!dialog.open || dialog.ariaBusy === 'true') {
    return;
  }
  if (phase === 'ended' && dialog.dataset.view !== 'created') {
    announce(dialog, ''); // The failure is an alert, which screen readers announce.
    view.showFailure(new Failure('session-ended', ''));
  } else if (phase === 'running' && dialog.dataset.state === 'session-ended') {
    resume();
  }
});

onProceed(() => void run(create, true));

dialog.addEventListener('copied', ({ target }) => noteCopy(target, true));
dialog.addEventListener('copyfailed', ({ target }) => noteCopy(target, false));
dialog.addEventListener('copy', ({ target }) => noteCopy(target, true));
dialog.addEventListener('cancel', (event) => {
  event.preventDefault();
  close();
});
dialog.addEventListener('close', reset);

addEventListener('beforeunload', (event) => {
  if (isUnsaved()) {
    event.preventDefault();
  }
});
addEventListener('pagehide', closeNow);
addEventListener('hashchange', openByHash);
openByHash();
