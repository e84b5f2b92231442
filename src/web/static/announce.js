// @ts-check

/**
 * Announces a text to screen readers, in the status element of the dialog or page around an
 * element.
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
