"""Somebody with a browser, or with a token: what comes to the product over HTTP."""

import json
import re
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit


def session_cookie(url):
    """The name of the session cookie of the product at `url`: over http it cannot have the prefix."""
    return "__Host-arm_session" if url.startswith("https:") else "arm_session"


class Answer:
    """What the product answered."""

    def __init__(self, url, response):
        self.url, self.status, self.headers = url, response.status, response.headers
        self.text = response.read().decode()

    def json(self):
        return json.loads(self.text)

    def target(self):
        """Where it leads to."""
        location = self.headers["Location"]
        assert location, f"{self.url} answered {self.status} and leads nowhere: {self.text[:500]}"
        return urljoin(self.url, location)


class Visitor:
    """A browser that keeps cookies for each origin, and follows no redirect by itself."""

    def __init__(self):
        self._jars = {}

    def cookies(self, url):
        return self._jars.setdefault(origin(url), {})

    def open(self, url):
        return self._send("GET", url, {"Accept": "text/html"})

    def submit(self, url, **fields):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin(url)}
        return self._send("POST", url, {"Accept": "text/html"} | headers, urlencode(fields))

    def ask(self, api, query, token=None):
        """Asks the GraphQL endpoint by the session, or by a token in its place."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Origin": origin(api)}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self._send("POST", api, headers, json.dumps({"query": query}), with_cookies=not token)

    def log_in(self, product, email):
        """Logs in through the provider `acme`, page by page."""
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
        # Not every system resolves the names under localhost, as browsers do.
        connection = HTTPConnection("127.0.0.1", parts.port, timeout=30)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body, headers | {"Host": parts.netloc})
        answer = Answer(url, connection.getresponse())
        connection.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            keep(jar, line)
        return answer


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def keep(jar, line):
    """Does with a cookie what `Set-Cookie` says."""
    name, value = line.split(";")[0].split("=", 1)
    if not value or re.search(r";\s*max-age=0*(;|$)|;\s*expires=[^;]*1970", line, re.IGNORECASE):
        jar.pop(name, None)
    else:
        jar[name] = value
