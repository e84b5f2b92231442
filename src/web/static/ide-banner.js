// @ts-check
/** The banner of the IDE: who is logged in, and how long their session lasts. */

import { announce } from './announce.js';
import { Failure, sendQuery } from './api.js';
import * as session from './session.js';

const who = /** @type {HTMLElement} */ (document.querySelector('[data-who]'));
const login = /** @type {HTMLElement} */ (document.querySelector('[data-login]'));

/**
 * Shows who is logged in, if anybody. Screen readers announce only the last five minutes and the
 * end of the session.
 *
 * @returns {Promise<boolean>} Whether somebody is logged in.
 */
async function update() {
  try {
    const { me } = await sendQuery(session.SESSION_QUERY);
    login.textContent = 'Log in again';
    session.countDown(
      session.secondsLeft(me),
      (left) => {
        const state = left > 0 ? `ends ${session.describeEnd(left)}` : 'has ended';
        who.textContent = `${me.userEmail} · session ${state}`;
      },
      (phase, left) => announce(document.body, session.describePhase(phase, left)),
    );
    return true;
  } catch (failure) {
    session.stopCountDown();
    const isLoggedOut = failure instanceof Failure && failure.kind === 'session-ended';
    who.textContent = isLoggedOut ? 'Not logged in' : 'Could not check who is logged in';
    login.textContent = 'Log in';
    return false;
  }
}

async function start() {
  if (await update()) {
    session.notifyOtherTabs();
  }
}

session.onOtherTab(() => void update());
void start();
