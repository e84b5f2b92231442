// @ts-check
/**
 * What the window of API tokens says: times, badges, sentences, and which instant a
 * date means. Nothing here touches the page or asks the server.
 */

/**
 * @typedef {object} Token An API token as the API lists it.
 * @property {string} name
 * @property {'ACTIVE' | 'EXPIRED' | 'REPLACED' | 'REVOKED'} state
 * @property {string} issuedAt
 * @property {string} expiresAt
 * @property {string | null} lastUsedAt
 * @property {string | null} revokedAt
 * @property {'OWNER' | 'HOLDER' | null} revokedBy
 */

/**
 * @typedef {object} Policy Within which times a token may end, in Unix seconds.
 * @property {number} now
 * @property {number} minExpirationTime
 * @property {number} maxExpirationTime
 */

/** @typedef {'none' | 'active' | 'expiring' | 'expired' | 'revoked'} TokensState */

export const DAY = 24 * 60 * 60;

export const INVALID = 'Invalid date';
export const TOO_LATE = 'The date must be below six months';

/** A token that ends within these seconds should be replaced soon. */
const SOON = 7 * DAY;

/**
 * The slot that the window fills. A token of another name is listed and left alone.
 */
const SLOT = 'default';

/**
 * The token that the window would replace or revoke.
 *
 * @param {Token[]} tokens
 */
export function current(tokens) {
  return tokens.find(({ name, state }) => name === SLOT && state === 'ACTIVE');
}

/**
 * @param {Token} token
 * @param {number} now In Unix seconds, as everywhere here.
 */
function isSoonOver({ expiresAt }, now) {
  return Date.parse(expiresAt) / 1000 - now <= SOON;
}

/**
 * In which state somebody's tokens are, given the newest first.
 *
 * @param {Token[]} tokens
 * @param {number} now
 * @returns {TokensState}
 */
export function stateOf(tokens, now) {
  const live = current(tokens);
  if (live) {
    return isSoonOver(live, now) ? 'expiring' : 'active';
  }
  switch (tokens.find(({ name, state }) => name === SLOT && state !== 'REPLACED')?.state) {
    case 'EXPIRED':
      return 'expired';
    case 'REVOKED':
      return 'revoked';
    default:
      return 'none';
  }
}

/**
 * The title of the window.
 *
 * @param {import('./token-view.js').View} view
 * @param {string} state A state of the tokens, or the kind of a failure.
 */
export function titleOf(view, state) {
  switch (state) {
    case 'session-ended':
      return 'Your session has ended';
    case 'network-error':
      return view === 'wait' ? 'Your tokens could not be read' : 'That did not work';
    case 'refused':
      return view === 'confirm' ? 'The token was not revoked' : 'The token was not created';
  }
  switch (view) {
    case 'tokens':
      return 'Your access token';
    case 'replace':
      return 'Replace access token';
    case 'confirm':
      return 'Revoke access token';
    case 'created':
      return 'Your new access token';
    default:
      return 'Update access token';
  }
}

/**
 * What a state means for the visitor's programs; nothing where all is well.
 *
 * @param {TokensState} state
 * @param {Token} [last]
 * @returns {[title: string, text: string] | undefined}
 */
export function noticeOf(state, last) {
  const refused = 'Programs that use it are refused until they have a new one.';
  switch (state) {
    case 'expiring':
      return ['Your token expires soon.', 'Replace it in time: programs that use it are refused afterwards.'];
    case 'expired':
      return ['Your token has expired.', refused];
    case 'revoked':
      return [`Your token was revoked${last?.revokedBy === 'HOLDER' ? ' by a program that held it' : ''}.`, refused];
    default:
      return undefined;
  }
}

/**
 * An instant in the visitor's time zone, in words.
 *
 * @param {string} instant
 */
export function inWords(instant) {
  return new Date(instant).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/**
 * How a token is: in words, and with which tone.
 *
 * @param {Token} token
 * @param {number} now
 * @returns {[words: string, tone: 'good' | 'warn' | 'bad' | 'off']}
 */
export function badgeOf(token, now) {
  switch (token.state) {
    case 'EXPIRED':
      return ['Expired', 'off'];
    case 'REPLACED':
      return ['Replaced', 'off'];
    case 'REVOKED':
      return ['Revoked', 'bad'];
    case 'ACTIVE':
      return isSoonOver(token, now) ? [soon(Date.parse(token.expiresAt) / 1000 - now), 'warn'] : ['Active', 'good'];
  }
}

/** @param {number} seconds */
function soon(seconds) {
  const days = Math.floor(seconds / DAY);
  return days < 1 ? 'Expires within a day' : `Expires in ${days} ${days === 1 ? 'day' : 'days'}`;
}

/**
 * What the list tells of a token, by the names of the fields in the template.
 *
 * @param {Token} token
 */
export function fieldsOf(token) {
  const times = { name: token.name, issuedAt: inWords(token.issuedAt), lastUsedAt: lastUse(token), use: use(token) };
  switch (token.state) {
    case 'ACTIVE':
      return { ...times, end: inWords(token.expiresAt) };
    case 'EXPIRED':
      return { ...times, end: inWords(token.expiresAt) };
    case 'REPLACED':
      return { ...times, end: 'by a newer one' };
    case 'REVOKED':
      return { ...times, end: token.revokedAt ? inWords(token.revokedAt) : 'with all others' };
  }
}

/** @param {Token} token */
function lastUse({ lastUsedAt }) {
  return lastUsedAt ? inWords(lastUsedAt) : 'never used';
}

/** @param {Token} token */
function use({ lastUsedAt }) {
  return lastUsedAt ? `Last used ${inWords(lastUsedAt)}` : 'Never used';
}

/**
 * What to know before one revokes a token.
 *
 * @param {Token} token
 */
export function useInWords({ lastUsedAt }) {
  return lastUsedAt ? `It was last used on ${inWords(lastUsedAt)}.` : 'It was never used.';
}

/**
 * The date of an instant in the visitor's time zone, as a date field writes it.
 *
 * @param {number} seconds
 */
export function dateOf(seconds) {
  const day = new Date(seconds * 1000);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/**
 * When a token ends that was asked for until a date: in the last second of that day in
 * the visitor's time zone, or as late as the server allows.
 *
 * @param {string} date
 * @param {Policy} policy
 */
export function expirationTime(date, policy) {
  return Math.min(endOf(date), policy.maxExpirationTime);
}

/** @param {string} date */
function endOf(date) {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return new Date(year, month - 1, day + 1).getTime() / 1000 - 1;
}

/**
 * What is wrong with a date, if anything.
 *
 * @param {HTMLInputElement} field
 * @param {Policy} policy
 */
export function faultOf({ value, validity }, policy) {
  if (value === '') {
    return validity.badInput ? INVALID : 'Required field';
  }
  if (endOf(value) > endOf(dateOf(policy.maxExpirationTime))) {
    return TOO_LATE;
  }
  return endOf(value) < policy.minExpirationTime ? INVALID : '';
}

/**
 * What went wrong, and what to do. The API's own hint speaks to programs, where it is
 * about dates.
 *
 * @param {import('./app.js').Failure} failure
 * @returns {[title: string, text: string]}
 */
export function problemOf({ kind, message, extensions: { reason, hint = '', min = 0, max = 0 } }) {
  if (kind === 'session-ended' && reason !== 'USER_DISABLED') {
    return ['Log in again to go on.', 'It opens in a new tab. What you chose stays here: come back when you are logged in.'];
  }
  if (reason === 'INVALID_EXPIRATION_TIME') {
    return ['The server refused the date.', `A token may end from ${instant(min)} to ${instant(max)}.`];
  }
  return [`${message}.`, hint];
}

/** @param {number} seconds */
function instant(seconds) {
  return inWords(new Date(seconds * 1000).toISOString());
}

/**
 * The instant that is really meant, in words.
 *
 * @param {number} seconds
 */
export function meantInWords(seconds) {
  const instant = new Date(seconds * 1000);
  const local = instant.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'medium' });
  const [day, time] = instant.toISOString().slice(0, 19).split('T');
  return `Expires on ${local} in your time zone (${day} ${time} UTC).`;
}
