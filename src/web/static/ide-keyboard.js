// @ts-check
/**
 * Makes Playground usable without a mouse. Most of its controls are plain elements, so this script
 * gives them a role, a name and a place in the tab order. Its editors use Tab for indentation, so
 * this script lets Tab and Shift+Tab leave an editor after Escape.
 */

export {};

const BAR = '.playground > :first-child > div';

/**
 * The controls, each with a function that returns its name. Without one, the name is its text.
 *
 * @type {[selector: string, name?: (control: Element) => string][]}
 */
const CONTROLS = [
  [`${BAR} > div > :nth-child(2):not(:has(input))`, (tab) => `Tab ${tab.textContent}`],
  [`${BAR} > div > .close`, (cross) => `Close tab ${cross.previousElementSibling?.textContent}`],
  [`${BAR} > :last-child`, () => 'New tab'],
  ['.graphiql-wrapper [title="Reload Schema"]', () => 'Reload the schema'],
  ['.graphiql-wrapper [title^="Execute Query"]', () => 'Run the query'],
  ['.graphiql-wrapper div:has(+ div > .CodeMirror) > span'],
  ['.graphiql-wrapper > div > :nth-child(2) > :first-child > div'],
  ['.playground > :nth-child(3) svg', () => 'Settings'],
];

const root = /** @type {HTMLElement} */ (document.getElementById('root'));
const hint = /** @type {HTMLElement} */ (document.querySelector('[data-leave]'));
const status = /** @type {HTMLElement} */ (document.querySelector('[data-announce]'));

/** Whether Escape was pressed, so that the next Tab leaves the editor. */
let isLeaving = false;
/** Whether {@link labelAll} will run before the next frame. */
let isScheduled = false;

/** Labels all controls and editors. */
function labelAll() {
  isScheduled = false;
  for (const [selector, name] of CONTROLS) {
    for (const control of root.querySelectorAll(selector)) {
      set(control, 'role', 'button');
      set(control, 'tabindex', '0');
      set(control, 'data-control', '');
      if (name) {
        set(control, 'aria-label', name(control));
      }
    }
  }
  root.querySelectorAll('.CodeMirror').forEach(labelEditor);
}

/** @param {Element} editor */
function labelEditor(editor) {
  const input = editor.querySelector('textarea');
  if (input) {
    set(input, 'aria-label', getEditorName(editor));
    set(input, 'aria-describedby', hint.id);
  }
}

/** @param {Element} editor */
function getEditorName(editor) {
  if (editor.matches('.CodeMirror-wrap')) {
    return 'Response';
  }
  return editor === root.querySelector('.CodeMirror') ? 'Query' : 'Variables or HTTP headers';
}

/**
 * Sets an attribute, unless it already has the value. Each change notifies the observer below.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
function set(element, name, value) {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/**
 * Simulates a mouse click. Some controls listen for `mousedown`, some for `click`.
 *
 * @param {Element} control
 */
function press(control) {
  for (const type of ['mousedown', 'mouseup', 'click']) {
    control.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window }));
  }
}

/**
 * @param {EventTarget | null} target
 * @returns {target is Element}
 */
function isControl(target) {
  return target instanceof Element && target.matches('[data-control]');
}

/** @param {EventTarget | null} target */
function isInEditor(target) {
  return target instanceof Element && target.closest('.CodeMirror') !== null;
}

/**
 * Handles a key before the editor does: after Escape, Tab leaves the editor.
 *
 * @param {KeyboardEvent} event
 */
function leave(event) {
  if (event.key === 'Escape') {
    isLeaving = true;
    status.textContent = 'Press Tab to leave the editor.';
  } else if (event.key === 'Tab' && isLeaving) {
    event.stopImmediatePropagation();
  } else if (event.key !== 'Shift') {
    isLeaving = false;
  }
}

addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (isInEditor(target)) {
    leave(event);
  } else if ((key === 'Enter' || key === ' ') && isControl(target)) {
    event.preventDefault();
    press(target);
  }
}, true);
document.addEventListener('focusin', ({ target }) => {
  isLeaving = false;
  hint.hidden = !isInEditor(target);
});
document.addEventListener('focusout', () => (hint.hidden = true));

new MutationObserver(() => {
  if (!isScheduled) {
    isScheduled = true;
    requestAnimationFrame(labelAll);
  }
}).observe(root, { childList: true, subtree: true, characterData: true });
