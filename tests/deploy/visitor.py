"""An HTTP client that acts as a browser, or sends an API token."""

import json
import re
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit


def session_cookie(url):
    """Returns the name of the session cookie. With http it cannot have the prefix."""
    return "__Host-arm_session" if url.startswith("https:") else "arm_session"


class Response:
    """A response."""

    def __init__(self, url, response):
        self.url, self.status, self.headers = url, response.status, response.headers
        self.text = response.read().decode()

    def json(self):
        return json.loads(self.text)

    def target(self):
        """Returns the target of the redirect."""
        location = self.headers["Location"]
        assert location, f"{self.url} is no redirect: {self.status} {self.text[:500]}"
        return urljoin(self.url, location)


class Visitor:
    """A browser that stores cookies for each origin and does not follow redirects."""

    def __init__(self):
        self._jars = {}

    def cookies(self, url):
        return self._jars.setdefault(origin(url), {})

    def open(self, url):
        return self._send("GET", url, {"Accept": "text/html"})

    def submit(self, url, **fields):
        headers = {"Accept": "text/html", "Origin": origin(url)}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._send("POST", url, headers, urlencode(fields))

    def query(self, api, query, token=None):
        """Sends a query with the session, or with a token instead."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers["Origin"] = origin(api)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps({"query": query})
        return self._send("POST", api, headers, body, with_cookies=not token)

    def log_in(self, product, email):
        """Logs in with the provider `acme`."""
        url = self.open(f"{product}/login/acme?next=/home").target()
        provider = origin(url)
        while origin(url) == provider:
            page = self.open(url)
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
            if page.status == 200 and prompt:
                page = self.submit(url, prompt=prompt[1], login=email, password="any")
            url = page.target()
        return self.open(url)

    def _send(self, method, url, headers, body=None, with_cookies=True):
        parts = urlsplit(url)
        jar = self.cookies(url)
        if with_cookies and jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        # Browsers resolve subdomains of localhost, but not every system does.
        connection = HTTPConnection("127.0.0.1", parts.port, timeout=30)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, headers | {"Host": parts.netloc})
        response = Response(url, connection.getresponse())
        connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            store_cookie(jar, line)
        return response


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def store_cookie(jar, line):
    """Applies a `Set-Cookie` header."""
    name, value = line.split(";")[0].split("=", 1)
    expired = r";\s*max-age=0*(;|$)|;\s*expires=[^;]*1970"
    if not value or re.search(expired, line, re.IGNORECASE):
        jar.pop(name, None)
    else:
        jar[name] = value
