"""Sends and counts all requests of the soak test, and checks rules for all responses."""

import threading
from collections import Counter

from soak.model import ModelViolation


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

    def query(self, query, headers=None):
        """Sends a query."""
        return self.record(self.product.query(query, headers))

    def record(self, response, path="/api"):
        with self.lock:
            self.verdicts[response.verdict] += 1
            self.unavailable += response.status == 503
        if response.status == 503 and not is_valid_failure(response, path):
            details = f"{response.headers} {response.text}"
            raise ModelViolation(f"status 503 without Retry-After, or with a cookie: {details}")
        if response.status >= 500 and response.status != 503:
            raise ModelViolation(f"{response.status}: {response.text}")
        return response

    def take_unavailable(self):
        """Returns the number of responses with status 503 since the last call."""
        with self.lock:
            count, self.unavailable = self.unavailable, 0
        return count


def is_valid_failure(response, path):
    """Returns whether a 503 has Retry-After and keeps the session. Logout always ends it."""
    cookie = response.headers["set-cookie"] or ""
    if path == "/logout":
        return "Max-Age=0" in cookie
    return response.headers["retry-after"] == "2" and not cookie
