"""Where an issuer's endpoints are, as it says itself (OpenID Connect Discovery 1.0, RFC 8414)."""

import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.auth.keys import LEAST_SECONDS_BETWEEN_READS, KeyStore, fetch_json
from shared.errors import Hindrance

KEEP_SECONDS = 3600.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class InsecureIssuer(Hindrance):
    """The issuer's address would let anybody on the way be the issuer."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What we use of what an issuer publishes of itself."""

    jwks_uri: str
    token_endpoint: str


class Discovery:
    """An issuer's endpoints, asked for when first needed and again after an hour, from any thread."""

    def __init__(self, issuer: str) -> None:
        """Ask the issuer at this URL, which must be HTTPS but on this machine. Raises InsecureIssuer."""
        require_secure(issuer)
        self.issuer = issuer
        self._lock = threading.Lock()
        self._known: Endpoints | None = None
        self._asked_at = 0.0

    def endpoints(self) -> Endpoints:
        """Return where they are. Blocks.

        Raises httpx2.HTTPError, OSError, KeyError or ValueError when they cannot be learnt.
        """
        with self._lock:
            if self._known is None or time.monotonic() - self._asked_at >= KEEP_SECONDS:
                self._known = self._ask()
                self._asked_at = time.monotonic()
            return self._known

    def forget(self) -> None:
        """Ask anew at the next need, as after an endpoint did not answer."""
        with self._lock:
            self._known = None

    def read_keys(self) -> dict[str, Any]:
        """Return the issuer's JWK Set, for a KeyStore."""
        try:
            return fetch_json(self.endpoints().jwks_uri)
        except Exception:
            self.forget()  # It may have moved.
            raise

    def _ask(self) -> Endpoints:
        document = fetch_json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise ValueError("the document is another issuer's")  # Section 4.3: it MUST be identical.
        found = Endpoints(jwks_uri=str(document["jwks_uri"]), token_endpoint=str(document.get("token_endpoint", "")))
        for url in (found.jwks_uri, found.token_endpoint or found.jwks_uri):
            _require_trusted(url)
        return found


def discovered_keys(discovery: Discovery, *, least_seconds: float = LEAST_SECONDS_BETWEEN_READS) -> KeyStore:
    """Return the keys of an issuer that says itself where they are."""
    return KeyStore(discovery.read_keys, least_seconds=least_seconds)


def _require_trusted(url: str) -> None:
    try:
        require_secure(url)
    except InsecureIssuer as error:
        raise ValueError("an endpoint is not secure") from error


def is_url(issuer: str) -> bool:
    """Say whether an issuer's name is an address to ask."""
    return issuer.startswith(("https://", "http://"))


def require_secure(url: str) -> None:
    """Require HTTPS, except on this machine. Raises InsecureIssuer."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise InsecureIssuer(f"{url}: an issuer is asked by https only, except on this machine")
