// @ts-check
/**
 * The window of API tokens as it looks: which parts of it show what. What is done in
 * it, and when, is `token.js`'s; what it says is `token-words.js`'s.
 */

/** @typedef {import('./token-words.js').Token} Token */
/** @typedef {'wait' | 'tokens' | 'form' | 'replace' | 'confirm' | 'created'} View */

export const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('token'));

/** What stands where the secret will be. */
const PLACEHOLDER = '<api-token>';

// The names of files carry hashes, which only the page knows.
const words = /** @type {typeof import('./token-words.js')} */ (await import(document.body.dataset.words ?? ''));

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
 * Shows a text in its part, which is hidden without one.
 *
 * @param {string} name
 * @param {string} [text]
 */
function say(name, text = '') {
  part(name).textContent = text;
  part(name).hidden = text === '';
}

/**
 * Shows one view of the window; of its lists only those that hold something.
 *
 * @param {View} view
 * @param {string} state
 */
export function show(view, state) {
  Object.assign(dialog.dataset, { view, state });
  part('title').textContent = words.titleOf(view, state);
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll('[data-views]'))) {
    const isEmpty = element.matches('.tokens:empty, details:has(.history:empty)');
    element.hidden = isEmpty || !element.dataset.views?.split(' ').includes(view);
  }
  for (const name of ['notice', 'problem', 'guard', 'copy-failed']) {
    part(name).hidden = true;
  }
}

/**
 * Lists the tokens: those that live, and behind a fold the earlier ones, a line each.
 *
 * @param {Token[]} tokens
 * @param {number} now
 * @param {boolean} hasMore Whether there are earlier ones still.
 */
export function list(tokens, now, hasMore) {
  const live = tokens.filter(({ state }) => state === 'ACTIVE');
  const past = tokens.filter(({ state }) => state !== 'ACTIVE');
  part('live').replaceChildren(...live.map((token) => item('item', token, now)));
  part('past').replaceChildren(...past.map((token) => item('line', token, now)));
  part('more').hidden = !hasMore;
}

/**
 * @param {'item' | 'line'} shape
 * @param {Token} token
 * @param {number} now
 */
function item(shape, token, now) {
  const template = /** @type {HTMLTemplateElement} */ (part(shape));
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const [badge, tone] = words.badgeOf(token, now);
  for (const [name, text] of Object.entries({ ...words.fieldsOf(token), badge })) {
    const field = copy.querySelector(`[data-field="${name}"]`);
    if (field) {
      field.textContent = text;
    }
  }
  /** @type {HTMLElement} */ (copy.querySelector('.badge')).dataset.tone = tone;
  return copy;
}

/**
 * Says what the state of the tokens means for the visitor's programs.
 *
 * @param {import('./token-words.js').TokensState} state
 * @param {Token} [last]
 */
export function explain(state, last) {
  const [title, text] = words.noticeOf(state, last) ?? [];
  say('notice-title', title);
  say('notice-text', text);
  part('notice').hidden = !title;
  part('notice').classList.toggle('warn', state !== 'revoked');
}

/**
 * Shows what is wrong with the date, or else which instant it means.
 *
 * @param {string} fault
 * @param {string} meant
 */
export function judge(fault, meant) {
  say('error', fault);
  date.setAttribute('aria-invalid', String(fault !== ''));
  part('meant').textContent = fault ? '' : meant;
}

/**
 * Asks whether a token is really to be revoked.
 *
 * @param {Token} token
 */
export function confirm(token) {
  part('confirm-name').textContent = token.name;
  part('confirm-use').textContent = words.useInWords(token);
  show('confirm', dialog.dataset.state ?? '');
}

/**
 * Lets nothing be done while an answer is awaited; what only reads may be closed.
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
    clearProblem('pending');
    part('title').focus();
  }
}

/**
 * Puts the focus where the visitor goes on: on what is to be read first. A button below
 * it would scroll a warning out of sight where the window is small.
 */
export function focusOnView() {
  const problem = part('problem');
  const heading = /** @type {HTMLElement | null} */ (dialog.querySelector(`[data-heading="${dialog.dataset.view}"]`));
  (problem.hidden ? heading ?? part('title') : problem).focus();
}

/** Puts the focus back to the earlier tokens, after more of them were read. */
export function focusOnHistory() {
  if (part('problem').hidden) {
    (part('more').hidden ? /** @type {HTMLElement} */ (dialog.querySelector('summary')) : part('more')).focus();
  }
}

/** Puts the focus on what opens the menu, where what opened the window is hidden in it. */
export function focusOnPage() {
  if (document.activeElement === document.body || document.activeElement === null) {
    /** @type {HTMLElement | null} */ (document.querySelector('[popovertarget]'))?.focus();
  }
}

/**
 * Tells the page behind the window of the token that there is.
 *
 * @param {string} [expiresAt]
 */
export function tellHome(expiresAt) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-token]'))) {
    element.hidden = (element.dataset.token === 'some') !== (expiresAt !== undefined);
  }
  const time = document.querySelector('[data-token] time');
  if (time && expiresAt) {
    time.textContent = words.inWords(expiresAt);
    time.setAttribute('datetime', expiresAt);
  }
}

/**
 * Tells what went wrong. What was typed stays.
 *
 * @param {import('./app.js').Failure} failure
 */
export function tellOf(failure) {
  const [title, text] = words.problemOf(failure);
  const { kind, extensions } = failure;
  dialog.dataset.state = kind;
  part('title').textContent = words.titleOf(/** @type {View} */ (dialog.dataset.view), kind);
  say('problem-title', title);
  say('problem-text', text);
  say('problem-request', extensions.requestId && `Request ${extensions.requestId}`);
  part('login').hidden = kind !== 'session-ended';
  part('retry').hidden = kind === 'refused';
  part('problem').hidden = false;
}

/**
 * Goes back to the view as it was before something went wrong.
 *
 * @param {string} state
 */
export function clearProblem(state) {
  part('problem').hidden = true;
  dialog.dataset.state = state;
  part('title').textContent = words.titleOf(/** @type {View} */ (dialog.dataset.view), state);
}

/**
 * Shows a new token, this once.
 *
 * @param {string} token
 */
export function reveal(token) {
  show('created', 'created');
  secret.value = part('secret-sample').textContent = token;
}

/** Leaves nothing of a token, and the window as it is before it is opened. */
export function wipe() {
  secret.value = '';
  part('secret-sample').textContent = PLACEHOLDER;
  stored.checked = false;
  form.reset();
  show('wait', 'none');
}

/** Says why the window does not close, and what to do. */
export function guard() {
  part('guard').hidden = false;
  stored.focus();
}

/**
 * Shows whether the token could be copied.
 *
 * @param {boolean} isCopied
 */
export function noteCopy(isCopied) {
  dialog.dataset.state = isCopied ? 'copied' : 'copy-failed';
  part('copy-failed').hidden = isCopied;
  part('guard').hidden = true;
}
