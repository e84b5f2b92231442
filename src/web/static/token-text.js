// @ts-check
/**
 * The texts of the API token dialog, and the rules for its date. The functions are pure. Times are
 * in Unix seconds, or strings in RFC 3339.
 */

/**
 * @typedef {object} Token An API token in a response of the API.
 * @property {string} name
 * @property {'ACTIVE' | 'EXPIRED' | 'REPLACED' | 'REVOKED'} state
 * @property {string} issuedAt
 * @property {string} expiresAt
 * @property {string | null} lastUsedAt
 * @property {string | null} revokedAt
 * @property {'OWNER' | 'HOLDER' | null} revokedBy
 */

/**
 * @typedef {object} Policy The limits for the expiration time of a new token.
 * @property {number} now
 * @property {number} minExpirationTime
 * @property {number} maxExpirationTime
 */

/** @typedef {'none' | 'active' | 'expiring' | 'expired' | 'revoked'} TokenStatus */

/** @typedef {'good' | 'warn' | 'bad' | 'off'} Tone */

export const DAY = 24 * 60 * 60;

export const INVALID_DATE = 'Invalid date';
export const TOO_LATE = 'The date must be below six months';

/** A token that expires within this time has the status `expiring`. */
const SOON = 7 * DAY;

/** The slot of the token that the dialog replaces and revokes. */
const SLOT = 'default';

/**
 * Returns the active token in the slot.
 *
 * @param {Token[]} tokens
 */
export function findCurrent(tokens) {
  return tokens.find(({ name, state }) => name === SLOT && state === 'ACTIVE');
}

/**
 * @param {Token} token
 * @param {number} now
 */
function expiresSoon({ expiresAt }, now) {
  return Date.parse(expiresAt) / 1000 - now <= SOON;
}

/**
 * Returns the status that sums up the tokens of a user.
 *
 * @param {Token[]} tokens Newest first.
 * @param {number} now
 * @returns {TokenStatus}
 */
export function getStatus(tokens, now) {
  const current = findCurrent(tokens);
  if (current) {
    return expiresSoon(current, now) ? 'expiring' : 'active';
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
 * Returns the title of the dialog.
 *
 * @param {import('./token-view.js').View} view
 * @param {string} state The status of the tokens, or the kind of a failure.
 */
export function getTitle(view, state) {
  switch (state) {
    case 'session-ended':
      return 'Your session has ended';
    case 'network-error':
      return view === 'wait' ? 'Your tokens could not be loaded' : 'Something went wrong';
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
 * Explains the status of the tokens, if the visitor should do something about it.
 *
 * @param {TokenStatus} status
 * @param {Token} [newest]
 * @returns {[title: string, text: string] | undefined}
 */
export function getNotice(status, newest) {
  const needsNew = 'Programs that use it need a new one.';
  switch (status) {
    case 'expiring':
      return ['Your token expires soon.', 'Replace it before then to keep your programs working.'];
    case 'expired':
      return ['Your token has expired.', needsNew];
    case 'revoked':
      return [
        newest?.revokedBy === 'HOLDER'
          ? 'Your token was revoked by a program that used it.'
          : 'Your token was revoked.',
        needsNew,
      ];
    default:
      return undefined;
  }
}

/**
 * Formats a time in the visitor's time zone.
 *
 * @param {string} time
 */
export function formatTime(time) {
  return new Date(time).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/**
 * Returns the text and the tone of a token's badge.
 *
 * @param {Token} token
 * @param {number} now
 * @returns {[text: string, tone: Tone]}
 */
export function getBadge(token, now) {
  switch (token.state) {
    case 'EXPIRED':
      return ['Expired', 'off'];
    case 'REPLACED':
      return ['Replaced', 'off'];
    case 'REVOKED':
      return ['Revoked', 'bad'];
    case 'ACTIVE':
      return expiresSoon(token, now)
        ? [describeExpiry(Date.parse(token.expiresAt) / 1000 - now), 'warn']
        : ['Active', 'good'];
  }
}

/** @param {number} seconds */
function describeExpiry(seconds) {
  const days = Math.floor(seconds / DAY);
  return days < 1 ? 'Expires within a day' : `Expires in ${days} ${days === 1 ? 'day' : 'days'}`;
}

/**
 * Returns the texts about a token, by the `data-field` that shows them.
 *
 * @param {Token} token
 * @returns {Record<string, string>}
 */
export function getFields(token) {
  const { name, issuedAt, lastUsedAt } = token;
  const lastUse = lastUsedAt && formatTime(lastUsedAt);
  return {
    name,
    issuedAt: formatTime(issuedAt),
    lastUsedAt: lastUse ?? 'never used',
    use: lastUse ? `Last used ${lastUse}` : 'Never used',
    end: describeEnd(token),
  };
}

/** @param {Token} token */
function describeEnd({ state, expiresAt, revokedAt }) {
  switch (state) {
    case 'ACTIVE':
    case 'EXPIRED':
      return formatTime(expiresAt);
    case 'REPLACED':
      return 'by a newer token';
    case 'REVOKED':
      return revokedAt ? formatTime(revokedAt) : 'with all your tokens';
  }
}

/**
 * Describes the last use of a token, for the view that confirms its revocation.
 *
 * @param {Token} token
 */
export function describeLastUse({ lastUsedAt }) {
  return lastUsedAt ? `It was last used on ${formatTime(lastUsedAt)}.` : 'It was never used.';
}

/**
 * Returns the date in the visitor's time zone, in the format of a date field.
 *
 * @param {number} time
 */
export function formatDate(time) {
  const day = new Date(time * 1000);
  const pad = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
}

/**
 * Returns the expiration time for a date. It is the last second of that day in the visitor's time
 * zone, or the latest time that the server allows if that is earlier.
 *
 * @param {string} date
 * @param {Policy} policy
 */
export function expirationTime(date, policy) {
  return Math.min(getEndOfDay(date), policy.maxExpirationTime);
}

/** @param {string} date */
function getEndOfDay(date) {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return new Date(year, month - 1, day + 1).getTime() / 1000 - 1;
}

/**
 * Returns what is wrong with the date in a field, or an empty string.
 *
 * @param {HTMLInputElement} field
 * @param {Policy} policy
 */
export function validateDate({ value, validity }, policy) {
  if (value === '') {
    return validity.badInput ? INVALID_DATE : 'Required field';
  }
  if (getEndOfDay(value) > getEndOfDay(formatDate(policy.maxExpirationTime))) {
    return TOO_LATE;
  }
  return getEndOfDay(value) < policy.minExpirationTime ? INVALID_DATE : '';
}

/**
 * Explains a failure, and what the visitor can do about it.
 *
 * @param {import('./api.js').Failure} failure
 * @returns {[title: string, text: string]}
 */
export function explainFailure({ kind, message, extensions }) {
  const { reason, hint = '', min = 0, max = 0 } = extensions;
  if (kind === 'session-ended' && reason !== 'USER_DISABLED') {
    return ['Log in again to continue.', 'A new tab opens, and this page keeps what you entered.'];
  }
  if (reason === 'INVALID_EXPIRATION_TIME') {
    const range = `from ${formatSeconds(min)} to ${formatSeconds(max)}`;
    return ['The server refused the date.', `A token can expire ${range}.`];
  }
  return [`${message}.`, hint];
}

/** @param {number} time */
function formatSeconds(time) {
  return formatTime(new Date(time * 1000).toISOString());
}

/**
 * Describes an expiration time in the visitor's time zone and in UTC.
 *
 * @param {number} time
 */
export function describeExpiration(time) {
  const date = new Date(time * 1000);
  const local = date.toLocaleString('en-GB', { dateStyle: 'full', timeStyle: 'medium' });
  const [day, clock] = date.toISOString().slice(0, 19).split('T');
  return `Expires on ${local} in your time zone (${day} ${clock} UTC).`;
}
