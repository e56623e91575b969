"""The issuer's public keys (JWKS, RFC 7517): from a URL, a file, or the issuer in this process."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx2
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from shared import telemetry
from shared.errors import Hindrance

LEAST_SECONDS_BETWEEN_READS = 10.0  # An unknown key id must not make us hammer the issuer.
TIMEOUT_SECONDS = 5.0

Read = Callable[[], dict[str, Any]]


log = telemetry.get_logger()


class KeysUnreachable(Hindrance):
    """The issuer's keys have never been read; nobody can be told from anybody."""


class KeyStore:
    """Public keys by id, read when first needed and again when a token names a key that is not among them."""

    def __init__(self, read: Read, *, least_seconds: float = LEAST_SECONDS_BETWEEN_READS) -> None:
        """Read keys with `read`, which returns a JWK Set, at most every `least_seconds`."""
        self._read = read
        self._least_seconds = least_seconds
        self._lock = threading.Lock()
        self._keys = KeySet([])
        self._tried_at = -math.inf

    def keys(self) -> KeySet:
        """Return the keys read last."""
        return self._keys

    def knows(self, key_id: str | None) -> bool:
        """Say whether a key id is among the keys read last."""
        return any(key.kid == key_id for key in self._keys.keys)

    def refresh(self) -> None:
        """Read the keys again, unless that was just tried; when it fails, those read before go on to serve.

        Blocks; call it off the event loop. Raises KeysUnreachable when there are none at all.
        """
        with self._lock:
            if time.monotonic() - self._tried_at >= self._least_seconds:
                self._try_to_read()
                self._tried_at = time.monotonic()
            if not self._keys.keys:
                raise KeysUnreachable("the token issuer's keys cannot be read")

    def _try_to_read(self) -> None:
        try:
            self._keys = KeySet.import_key_set(cast("KeySetSerialization", self._read()))
        except (httpx2.HTTPError, OSError, ValueError, TypeError, KeyError, JoseError) as error:
            log.warning("keys.unreadable", reason=type(error).__name__)


def key_store(location: str, *, least_seconds: float = LEAST_SECONDS_BETWEEN_READS) -> KeyStore:
    """Return the keys at a URL or in a file."""
    if location.startswith(("https://", "http://")):
        return KeyStore(lambda: _fetch(location), least_seconds=least_seconds)
    return KeyStore(lambda: dict(orjson.loads(Path(location).read_bytes())), least_seconds=least_seconds)


def _fetch(url: str) -> dict[str, Any]:
    response = httpx2.get(url, timeout=TIMEOUT_SECONDS)
    response.raise_for_status()
    return dict(response.json())
