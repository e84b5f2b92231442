// @ts-check
/**
 * The script of all pages that require a login. Shows how long the session lasts, and when it
 * ends. Dispatches `sessionphase` on the document when a phase begins.
 */

import './menu.js';
import './snippets.js';
import './token-dialog.js';

import { announce } from './announce.js';
import { sendQuery } from './api.js';
import * as session from './session.js';

/** @typedef {import('./session.js').Phase} Phase */

const { user, sessionSeconds } = document.body.dataset;

/** The phase that the page shows. @type {Phase} */
let shown = 'running';

/** @param {number} seconds */
function watchSession(seconds) {
  session.countDown(seconds, showTimeLeft, showPhase);
}

/** @param {number} left In seconds. */
function showTimeLeft(left) {
  const text = left > 0 ? `ends ${session.describeEnd(left)}` : 'has ended';
  for (const element of document.querySelectorAll('[data-session-end]')) {
    element.textContent = `Your session ${text}.`;
  }
}

/**
 * @param {Phase} phase
 * @param {number} left In seconds.
 */
function showPhase(phase, left) {
  for (const element of document.querySelectorAll('[data-phase]')) {
    const { dataset } = /** @type {HTMLElement} */ (element);
    element.toggleAttribute('hidden', dataset.phase !== phase);
  }
  if (shown !== phase) {
    shown = phase;
    const open = document.querySelector('dialog[open] *') ?? document.body;
    announce(open, session.describePhase(phase, left));
    document.dispatchEvent(new CustomEvent('sessionphase', { detail: phase }));
  }
}

/** Shows that the session has ended. */
function endSession() {
  session.stopCountDown();
  showTimeLeft(0);
  showPhase('ended', 0);
}

/** Checks who is logged in. Reloads the page if it is another user. */
async function checkSession() {
  try {
    const { me } = await sendQuery(session.SESSION_QUERY);
    if (me.userEmail === user) {
      watchSession(session.secondsLeft(me));
    } else {
      endSession();
      location.reload();
    }
  } catch {
    // The page still shows the last known state.
  }
}

watchSession(Number(sessionSeconds));
document.addEventListener('sessionended', endSession);
addEventListener('focus', () => {
  if (shown !== 'running') {
    void checkSession();
  }
});
session.onOtherTab(() => void checkSession());
session.notifyOtherTabs();
