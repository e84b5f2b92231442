// @ts-check
/**
 * Changes what the API token dialog shows. `token-dialog.js` handles its events, and
 * `token-text.js` has its texts.
 */

import * as text from './token-text.js';

/** @typedef {import('./token-text.js').Token} Token */
/** @typedef {'wait' | 'tokens' | 'form' | 'replace' | 'confirm' | 'created'} View */

export const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('token'));

/** The placeholder for the token in the snippets. */
const PLACEHOLDER = '<api-token>';

export const form = /** @type {HTMLFormElement} */ (document.getElementById('token-form'));
export const date = /** @type {HTMLInputElement} */ (document.getElementById('token-date'));
export const secret = /** @type {HTMLTextAreaElement} */ (part('secret'));
export const stored = /** @type {HTMLInputElement} */ (part('stored'));

/**
 * @param {string} name
 * @returns {HTMLElement}
 */
function part(name) {
  return /** @type {HTMLElement} */ (dialog.querySelector(`[data-part="${name}"]`));
}

/**
 * Sets the text of a part. Hides the part if the text is empty.
 *
 * @param {string} name
 * @param {string} [text]
 */
function setText(name, text = '') {
  part(name).textContent = text;
  part(name).hidden = text === '';
}

/**
 * Shows a view of the dialog. Hides empty lists.
 *
 * @param {View} view
 * @param {string} state
 */
export function show(view, state) {
  Object.assign(dialog.dataset, { view, state });
  part('title').textContent = text.getTitle(view, state);
  for (const element of dialog.querySelectorAll('[data-views]')) {
    const { dataset } = /** @type {HTMLElement} */ (element);
    const isEmpty = element.matches('.tokens:empty, details:has(.history:empty)');
    element.toggleAttribute('hidden', isEmpty || !dataset.views?.split(' ').includes(view));
  }
  for (const name of ['notice', 'problem', 'guard', 'copy-failed']) {
    part(name).hidden = true;
  }
}

/**
 * Lists the tokens: active ones with their details, earlier ones in a collapsed list.
 *
 * @param {Token[]} tokens
 * @param {number} now
 * @param {boolean} hasMore Whether there are more tokens to load.
 */
export function list(tokens, now, hasMore) {
  const active = tokens.filter(({ state }) => state === 'ACTIVE');
  const earlier = tokens.filter(({ state }) => state !== 'ACTIVE');
  part('active').replaceChildren(...active.map((token) => render('item', token, now)));
  part('earlier').replaceChildren(...earlier.map((token) => render('line', token, now)));
  part('more').hidden = !hasMore;
}

/**
 * @param {'item' | 'line'} name The template.
 * @param {Token} token
 * @param {number} now
 */
function render(name, token, now) {
  const template = /** @type {HTMLTemplateElement} */ (part(name));
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const [badge, tone] = text.getBadge(token, now);
  for (const [name, value] of Object.entries({ ...text.getFields(token), badge })) {
    const field = copy.querySelector(`[data-field="${name}"]`);
    if (field) {
      field.textContent = value;
    }
  }
  /** @type {HTMLElement} */ (copy.querySelector('.badge')).dataset.tone = tone;
  return copy;
}

/**
 * Explains the status of the tokens, if the visitor should do something about it.
 *
 * @param {import('./token-text.js').TokenStatus} status
 * @param {Token} [newest]
 */
export function showNotice(status, newest) {
  const [title, explanation] = text.getNotice(status, newest) ?? [];
  setText('notice-title', title);
  setText('notice-text', explanation);
  part('notice').hidden = !title;
  part('notice').classList.toggle('warn', status !== 'revoked');
}

/**
 * Shows what is wrong with the date. If nothing is, shows when the token will expire.
 *
 * @param {string} fault
 * @param {string} expiration
 */
export function showDate(fault, expiration) {
  setText('error', fault);
  date.setAttribute('aria-invalid', String(fault !== ''));
  part('expiration').textContent = fault ? '' : expiration;
}

/**
 * Shows the view that confirms the revocation of a token.
 *
 * @param {Token} token
 */
export function confirmRevoke(token) {
  part('confirm-name').textContent = token.name;
  part('confirm-use').textContent = text.describeLastUse(token);
  show('confirm', dialog.dataset.state ?? '');
}

/**
 * Disables the dialog during a request. It can still be closed if the request changes nothing.
 *
 * @param {boolean} isBusy
 * @param {boolean} isChange
 */
export function setBusy(isBusy, isChange) {
  dialog.setAttribute('aria-busy', String(isBusy));
  /** @type {HTMLFieldSetElement} */ (part('content')).disabled = isBusy;
  for (const button of dialog.querySelectorAll('button')) {
    button.disabled = isBusy && (isChange || button.dataset.do !== 'close');
  }
  if (isBusy) {
    clearFailure('pending');
    part('title').focus();
  }
}

/**
 * Moves the focus to what the visitor should read first. Focusing a button further down would
 * scroll a warning out of sight in a small window.
 */
export function focusOnView() {
  const { view } = dialog.dataset;
  const heading = dialog.querySelector(`[data-heading="${view}"]`) ?? part('title');
  const problem = part('problem');
  (problem.hidden ? /** @type {HTMLElement} */ (heading) : problem).focus();
}

/** Moves the focus back to the earlier tokens after more of them were loaded. */
export function focusOnEarlier() {
  if (part('problem').hidden) {
    const summary = /** @type {HTMLElement} */ (dialog.querySelector('summary'));
    (part('more').hidden ? summary : part('more')).focus();
  }
}

/** Moves the focus to the menu button, if the button that opened the dialog is hidden. */
export function focusOnPage() {
  if (document.activeElement === document.body || document.activeElement === null) {
    /** @type {HTMLElement | null} */ (document.querySelector('[popovertarget]'))?.focus();
  }
}

/**
 * Updates the page behind the dialog: whether there is a token, and when it expires.
 *
 * @param {string} [expiresAt]
 */
export function updatePage(expiresAt) {
  for (const element of document.querySelectorAll('[data-token]')) {
    const isForToken = /** @type {HTMLElement} */ (element).dataset.token === 'some';
    element.toggleAttribute('hidden', isForToken !== (expiresAt !== undefined));
  }
  const time = document.querySelector('[data-token] time');
  if (time && expiresAt) {
    time.textContent = text.formatTime(expiresAt);
    time.setAttribute('datetime', expiresAt);
  }
}

/**
 * Shows a failure. Keeps what the visitor entered.
 *
 * @param {import('./api.js').Failure} failure
 */
export function showFailure(failure) {
  const [title, explanation] = text.explainFailure(failure);
  const { kind, extensions } = failure;
  setState(kind);
  setText('problem-title', title);
  setText('problem-text', explanation);
  setText('problem-request', extensions.requestId && `Request ${extensions.requestId}`);
  part('login').hidden = kind !== 'session-ended';
  part('retry').hidden = kind === 'refused';
  part('problem').hidden = false;
}

/**
 * Hides a failure. Keeps the view.
 *
 * @param {string} state
 */
export function clearFailure(state) {
  part('problem').hidden = true;
  setState(state);
}

/** @param {string} state */
function setState(state) {
  dialog.dataset.state = state;
  part('title').textContent = text.getTitle(/** @type {View} */ (dialog.dataset.view), state);
}

/**
 * Shows a new token.
 *
 * @param {string} token
 */
export function showSecret(token) {
  show('created', 'created');
  secret.value = part('secret-sample').textContent = token;
}

/** Removes the token from the page, and resets the dialog. */
export function reset() {
  secret.value = '';
  part('secret-sample').textContent = PLACEHOLDER;
  stored.checked = false;
  form.reset();
  show('wait', 'none');
}

/** Shows why the dialog does not close. */
export function showGuard() {
  part('guard').hidden = false;
  stored.focus();
}

/**
 * Shows whether the token was copied.
 *
 * @param {boolean} isCopied
 */
export function showCopy(isCopied) {
  dialog.dataset.state = isCopied ? 'copied' : 'copy-failed';
  part('copy-failed').hidden = isCopied;
  part('guard').hidden = true;
}
