"""What we hand out and nobody else may read: a browser's session. Sealed with AES-256-GCM."""

import base64
import binascii
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.auth.signatures import NotOurs, keys_in, require_strong, secret_of

NONCE_BYTES = 12  # What GCM takes (NIST SP 800-38D).
KEY_BYTES = 32


class Seals:
    """Seals bytes for one purpose each; what is sealed for one purpose is nothing for another."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Seal with the first key, open with all of them. Raises WeakSecret."""
        self._keys = require_strong(keys)

    def seal(self, content: bytes, *, purpose: str) -> str:
        """Return bytes as text that fits into a cookie, which nobody can read or change."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + _cipher(self._keys[0], purpose).encrypt(nonce, content, None)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str, *, purpose: str) -> bytes:
        """Return what was sealed for this purpose, by any of the keys. Raises NotOurs."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise NotOurs(type(error).__name__) from error
        nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        for key in self._keys:
            try:
                return _cipher(key, purpose).decrypt(nonce, content, None)
            except (InvalidTag, ValueError):  # The latter for what is too short to have a nonce.
                continue
        raise NotOurs("no key opens it")


def seals_from(setting: str) -> Seals:
    """Return the seals of a setting: keys with commas between, the newest first. Raises WeakSecret."""
    return Seals(keys_in(setting))


def seals_of(folder: Path) -> Seals:
    """Return the seals of an embedded platform's folder, whose secret is made at first use."""
    return Seals([secret_of(folder)])


@cache
def _cipher(key: str, purpose: str) -> AESGCM:
    """Derive a key of its own for each purpose (RFC 5869), so that none is also the one that signs."""
    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"popcandy.seal.{purpose}".encode())
    return AESGCM(derivation.derive(key.encode()))
