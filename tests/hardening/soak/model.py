"""A model of sessions and API tokens, which is independent of the implementation."""

import base64
import json
from dataclasses import dataclass, field

SKEW = 60
SESSION_LIFE = 40 * 60
SESSION_RETENTION = 86_400
TOKEN_RETENTION = 90 * 86_400


class ModelViolation(Exception):
    """A response differs from the model."""


@dataclass
class Time:
    """The current time, and the latest time so far. Records that expired by then are deleted."""

    now: int
    latest: int

    def move(self, now):
        self.now, self.latest = now, max(now, self.latest)


@dataclass
class Session:
    """A session. It expires 40 minutes after login."""

    cookie: str = field(repr=False)
    opened: int
    is_ended: bool = False

    @property
    def end(self):
        return self.opened + SESSION_LIFE

    def is_live(self, time):
        return not self.is_ended and self.opened <= time.now + SKEW and time.now < self.end

    def refusals(self, time):
        """Returns the possible reasons of a rejection. Empty if the credential is valid."""
        if self.is_live(time):
            return set()
        if self.is_ended:
            reason = "SESSION_ENDED"
        else:
            reason = "SESSION_EXPIRED" if time.now >= self.end else "TOKEN_INVALID"
        is_deleted = time.latest >= self.end + SESSION_RETENTION
        return {reason} | ({"TOKEN_INVALID"} if is_deleted else set())


@dataclass
class Token:
    """An API token. It ends when it expires, or is replaced or revoked."""

    jwt: str = field(repr=False)
    issued: int
    expires: int
    state: str = "ACTIVE"
    # Time when it was replaced or revoked.
    ended: int | None = None

    def end(self, state, time):
        """Sets the final state, if the token has not ended before."""
        if self.state == "ACTIVE":
            self.state, self.ended = state, time.now

    @property
    def had_expired(self):
        """Returns whether it had expired before it was replaced or revoked."""
        return self.ended is not None and self.ended >= self.expires

    @property
    def id(self):
        claims = self.jwt.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["tid"]

    def is_live(self, time):
        return self.state == "ACTIVE" and self.issued <= time.now + SKEW and time.now < self.expires

    def displayed_state(self, time):
        """Returns the state that the API shows to the owner."""
        is_expired = self.state == "ACTIVE" and time.now >= self.expires
        return "EXPIRED" if is_expired or self.had_expired else self.state

    def refusals(self, time):
        """Returns the possible reasons of a rejection. Empty if the credential is valid."""
        if self.is_live(time):
            return set()
        if time.now >= self.expires:
            return {"TOKEN_EXPIRED"}
        if self.had_expired:  # and the clock jumped back; concurrent requests decide the reason
            return {"TOKEN_REPLACED", "TOKEN_REVOKED"}
        is_early = self.issued > time.now + SKEW
        return {"TOKEN_INVALID" if is_early or self.is_deleted(time) else f"TOKEN_{self.state}"}

    def is_deleted(self, time):
        end = self.expires if self.ended is None else min(self.ended, self.expires)
        return time.latest >= end + TOKEN_RETENTION
