"""Sends and counts all requests of the soak test, and checks rules for all responses."""

import threading
from collections import Counter

from soak.model import Broken


class Traffic:
    """All requests and the results of their responses."""

    def __init__(self, product):
        self.product, self.lock = product, threading.Lock()
        self.verdicts, self.unavailable = Counter(), 0

    @property
    def count(self):
        return sum(self.verdicts.values())

    def send(self, method, path, headers=None, body=None):
        """Sends a request and records the response."""
        return self.record(self.product.send(method, path, headers, body), path)

    def ask(self, query, headers=None):
        """Sends a query."""
        return self.record(self.product.ask(query, headers))

    def record(self, answer, path="/api"):
        with self.lock:
            self.verdicts[answer.verdict] += 1
            self.unavailable += answer.status == 503
        if answer.status == 503 and not is_valid_failure(answer, path):
            response = f"{answer.headers} {answer.text}"
            raise Broken(f"status 503 without Retry-After, or with a cookie: {response}")
        if answer.status >= 500 and answer.status != 503:
            raise Broken(f"{answer.status}: {answer.text}")
        return answer

    def take_unavailable(self):
        """Returns the number of responses with status 503 since the last call."""
        with self.lock:
            count, self.unavailable = self.unavailable, 0
        return count


def is_valid_failure(answer, path):
    """Returns whether a 503 has Retry-After and keeps the session. Logout always ends it."""
    cookie = answer.headers["set-cookie"] or ""
    if path == "/logout":
        return "Max-Age=0" in cookie
    return answer.headers["retry-after"] == "2" and not cookie
