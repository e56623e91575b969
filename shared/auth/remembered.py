"""Tokens that were verified, so that each is verified once. Kept by digest: a token itself is nowhere in memory."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from shared.auth.callers import Identity
from shared.auth.claims import Validity
from shared.auth.keys import KeyStore, PublicKey

MOST_TOKENS = 5_000


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of a token: who carries it, for how long, and by which key that was proven."""

    identity: Identity
    validity: Validity
    key_id: str
    key: PublicKey


class RememberedTokens:
    """The tokens used last, from any thread, as long as they hold and their key is the issuer's."""

    def __init__(self, store: KeyStore, *, most: int = MOST_TOKENS) -> None:
        """Remember at most `most`; the one unused for longest goes first."""
        self._store, self._most = store, most
        self._lock = threading.Lock()
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()

    def __len__(self) -> int:
        """Count them."""
        return len(self._verified)

    def find(self, token: str, *, now: float) -> Identity | None:
        """Return who carries a token that was verified and still holds at `now`, seconds since 1970."""
        digest = _digest(token)
        with self._lock:
            verified = self._verified.get(digest)
            if verified is None:
                return None
            if not verified.validity.holds(now) or self._store.find(verified.key_id) is not verified.key:
                del self._verified[digest]
                return None
            self._verified.move_to_end(digest)
            return verified.identity

    def keep(self, token: str, verified: Verified) -> None:
        """Remember a token that was just verified."""
        with self._lock:
            self._verified[_digest(token)] = verified
            while len(self._verified) > self._most:
                self._verified.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
