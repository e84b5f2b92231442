"""Local mode, as the suites start it and speak to it."""

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


class Gone(Exception):
    """The product does not answer at all."""


class Answer:
    """What came back: status, headers, body."""

    def __init__(self, response):
        self.status, self.headers, self.text = response.status, response.headers, response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def cookie(self):
        """The session's cookie, as `name=value`."""
        return (self.headers["set-cookie"] or "").split(";")[0]

    @property
    def verdict(self):
        """The status, and the code and reason of the first error, as in `401 UNAUTHENTICATED TOKEN_INVALID`."""
        is_json = "json" in (self.headers["content-type"] or "")
        error = (self.json.get("errors") or [{}])[0] if is_json else {}
        told = error.get("extensions", {})
        return " ".join(str(it) for it in [self.status, told.get("code"), told.get("reason")] if it)


class Product:
    """A running local mode, of which the log is kept in a file; it ends with the block."""

    def __init__(self, *options, binary=None):
        self.binary, self.options = binary or built(), options
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
        """The connection of this thread, kept open."""
        if not getattr(self.connections, "kept", None):
            self.connections.kept = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.connections.kept.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.connections.kept

    def send(self, method, path, headers=None, body=None):
        """Sends a request, in one piece: who is refused before their body has come is hung up on."""
        body = (body or "").encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            return self.answer(method, "\r\n".join([*lines, "", ""]).encode() + body)
        except (http.client.HTTPException, OSError) as fault:
            state = self.process.poll()
            told = f"it ended with {state}" if state is not None else "it runs"
            raise Gone(f"{method} {path}: {fault!r}; {told}; {self.log_text()[-1000:]}") from fault

    def answer(self, method, request):
        """Sends the bytes of a request, and reads the answer."""
        self.connection().sendall(request)
        response = http.client.HTTPResponse(self.connection(), method=method)
        response.begin()
        answer = Answer(response)
        if response.will_close or answer.status == 413:  # the rest of the body is not read
            self.connection().close()
            self.connections.kept = None
        return answer

    def ask(self, query, headers=None):
        """Asks a query, by POST."""
        return self.send("POST", "/api", JSON | (headers or {}), json.dumps({"query": query}))

    def sign_in(self, email):
        """Signs in with a browser."""
        return self.send("POST", "/login/development", {"Origin": self.url}, f"email={email}")

    def session(self, email):
        """The cookie of somebody who has signed in."""
        return self.sign_in(email).cookie

    def token(self, cookie):
        """An API token for an hour, of whom the cookie is."""
        soon = self.ask("{ me { accessTokenPolicy { now } } }", self.browser(cookie)).json
        expires = soon["data"]["me"]["accessTokenPolicy"]["now"] + 3600
        made = self.ask(
            f"mutation {{ updateAccessToken(expirationTime: {expires}) {{ sessionJwt }} }}", self.browser(cookie)
        )
        return made.json["data"]["updateAccessToken"]["sessionJwt"]

    def browser(self, cookie):
        """The headers of a browser in which our own page asks."""
        return {"Cookie": cookie, "Origin": self.url}

    def lever(self, name, **moved):
        """Moves one of the levers of `/development/`."""
        answer = self.send("POST", f"/development/{name}", JSON, json.dumps(moved))
        assert answer.status == 200, answer.text
        return answer.json

    def memory(self):
        """How much memory the process has resident, in bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log_text(self):
        """All that the process has logged."""
        self.errors.flush()
        return Path(f"/proc/self/fd/{self.errors.fileno()}").read_text()

    def log(self):
        """The lines of the log."""
        return [json.loads(line) for line in self.log_text().splitlines()]


def built():
    """The binary that the other suites test."""
    script = ROOT / "tests" / "tools" / "local"
    place = subprocess.run([script], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return ROOT / place.strip()
