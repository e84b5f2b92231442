// @ts-check
/** Counts down the time that a session has left, and describes it. */

/** @typedef {'running' | 'ending' | 'ended'} Phase `ending`: the last five minutes. */

/**
 * @typedef {object} Session
 * @property {string} userEmail
 * @property {string} sessionExpiration
 * @property {{ now: number }} accessTokenPolicy The server's time, in Unix seconds.
 */

/** How often the time left is updated. */
const TICK_MS = 10_000;

/** How long before the end of a session its phase is `ending`. */
const WARNING_MS = 5 * 60_000;

/** Reads the session of this browser. */
export const SESSION_QUERY = /* GraphQL */ `
  query Session {
    me { userEmail sessionExpiration accessTokenPolicy { now } }
  }
`;

/** Connects the tabs of this browser. */
const tabs = new BroadcastChannel('session');

/** Tells the other tabs that a user is logged in, possibly with a new session. */
export function notifyOtherTabs() {
  tabs.postMessage(null);
}

/**
 * Calls the listener when another tab calls {@link notifyOtherTabs}.
 *
 * @param {() => void} listener
 */
export function onOtherTab(listener) {
  tabs.addEventListener('message', listener);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Counts down to the end of a session. Stops the previous countdown.
 *
 * @param {number} seconds The time left.
 * @param {(left: number) => void} onTick Called every ten seconds, with the seconds left.
 * @param {(phase: Phase, left: number) => void} onPhase Called when a phase begins.
 */
export function countDown(seconds, onTick, onPhase) {
  const end = Date.now() + seconds * 1000;
  /** @type {Phase | undefined} */
  let phase;
  const tick = () => {
    const left = Math.max(0, end - Date.now());
    const untilWarning = left > WARNING_MS ? left - WARNING_MS : left;
    onTick(left / 1000);
    if (phase !== (phase = getPhase(left))) {
      onPhase(phase, left / 1000);
    }
    if (left > 0) {
      timer = setTimeout(tick, Math.min(untilWarning, TICK_MS));
    }
  };
  stopCountDown();
  tick();
}

/** Stops the countdown. */
export function stopCountDown() {
  clearTimeout(timer);
}

/**
 * @param {number} left In milliseconds.
 * @returns {Phase}
 */
function getPhase(left) {
  return left === 0 ? 'ended' : left <= WARNING_MS ? 'ending' : 'running';
}

/**
 * Returns the seconds until a session ends, by the server's clock.
 *
 * @param {Session} session
 */
export function secondsLeft({ sessionExpiration, accessTokenPolicy }) {
  return Date.parse(sessionExpiration) / 1000 - accessTokenPolicy.now;
}

/**
 * Describes the end of a session: "in 12 minutes, at 14:05".
 *
 * @param {number} seconds The time left.
 */
export function describeEnd(seconds) {
  const end = new Date(Date.now() + seconds * 1000);
  const clock = end.toLocaleTimeString('en-GB', { timeStyle: 'short' });
  return `in ${describeMinutes(seconds)}, at ${clock}`;
}

/** @param {number} seconds */
function describeMinutes(seconds) {
  // A timer fires a little late, so the seconds are rounded before the minutes are counted.
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 1) {
    return 'less than a minute';
  }
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

/**
 * Describes the beginning of a phase, for screen readers.
 *
 * @param {Phase} phase
 * @param {number} left In seconds.
 */
export function describePhase(phase, left) {
  switch (phase) {
    case 'running':
      return '';
    case 'ending':
      return `Your session ends in ${describeMinutes(left)}.`;
    case 'ended':
      return 'Your session has ended.';
  }
}
