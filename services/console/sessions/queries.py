"""What the console asks the issuer: where its doors are, which keys it signs with, and for tokens."""

import threading
import time
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry
from pydantic import TypeAdapter, ValidationError

from services.console.sessions import rules
from services.console.sessions.rules import Registration, Tokens
from services.console.shell.rules import is_sound_address
from shared import telemetry
from shared.auth.keys import KeyStore, KeysUnreachable, PublicKey
from shared.auth.tokens import ALGORITHMS

LEEWAY_SECONDS = 30
METADATA_KEPT_SECONDS = 600.0
WANTED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("end_session_endpoint", "revocation_endpoint")

_TOKENS = TypeAdapter(Tokens)

log = telemetry.get_logger()


class Issuer:
    """One OpenID provider, found by its discovery document."""

    def __init__(self, http: httpx2.Client, registration: Registration) -> None:
        """Know an issuer; nothing is asked before it is needed."""
        self.registration = registration
        self._http = http
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._read_at = 0.0
        self._keys = KeyStore(self._read_keys)

    def metadata(self) -> Mapping[str, Any]:
        """Return the discovery document; one that was read serves on while the issuer is away. Raises IssuerDown."""
        with self._lock:
            if not self._metadata or time.monotonic() - self._read_at > METADATA_KEPT_SECONDS:
                try:
                    self._metadata = self._discover()
                    self._read_at = time.monotonic()
                except rules.IssuerDown:
                    if not self._metadata:
                        raise
            return self._metadata

    def redeem(self, code: str, *, verifier: str) -> Tokens:
        """Exchange a code, which works once. Raises IssuerDown, SignInFailed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.registration.redirect_uri,
            "code_verifier": verifier,
        }
        answer = self._post(self.metadata()["token_endpoint"], form)
        if answer.is_client_error:
            raise rules.SignInFailed("attempt_over", _error_of(answer))
        return _tokens_of(answer)

    def renew(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token. Raises IssuerDown, RenewalRefused."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        answer = self._post(self.metadata()["token_endpoint"], form)
        if answer.is_client_error and answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            raise rules.RenewalRefused(_error_of(answer))
        return _tokens_of(answer)

    def revoke(self, refresh_token: str) -> None:
        """Take a refresh token back (RFC 7009), where the issuer can. Raises IssuerDown."""
        endpoint = self.metadata().get("revocation_endpoint")
        if endpoint is not None:
            self._post(endpoint, {"token": refresh_token, "token_type_hint": "refresh_token"})

    def verify(self, id_token: str, *, now: datetime) -> dict[str, Any]:
        """Return an ID token's claims, if the issuer made it. Raises SignInFailed, IssuerDown."""
        try:
            claims = dict(jwt.decode(id_token, self._key_of(id_token), algorithms=list(ALGORITHMS)).claims)
            self._registry(now).validate(claims)
        except (JoseError, ValueError) as error:
            raise rules.SignInFailed("untrusted", type(error).__name__) from error
        return claims

    def _key_of(self, id_token: str) -> PublicKey:
        """Return the key that a token names, which may be a new one."""
        key_id = str(extract_compact(id_token.encode()).headers().get("kid"))
        if self._keys.find(key_id) is None:
            try:
                self._keys.refresh()
            except KeysUnreachable as error:
                raise rules.IssuerDown("keys") from error
        key = self._keys.find(key_id)
        if key is None:
            raise rules.SignInFailed("untrusted", "unknown_key")
        return key

    def _registry(self, now: datetime) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.registration.issuer},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            aud={"essential": True},
        )

    def _discover(self) -> dict[str, Any]:
        """Read the discovery document (OpenID Connect Discovery 1.0 section 4)."""
        issuer = self.registration.issuer
        document = self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise _unfit("issuer")
        for name in WANTED:
            if not is_sound_address(document.get(name), issuer=issuer):
                raise _unfit(name)
        if "S256" not in document.get("code_challenge_methods_supported", ["S256"]):
            raise _unfit("code_challenge_methods_supported")
        sound = {name: is_sound_address(document.get(name), issuer=issuer) for name in OPTIONAL}
        return {name: value for name, value in document.items() if sound.get(name, True)}

    def _read_keys(self) -> dict[str, Any]:
        try:
            return self._json("GET", self.metadata()["jwks_uri"])
        except rules.IssuerDown as error:
            raise OSError(str(error)) from error  # What a key store takes for "serve with those read before".

    def _json(self, method: str, url: str) -> dict[str, Any]:
        answer = self._send(method, url)
        try:
            document = answer.json() if answer.is_success else None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise _unfit(url)
        return document

    def _post(self, url: str, form: dict[str, str]) -> httpx2.Response:
        """Post a form as this client, in the way that the issuer takes (OpenID Connect Core section 9)."""
        known, secret = self.registration.client_id, self.registration.client_secret
        if secret is None:
            return self._send("POST", url, data=form | {"client_id": known})
        methods = self.metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            return self._send("POST", url, data=form, auth=_basic(known, secret))
        return self._send("POST", url, data=form | {"client_id": known, "client_secret": secret})

    def _send(self, method: str, url: str, **parts: Any) -> httpx2.Response:  # noqa: ANN401  As httpx2 takes them.
        try:
            answer = self._http.request(method, url, headers={"accept": "application/json"}, **parts)
        except httpx2.HTTPError as error:
            log.warning("issuer.down", error=type(error).__name__)
            raise rules.IssuerDown(type(error).__name__) from error
        if answer.is_server_error:
            log.warning("issuer.failed", status=answer.status_code)
            raise rules.IssuerDown(str(answer.status_code))
        return answer


def _basic(client_id: str, secret: str) -> httpx2.BasicAuth:
    """Authenticate with both parts encoded, as the colon between them demands (RFC 6749 section 2.3.1)."""
    return httpx2.BasicAuth(quote_plus(client_id), quote_plus(secret))


def _tokens_of(answer: httpx2.Response) -> Tokens:
    try:
        return _TOKENS.validate_json(answer.content)
    except ValidationError as error:
        raise _unfit("tokens") from error


def _error_of(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["error"])[:60]
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)


def _unfit(what: str) -> rules.IssuerDown:
    log.error("issuer.unfit", what=what)
    return rules.IssuerDown(what)
