"""Starts local mode for the suites, and sends requests to it."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JSON = {"Content-Type": "application/json"}


class ServerUnavailable(Exception):
    """The server does not respond."""


class Response:
    """A response: status, headers, body."""

    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def cookie(self):
        """The session cookie, as `name=value`."""
        return (self.headers["set-cookie"] or "").split(";")[0]

    @property
    def verdict(self):
        """Status, code and reason of the first error: `401 UNAUTHENTICATED TOKEN_INVALID`."""
        is_json = "json" in (self.headers["content-type"] or "")
        error = (self.json.get("errors") or [{}])[0] if is_json else {}
        extensions = error.get("extensions", {})
        parts = [self.status, extensions.get("code"), extensions.get("reason")]
        return " ".join(str(it) for it in parts if it)


class Product:
    """A context manager that runs local mode and stores its log in a file."""

    def __init__(self, *options, binary=None):
        self.binary, self.options = binary or build(), options
        self.connections = threading.local()

    def __enter__(self):
        self.errors = tempfile.TemporaryFile("w+")
        options = ["--port", "0", "--ready-json", "--log", "json", *self.options]
        self.process = subprocess.Popen(
            [self.binary, *options], stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        ready = self.process.stdout.readline()
        self.url = json.loads(ready)["url"]
        self.port = int(self.url.rsplit(":", 1)[1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def connection(self):
        """Returns the connection of this thread, which stays open."""
        if not getattr(self.connections, "kept", None):
            address = ("127.0.0.1", self.port)
            self.connections.kept = socket.create_connection(address, timeout=60)
            self.connections.kept.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.connections.kept

    def send(self, method, path, headers=None, body=None):
        """Sends a request in one piece, because the server may respond before it reads the body."""
        body = (body or "").encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}"]
        lines += [f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            return self.exchange(method, "\r\n".join([*lines, "", ""]).encode() + body)
        except (http.client.HTTPException, OSError) as fault:
            state = self.process.poll()
            what = f"exited with {state}" if state is not None else "is running"
            details = f"{fault!r}; the server {what}; {self.log_text()[-1000:]}"
            raise ServerUnavailable(f"{method} {path}: {details}") from fault

    def exchange(self, method, request):
        """Sends the bytes of a request and reads the response."""
        self.connection().sendall(request)
        response = http.client.HTTPResponse(self.connection(), method=method)
        response.begin()
        result = Response(response)
        # After 413, the server does not read the rest of the body.
        if response.will_close or result.status == 413:
            self.connection().close()
            self.connections.kept = None
        return result

    def query(self, query, headers=None):
        """Sends a query with POST."""
        return self.send("POST", "/api", JSON | (headers or {}), json.dumps({"query": query}))

    def log_in(self, email):
        """Logs in with the development login."""
        return self.send("POST", "/login/development", {"Origin": self.url}, f"email={email}")

    def session(self, email):
        """Logs in and returns the session cookie."""
        return self.log_in(email).cookie

    def token(self, cookie):
        """Creates an API token that expires in an hour, in the session of the cookie."""
        policy = self.query("{ me { accessTokenPolicy { now } } }", self.browser(cookie)).json
        expires = policy["data"]["me"]["accessTokenPolicy"]["now"] + 3600
        mutation = f"mutation {{ updateAccessToken(expirationTime: {expires}) {{ sessionJwt }} }}"
        response = self.query(mutation, self.browser(cookie))
        return response.json["data"]["updateAccessToken"]["sessionJwt"]

    def browser(self, cookie):
        """Returns the headers of a request that a page of the application sends."""
        return {"Cookie": cookie, "Origin": self.url}

    def control(self, name, **body):
        """Sends a request to one of the test controls at `/development/`."""
        response = self.send("POST", f"/development/{name}", JSON, json.dumps(body))
        assert response.status == 200, response.text
        return response.json

    def memory(self):
        """Returns the resident memory of the process, in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log_text(self):
        """Returns the log of the process."""
        self.errors.flush()
        return Path(f"/proc/self/fd/{self.errors.fileno()}").read_text()

    def log(self):
        """Returns the parsed lines of the log."""
        return [json.loads(line) for line in self.log_text().splitlines()]


def build():
    """Builds the binary that the other suites test, and returns its path."""
    done = subprocess.run(
        [ROOT / "tests" / "tools" / "local"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return ROOT / done.stdout.strip()
