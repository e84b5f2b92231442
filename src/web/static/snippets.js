// @ts-check
/**
 * Makes the copy buttons work. The attribute `data-copy` of a button is the id of the element to
 * copy. The button dispatches `copied` or `copyfailed`.
 */

import { announce } from './announce.js';

/** How long a button shows whether the text was copied. */
const FEEDBACK_MS = 2_000;

/**
 * Copies the text of a button's element. If that fails, selects the text for the visitor to copy.
 *
 * @param {HTMLElement} button
 */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy ?? '');
  if (!source) {
    return;
  }
  const text = source instanceof HTMLTextAreaElement ? source.value : source.textContent ?? '';
  const isCopied = await writeToClipboard(text);
  if (!isCopied) {
    select(source);
  }
  showFeedback(button, isCopied);
  button.dispatchEvent(new CustomEvent(isCopied ? 'copied' : 'copyfailed', { bubbles: true }));
}

/**
 * @param {string} text
 * @returns {Promise<boolean>} Whether it was written.
 */
async function writeToClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The page has no clipboard without TLS, or the visitor denied access to it.
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
function showFeedback(button, isCopied) {
  const label = button.firstElementChild ?? button;
  label.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
  announce(button, isCopied ? 'Copied.' : 'Could not copy. The text is selected: press Ctrl+C.');
  setTimeout(() => (label.textContent = 'Copy'), FEEDBACK_MS);
}

/**
 * Replaces the address of the API in the snippets with the one at this page's origin. They differ
 * behind a forwarded port.
 */
function useOwnOrigin() {
  const { api = '' } = document.body.dataset;
  const ownApi = `${location.origin}/api`;
  if (api === '' || api === ownApi) {
    return;
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    text.nodeValue = (text.nodeValue ?? '').replaceAll(api, ownApi);
  }
}

useOwnOrigin();

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-copy]') : null;
  if (button) {
    void copy(/** @type {HTMLElement} */ (button));
  }
});
