"""Authorization codes: each good once, for a minute, for one client (RFC 6749 section 4.1.2).

They live in memory: a restart within the minute costs one more click. Only their digests are kept.
"""

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from launch.oidc.refusals import Refused
from launch.oidc.requests import AuthorizationRequest

CODE_LIFE = timedelta(seconds=60)
MOST_CODES = 1_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person has agreed to by signing in, and the session that comes of it."""

    request: AuthorizationRequest
    person_id: UUID
    session_id: str
    at: datetime


class UsedCode(Refused):
    """A code came a second time: what the first use gave is to be taken back."""

    def __init__(self, session_id: str) -> None:
        """Name the session."""
        super().__init__("invalid_grant", "the code has been used")
        self.session_id = session_id


class Codes:
    """Codes that are out, and those that were used within their minute."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}
        self._used: set[str] = set()

    def give(self, request: AuthorizationRequest, *, person_id: UUID, now: datetime) -> str:
        """Return a new code for a person who has signed in."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._forget(now)
            self._grants[_digest(code)] = Grant(request, person_id, secrets.token_urlsafe(16), now)
            self._grants = dict(list(self._grants.items())[-MOST_CODES:])
        return code

    def take(self, code: str, *, now: datetime) -> Grant:
        """Return what a code stands for, once. Raises Refused, UsedCode at the second time."""
        digest = _digest(code)
        with self._lock:
            self._forget(now)
            grant = self._grants.get(digest)
            if grant is None:
                raise Refused("invalid_grant", "the code is unknown or has expired")
            if digest in self._used:
                raise UsedCode(grant.session_id)
            self._used.add(digest)
            return grant

    def _forget(self, now: datetime) -> None:
        """Drop what is older than a minute, or from a clock that was ahead."""
        self._grants = {name: grant for name, grant in self._grants.items() if abs(now - grant.at) <= CODE_LIFE}
        self._used &= set(self._grants)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
