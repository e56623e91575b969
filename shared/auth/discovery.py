"""Where an issuer's endpoints are, as it says itself (OpenID Connect Discovery 1.0, RFC 8414)."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from shared import telemetry
from shared.auth.keys import LEAST_SECONDS_BETWEEN_READS, KeyStore, fetch_json
from shared.errors import Hindrance

KEEP_SECONDS = 3600.0
# Why a document may not be had, or not be believed.
UNLEARNT = (httpx2.HTTPError, httpx2.InvalidURL, OSError, KeyError, TypeError, ValueError)
# Where browsers, and who signs them out, are sent: one that is not secure is as if it were not there.
_FOR_BROWSERS = frozenset({"authorization_endpoint", "end_session_endpoint", "revocation_endpoint"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Fetch = Callable[[str], dict[str, Any]]

log = telemetry.get_logger()


class InsecureIssuer(Hindrance):
    """The issuer's address would let anybody on the way be the issuer."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What we use of what an issuer publishes of itself."""

    jwks_uri: str
    token_endpoint: str


class Discovery:
    """An issuer's endpoints, asked for when first needed and again after an hour, from any thread."""

    def __init__(self, issuer: str, *, fetch: Fetch = fetch_json) -> None:
        """Ask the issuer at this URL, which must be HTTPS but on this machine. Raises InsecureIssuer.

        `fetch` gets a JSON object from an address; it raises one of UNLEARNT.
        """
        require_secure(issuer)
        self.issuer = issuer
        self._fetch = fetch
        self._lock = threading.Lock()
        self._known: Mapping[str, Any] | None = None
        self._asked_at = 0.0

    def document(self) -> Mapping[str, Any]:
        """Return what the issuer says of itself; what was said before holds on while it is away. Blocks.

        Its endpoints are secure; those for browsers that are not are left out. Raises one of UNLEARNT.
        """
        with self._lock:
            if self._known is None or time.monotonic() - self._asked_at >= KEEP_SECONDS:
                self._known = self._ask_or(self._known)
                self._asked_at = time.monotonic()
            return self._known

    def endpoints(self) -> Endpoints:
        """Return where those are that services use. Raises one of UNLEARNT."""
        document = self.document()
        return Endpoints(jwks_uri=document["jwks_uri"], token_endpoint=document.get("token_endpoint", ""))

    def forget(self) -> None:
        """Ask anew at the next need, as after an endpoint did not answer."""
        with self._lock:
            self._known = None

    def read_keys(self) -> dict[str, Any]:
        """Return the issuer's JWK Set, for a KeyStore."""
        try:
            return self._fetch(self.endpoints().jwks_uri)
        except UNLEARNT:
            self.forget()  # It may have moved.
            raise

    def _ask_or(self, known: Mapping[str, Any] | None) -> Mapping[str, Any]:
        try:
            return self._ask()
        except UNLEARNT as error:
            if known is None:
                raise
            log.warning("issuer.not_asked_anew", reason=type(error).__name__)
            return known

    def _ask(self) -> Mapping[str, Any]:
        document = self._fetch(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise ValueError("the document is another issuer's")  # Section 4.3: it MUST be identical.
        for url in (document["jwks_uri"], document.get("token_endpoint", self.issuer)):
            if not is_secure(url):
                raise ValueError("an endpoint is not secure")
        return {name: value for name, value in document.items() if name not in _FOR_BROWSERS or is_secure(value)}


def discovered_keys(discovery: Discovery, *, least_seconds: float = LEAST_SECONDS_BETWEEN_READS) -> KeyStore:
    """Return the keys of an issuer that says itself where they are."""
    return KeyStore(discovery.read_keys, least_seconds=least_seconds)


def is_url(issuer: str) -> bool:
    """Say whether an issuer's name is an address to ask."""
    return issuer.startswith(("https://", "http://"))


def require_secure(url: str) -> None:
    """Require HTTPS, except on this machine. Raises InsecureIssuer."""
    if not is_secure(url):
        raise InsecureIssuer(f"{url}: an issuer is asked by https only, except on this machine")


def is_secure(url: object) -> bool:
    """Say whether something is an address where nobody on the way listens: by HTTPS, or on this machine."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return False
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
