"""The issuer's public keys (JWKS, RFC 7517): from a URL, a file, or the issuer in this process."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from shared import telemetry
from shared.errors import Hindrance

LEAST_SECONDS_BETWEEN_READS = 10.0  # An unknown key id must not make us hammer the issuer.
FORGET_SECONDS = 600.0  # A key that the issuer no longer publishes opens nothing after this, while it can be asked.
TIMEOUT_SECONDS = 5.0
MOST_KEYS = 100
LEAST_RSA_BITS = 2048

Read = Callable[[], dict[str, Any]]
PublicKey = ECKey | RSAKey


log = telemetry.get_logger()


class KeysUnreachable(Hindrance):
    """The issuer's keys have never been read; nobody can be told from anybody."""


class KeyStore:
    """Public keys by id, read when first needed, when a token names a key that is not among them, and now and then."""

    def __init__(
        self,
        read: Read,
        *,
        least_seconds: float = LEAST_SECONDS_BETWEEN_READS,
        forget_seconds: float = FORGET_SECONDS,
    ) -> None:
        """Read a JWK Set with `read`, at most every `least_seconds` and, if used, at least every `forget_seconds`.

        A key that has not changed stays the same object, so that what it has signed can be told by it.
        """
        self._read = read
        self._least_seconds, self._forget_seconds = least_seconds, forget_seconds
        self._lock, self._behind = threading.Lock(), threading.Lock()
        self._keys: dict[str, PublicKey] = {}
        self._tried_at = self._read_at = -math.inf

    def find(self, key_id: str) -> PublicKey | None:
        """Return the key of an id among those read last."""
        return self._keys.get(key_id)

    def refresh(self) -> None:
        """Read the keys again, unless that was just tried; when it fails, those read before go on to serve.

        Blocks; call it off the event loop. Raises KeysUnreachable when there are none at all.
        """
        with self._lock:
            if time.monotonic() - self._tried_at >= self._least_seconds:
                self._try_to_read()
                self._tried_at = time.monotonic()
            if not self._keys:
                raise KeysUnreachable("the token issuer's keys cannot be read")

    def keep_fresh(self) -> None:
        """Begin to read keys that were read too long ago, in a thread of its own; whoever calls does not wait."""
        now = time.monotonic()
        is_due = now - self._read_at >= self._forget_seconds and now - self._tried_at >= self._least_seconds
        if is_due and self._keys and self._behind.acquire(blocking=False):
            threading.Thread(target=self._refresh_behind, name="keys", daemon=True).start()

    def _refresh_behind(self) -> None:
        try:
            self.refresh()
        except KeysUnreachable:
            log.warning("keys.all_withdrawn")
        finally:
            self._behind.release()

    def _try_to_read(self) -> None:
        try:
            found = dict(_usable(self._read()))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, TypeError, KeyError) as error:
            log.warning("keys.unreadable", reason=type(error).__name__)
            return
        self._read_at = time.monotonic()
        before = self._keys
        self._keys = {key_id: before[key_id] if before.get(key_id) == key else key for key_id, key in found.items()}
        if before and before.keys() != found.keys():
            new, gone = found.keys() - before.keys(), before.keys() - found.keys()
            log.info("keys.changed", new=sorted(new), gone=sorted(gone))


def key_store(location: str, *, least_seconds: float = LEAST_SECONDS_BETWEEN_READS) -> KeyStore:
    """Return the keys at a URL or in a file."""
    if location.startswith(("https://", "http://")):
        return KeyStore(lambda: fetch_json(location), least_seconds=least_seconds)
    return KeyStore(lambda: dict(orjson.loads(Path(location).read_bytes())), least_seconds=least_seconds)


def fetch_json(url: str) -> dict[str, Any]:
    """Get a JSON object from an issuer, without following it elsewhere. Raises httpx2.HTTPError, ValueError."""
    response = httpx2.get(url, timeout=TIMEOUT_SECONDS, headers={"accept": "application/json"})
    response.raise_for_status()
    return dict(response.json())


def _usable(jwks: dict[str, Any]) -> Iterator[tuple[str, PublicKey]]:
    """Return the keys that may sign tokens. The others are passed over, as RFC 7517 section 5 asks."""
    for entry in list(jwks["keys"])[:MOST_KEYS]:
        try:
            key = JWKRegistry.import_key({name: value for name, value in dict(entry).items() if name not in _PRIVATE})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("keys.passed_over", reason=type(error).__name__)
            continue
        is_strong = isinstance(key, ECKey) or (isinstance(key, RSAKey) and key.raw_value.key_size >= LEAST_RSA_BITS)
        if is_strong and key.get("use", "sig") == "sig" and isinstance(key.get("kid"), str):
            yield str(key.get("kid")), key  # type: ignore[misc]  # An ECKey or RSAKey, as just seen.


_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})  # Not ours to hold, should an issuer publish them.
