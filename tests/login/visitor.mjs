/**
 * A person with a browser, as far as login needs one: it keeps cookies for each origin, and
 * follows no redirect by itself.
 */

/** @typedef {Map<string, string>} Cookies */

export const SESSION = 'arm_session';
export const ATTEMPT = 'arm_login';

/** Somebody's browser. */
export class Visitor {
  /**
   * The cookies, by origin.
   *
   * @type {Map<string, Cookies>}
   */
  #jar = new Map();

  /**
   * The cookies that go to an address, which a story may change.
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
   * Sends a form.
   *
   * @param {string | URL} url
   * @param {Record<string, string>} fields
   */
  async submit(url, fields) {
    const headers = { Accept: 'text/html', Cookie: this.#cookieHeader(url), Origin: new URL(url).origin };
    return this.#send(url, { method: 'POST', headers, body: new URLSearchParams(fields) });
  }

  /**
   * Asks the GraphQL endpoint with the session; answers `data`, or the first error's reason.
   *
   * @param {string} product
   * @param {string} query
   */
  async ask(product, query) {
    const headers = {
      Cookie: this.#cookieHeader(product),
      Origin: product,
      'Content-Type': 'application/json',
    };
    const answer = await fetch(`${product}/api`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { data, errors } = await answer.json();
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
    for (const cookie of response.headers.getSetCookie()) keep(this.cookies(url), cookie);
    return response;
  }
}

/**
 * Where a response leads to.
 *
 * @param {Response} response
 */
export function target(response) {
  const location = response.headers.get('Location');
  if (!location || response.status < 300 || response.status > 399) {
    throw new Error(`${response.url} answered ${response.status} and leads nowhere`);
  }
  return new URL(location, response.url);
}

/**
 * Does with a cookie what `Set-Cookie` says.
 *
 * @param {Cookies} cookies
 * @param {string} line
 */
function keep(cookies, line) {
  const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
  const isOver = /;\s*max-age=0*(;|$)/i.test(line) || /;\s*expires=[^;]*1970/i.test(line) || value === '';
  if (isOver) cookies.delete(name);
  else cookies.set(name, value);
}
