/**
 * A browser that stores cookies for each origin and does not follow redirects.
 */

/** @typedef {Map<string, string>} Cookies */

export const SESSION = 'arm_session';
export const ATTEMPT = 'arm_login';

/** A browser. */
export class Visitor {
  /**
   * The cookies of each origin.
   *
   * @type {Map<string, Cookies>}
   */
  #jar = new Map();

  /**
   * Returns the cookies for a URL. Tests can change them.
   *
   * @param {string | URL} url
   */
  cookies(url) {
    const { origin } = new URL(url);
    const cookies = this.#jar.get(origin) ?? new Map();
    this.#jar.set(origin, cookies);
    return cookies;
  }

  /**
   * Opens a page.
   *
   * @param {string | URL} url
   */
  async open(url) {
    return this.#send(url, { headers: { Accept: 'text/html', Cookie: this.#cookieHeader(url) } });
  }

  /**
   * Submits a form.
   *
   * @param {string | URL} url
   * @param {Record<string, string>} fields
   */
  async submit(url, fields) {
    const { origin } = new URL(url);
    const headers = { Accept: 'text/html', Cookie: this.#cookieHeader(url), Origin: origin };
    return this.#send(url, { method: 'POST', headers, body: new URLSearchParams(fields) });
  }

  /**
   * Sends a query with the session. Returns `data`, or the reason of the first error.
   *
   * @param {string} product
   * @param {string} query
   */
  async query(product, query) {
    const headers = {
      Cookie: this.#cookieHeader(product),
      Origin: product,
      'Content-Type': 'application/json',
    };
    const body = JSON.stringify({ query });
    const response = await fetch(`${product}/api`, { method: 'POST', headers, body });
    const { data, errors } = await response.json();
    return errors ? errors[0].extensions.reason : data;
  }

  /** @param {string | URL} url */
  #cookieHeader(url) {
    return [...this.cookies(url)].map((pair) => pair.join('=')).join('; ');
  }

  /**
   * @param {string | URL} url
   * @param {RequestInit} request
   */
  async #send(url, request) {
    const response = await fetch(url, { redirect: 'manual', ...request });
    for (const cookie of response.headers.getSetCookie()) storeCookie(this.cookies(url), cookie);
    return response;
  }
}

/**
 * Returns the target of a redirect.
 *
 * @param {Response} response
 */
export function target(response) {
  const location = response.headers.get('Location');
  if (!location || response.status < 300 || response.status > 399) {
    throw new Error(`${response.url} is no redirect, but has status ${response.status}`);
  }
  return new URL(location, response.url);
}

/**
 * Applies a `Set-Cookie` header.
 *
 * @param {Cookies} cookies
 * @param {string} line
 */
function storeCookie(cookies, line) {
  const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
  const expired = /;\s*max-age=0*(;|$)|;\s*expires=[^;]*1970/i;
  if (value === '' || expired.test(line)) cookies.delete(name);
  else cookies.set(name, value);
}
