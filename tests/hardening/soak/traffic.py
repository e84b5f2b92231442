"""All requests of the soak: sent, counted, and held against what every answer must be."""

import threading
from collections import Counter

from soak.model import Broken


class Traffic:
    """What goes to the product, and what came back."""

    def __init__(self, product):
        self.product, self.lock = product, threading.Lock()
        self.verdicts, self.unavailable = Counter(), 0

    @property
    def count(self):
        return sum(self.verdicts.values())

    def send(self, method, path, headers=None, body=None):
        """Sends a request, and takes notes."""
        return self.noted(self.product.send(method, path, headers, body), path)

    def ask(self, query, headers=None):
        """Asks a query."""
        return self.noted(self.product.ask(query, headers))

    def noted(self, answer, path="/api"):
        with self.lock:
            self.verdicts[answer.verdict] += 1
            self.unavailable += answer.status == 503
        if answer.status == 503 and not is_failure_as_designed(answer, path):
            raise Broken(f"a failure without advice, or with a cookie: {answer.headers} {answer.text}")
        if answer.status >= 500 and answer.status != 503:
            raise Broken(f"{answer.status}: {answer.text}")
        return answer

    def take_unavailable(self):
        """How many answers said that something fails, since this was last asked."""
        with self.lock:
            count, self.unavailable = self.unavailable, 0
        return count


def is_failure_as_designed(answer, path):
    """A failure says when to try again and takes no session; logging out takes it in any case."""
    cookie = answer.headers["set-cookie"] or ""
    if path == "/logout":
        return "Max-Age=0" in cookie
    return answer.headers["retry-after"] == "2" and not cookie
