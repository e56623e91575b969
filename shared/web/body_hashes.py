"""The hash of a request's body, taken while it is received: a body may be larger than what memory should hold."""

import hashlib
import re

from starlette.datastructures import Headers
from starlette.types import Scope

KEY_HEADER = "idempotency-key"
IN_SCOPE = "popcandy.body_hash"
_BOUNDARY = re.compile(rb"boundary=(?:\"([^\"]+)\"|([^;\s]+))", re.IGNORECASE)
_MARK = b"\0"  # No boundary has it, so that what is left and right of it is never taken for one.


class BodyHash:
    """SHA-256 of a body; a form's boundary, which senders draw anew for each try, counts for nothing."""

    def __init__(self, content_type: str = "") -> None:
        """Prepare for a body of this type."""
        found = _BOUNDARY.search(content_type.encode("latin-1", "replace"))
        is_form = content_type.lower().startswith("multipart/")
        self._boundary = (found[1] or found[2]) if found and is_form else b""
        self._hash = hashlib.sha256()
        self._rest = b""  # What may be the beginning of a boundary.

    def update(self, chunk: bytes) -> None:
        """Add what came next."""
        if not self._boundary:
            self._hash.update(chunk)
            return
        text = (self._rest + chunk).replace(self._boundary, _MARK)
        kept = len(self._boundary) - 1
        whole = max(len(text) - kept, 0)
        self._hash.update(text[:whole])
        self._rest = text[whole:]

    def digest(self) -> bytes:
        """Return the hash of all that came."""
        whole = self._hash.copy()
        whole.update(self._rest)
        return whole.digest()


def begin(scope: Scope) -> BodyHash | None:
    """Prepare to take the hash of a request's body, if its sender has a key; `body_hash_of` asks for it later."""
    headers = Headers(scope=scope)
    if KEY_HEADER not in headers:
        return None
    found = BodyHash(headers.get("content-type", ""))
    scope[IN_SCOPE] = found
    return found


def body_hash_of(scope: Scope) -> bytes:
    """Return the hash of a body that was received whole. Raises KeyError where no `Gate` stands before the app."""
    found: BodyHash = scope[IN_SCOPE]
    return found.digest()
