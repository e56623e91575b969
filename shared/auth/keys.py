"""The issuer's public keys (JWKS, RFC 7517): from a URL, a file, or the issuer in this process."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx2
import orjson
from joserfc.jwk import KeySet, KeySetSerialization

LEAST_SECONDS_BETWEEN_READS = 10.0  # An unknown key id must not make us hammer the issuer.
TIMEOUT_SECONDS = 5.0

Read = Callable[[], dict[str, Any]]


class KeyStore:
    """Public keys by id, read when first needed and again when a token names a key that is not among them."""

    def __init__(self, read: Read) -> None:
        """Read keys with `read`, which returns a JWK Set."""
        self._read = read
        self._lock = threading.Lock()
        self._keys = KeySet([])
        self._read_at = -LEAST_SECONDS_BETWEEN_READS

    def keys(self) -> KeySet:
        """Return the keys read last."""
        return self._keys

    def knows(self, key_id: str | None) -> bool:
        """Say whether a key id is among the keys read last."""
        return any(key.kid == key_id for key in self._keys.keys)

    def refresh(self) -> None:
        """Read the keys again, unless that was just done. Blocks; call it off the event loop."""
        with self._lock:
            if time.monotonic() - self._read_at >= LEAST_SECONDS_BETWEEN_READS:
                self._keys = KeySet.import_key_set(cast("KeySetSerialization", self._read()))
                self._read_at = time.monotonic()


def key_store(location: str) -> KeyStore:
    """Return the keys at a URL or in a file."""
    if location.startswith(("https://", "http://")):
        return KeyStore(lambda: _fetch(location))
    return KeyStore(lambda: dict(orjson.loads(Path(location).read_bytes())))


def _fetch(url: str) -> dict[str, Any]:
    response = httpx2.get(url, timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return dict(response.json())
