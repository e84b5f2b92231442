"""What the product should say of sessions and API tokens: a model of its own, of the design alone."""

import base64
import json
from dataclasses import dataclass, field

SKEW = 60
SESSION_LIFE = 40 * 60
SESSION_REMEMBERED = 86_400
TOKEN_REMEMBERED = 90 * 86_400


class Broken(Exception):
    """The product did what it should not."""


@dataclass
class Time:
    """What time it is, and what time it has been at most: what was swept then is gone."""

    now: int
    latest: int

    def move(self, now):
        self.now, self.latest = now, max(now, self.latest)


@dataclass
class Session:
    """A session: forty minutes, fixed."""

    cookie: str = field(repr=False)
    opened: int
    is_ended: bool = False

    @property
    def end(self):
        return self.opened + SESSION_LIFE

    def is_live(self, time):
        return not self.is_ended and self.opened <= time.now + SKEW and time.now < self.end

    def refusals(self, time):
        """How a use is refused; nothing where it is let in."""
        if self.is_live(time):
            return set()
        told = "SESSION_ENDED" if self.is_ended else "SESSION_EXPIRED" if time.now >= self.end else "TOKEN_INVALID"
        is_forgotten = time.latest >= self.end + SESSION_REMEMBERED
        return {told} | ({"TOKEN_INVALID"} if is_forgotten else set())


@dataclass
class Token:
    """An API token: until its time, or until it is replaced or revoked."""

    jwt: str = field(repr=False)
    issued: int
    expires: int
    state: str = "ACTIVE"
    # When it was replaced or revoked.
    ended: int | None = None

    def end(self, state, time):
        """Notes what ended it, unless something has already."""
        if self.state == "ACTIVE":
            self.state, self.ended = state, time.now

    @property
    def was_over(self):
        """Whether it had expired when it was replaced or revoked."""
        return self.ended is not None and self.ended >= self.expires

    @property
    def id(self):
        claims = self.jwt.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["tid"]

    def is_live(self, time):
        return self.state == "ACTIVE" and self.issued <= time.now + SKEW and time.now < self.expires

    def fate(self, time):
        """What its owner is told of it."""
        is_expired = self.state == "ACTIVE" and time.now >= self.expires
        return "EXPIRED" if is_expired or self.was_over else self.state

    def refusals(self, time):
        """How a use is refused; nothing where it is let in."""
        if self.is_live(time):
            return set()
        if time.now >= self.expires:
            return {"TOKEN_EXPIRED"}
        if self.was_over:  # and the clock jumped back: whichever of the rivals was the first
            return {"TOKEN_REPLACED", "TOKEN_REVOKED"}
        is_early = self.issued > time.now + SKEW
        return {"TOKEN_INVALID" if is_early or self.is_forgotten(time) else f"TOKEN_{self.state}"}

    def is_forgotten(self, time):
        end = self.expires if self.ended is None else min(self.ended, self.expires)
        return time.latest >= end + TOKEN_REMEMBERED
