// @ts-check
/** Makes the left panel modal while it is open as a menu, which it is on narrow screens. */

const menu = document.getElementById('panel');

/**
 * @param {HTMLElement} menu
 * @param {boolean} isOpen
 */
function setModal(menu, isOpen) {
  for (const element of document.querySelectorAll('.skip, header.bar, main')) {
    /** @type {HTMLElement} */ (element).inert = isOpen;
  }
  menu.role = isOpen ? 'dialog' : null;
  menu.ariaModal = isOpen ? 'true' : null;
  menu.ariaLabel = isOpen ? 'Menu' : null;
}

/**
 * @param {HTMLElement} menu
 * @param {boolean} isOpen
 */
function moveFocus(menu, isOpen) {
  if (isOpen) {
    menu.querySelector('button')?.focus();
  } else if (!document.activeElement?.closest('dialog')) {
    /** @type {HTMLElement | null} */ (document.querySelector('[popovertarget]'))?.focus();
  }
}

menu?.addEventListener('toggle', (event) => {
  const isOpen = /** @type {ToggleEvent} */ (event).newState === 'open';
  setModal(menu, isOpen);
  moveFocus(menu, isOpen);
});
matchMedia('(min-width: 48rem)').addEventListener('change', () => menu?.hidePopover());

export {};
