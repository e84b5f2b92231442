// @ts-check
/** The form of the API token dialog, with the expiration date of a new token. */

import * as text from './token-text.js';
import * as view from './token-view.js';

/** @typedef {import('./token-text.js').Policy} Policy */

const { date, form } = view;

/** @type {Policy} */
let policy = { now: 0, minExpirationTime: 0, maxExpirationTime: 0 };
/** When the policy was read, by the monotonic clock. */
let policyReadAt = 0;

/** Returns the server's time, in Unix seconds. */
export function now() {
  return policy.now + (performance.now() - policyReadAt) / 1000;
}

/**
 * Sets the limits that the server has just returned.
 *
 * @param {Policy} limits
 */
export function setPolicy(limits) {
  policy = limits;
  policyReadAt = performance.now();
  date.min = text.formatDate(policy.minExpirationTime);
  date.max = text.formatDate(policy.maxExpirationTime);
  fillDate();
}

/** Returns the radio buttons with the lifetimes. */
function presets() {
  return /** @type {RadioNodeList} */ (form.elements.namedItem('preset'));
}

/** Sets the date to that of the chosen preset. Keeps a custom date. */
function fillDate() {
  const preset = presets().value;
  if (preset !== 'custom') {
    const { maxExpirationTime } = policy;
    const time = preset === 'max' ? maxExpirationTime : now() + Number(preset) * text.DAY;
    date.value = text.formatDate(time);
  }
  showDate('');
}

/**
 * Shows what is wrong with the date. If nothing is, shows when the token will expire.
 *
 * @param {string} fault
 */
export function showDate(fault) {
  const isValid = text.validateDate(date, policy) === '';
  view.showDate(fault, isValid ? text.describeExpiration(expirationTime()) : '');
}

/** Returns the expiration time for the date, in Unix seconds. */
export function expirationTime() {
  return text.expirationTime(date.value, policy);
}

/**
 * Calls the listener when the form is submitted with a valid date.
 *
 * @param {() => void} listener
 */
export function onProceed(listener) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const fault = text.validateDate(date, policy);
    showDate(fault);
    if (fault) {
      date.focus();
    } else {
      listener();
    }
  });
}

form.addEventListener('change', ({ target }) => {
  if (target === date) {
    presets().value = 'custom';
  }
  fillDate();
});
