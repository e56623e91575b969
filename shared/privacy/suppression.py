"""Numbers that we no longer know and must know again: keyed digests of the numbers of those who were erased.

An employee number is short enough to be guessed, so a plain hash would be the number itself to whoever tries them all.
Hence HMAC-SHA-256 under a key that is not in the database. Each digest says by which key it was made: a new key is put
before the old ones, and the old ones stay as long as digests made by them are to be recognised.
"""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shared.errors import Hindrance

_ID_CHARACTERS = 16


class NoSuppressionKey(Hindrance):
    """This process was not told what erased numbers are hashed with."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A number that was hashed, and the id of the key."""

    key_id: str
    value: bytes


class Suppressor:
    """Hashes numbers under several keys, the newest first."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Derive a key of its own from each secret, so that what signs cursors is nothing here."""
        derived = [hmac.digest(secret.encode(), b"popcandy.suppression", "sha256") for secret in secrets]
        self._keys = {hashlib.sha256(key).hexdigest()[:_ID_CHARACTERS]: key for key in derived}

    @property
    def key_ids(self) -> Collection[str]:
        """The ids of the keys, the newest first."""
        return tuple(self._keys)

    def digest(self, number: str, *, scope: str) -> Digest:
        """Hash a number of one scope, as of a programme, under the newest key."""
        return next(iter(self.digests(number, scope=scope)))

    def digests(self, number: str, *, scope: str) -> list[Digest]:
        """Hash a number under every key: by any of them it may have been hashed before."""
        message = f"{scope}\x00{number}".encode()
        return [Digest(key_id, hmac.digest(key, message, "sha256")) for key_id, key in self._keys.items()]


_used: list[Suppressor] = []


def use(secrets: Sequence[str]) -> None:
    """Hash with these secrets in this process from now on. Raises NoSuppressionKey if there are none."""
    if not secrets:
        raise NoSuppressionKey("POPCANDY_SUPPRESSION_SECRETS and POPCANDY_SECRETS name nothing to hash with")
    _used[:] = [Suppressor(secrets)]


def suppressor() -> Suppressor:
    """Return what this process hashes with. Raises NoSuppressionKey."""
    if not _used:
        raise NoSuppressionKey("neither POPCANDY_SUPPRESSION_SECRETS nor POPCANDY_SECRETS is set")
    return _used[0]
