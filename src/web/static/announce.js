// @ts-check

/**
 * Announces a text to screen readers. Uses the status element of the dialog that contains
 * `element`, or that of the page.
 *
 * @param {Element} element
 * @param {string} text
 */
export function announce(element, text) {
  const status = (element.closest('dialog') ?? document).querySelector('[data-announce]');
  if (status) {
    status.textContent = text;
  }
}
