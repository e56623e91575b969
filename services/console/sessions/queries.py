"""What the console asks the issuer: where its doors are, which keys it signs with, and for tokens."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry
from pydantic import TypeAdapter, ValidationError

from services.console.sessions import rules
from services.console.sessions.rules import Registration, Tokens
from shared import telemetry
from shared.auth.discovery import UNLEARNT, Discovery, discovered_keys
from shared.auth.keys import KeysUnreachable, PublicKey
from shared.auth.service_tokens import basic_of
from shared.auth.tokens import ALGORITHMS

LEEWAY_SECONDS = 30
WANTED = ("authorization_endpoint", "token_endpoint")
JSON = {"accept": "application/json"}

_TOKENS = TypeAdapter(Tokens)

log = telemetry.get_logger()


class Issuer:
    """One OpenID provider, found by its discovery document."""

    def __init__(self, http: httpx2.Client, registration: Registration) -> None:
        """Know an issuer; nothing is asked before it is needed. Raises InsecureIssuer."""
        self.registration = registration
        self._http = http
        self._discovery = Discovery(registration.issuer, fetch=self._fetch)
        self._keys = discovered_keys(self._discovery)

    def metadata(self) -> Mapping[str, Any]:
        """Return the discovery document, as far as it can be trusted. Raises IssuerDown."""
        try:
            document = self._discovery.document()
        except (httpx2.HTTPError, OSError) as error:
            raise _down(error) from error
        except UNLEARNT as error:
            raise _unfit("discovery") from error
        for name in WANTED:
            if name not in document:
                raise _unfit(name)
        if "S256" not in document.get("code_challenge_methods_supported", ["S256"]):
            raise _unfit("code_challenge_methods_supported")
        return document

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

    def _fetch(self, url: str) -> dict[str, Any]:
        """Get a JSON object. Raises httpx2.HTTPError, ValueError."""
        answer = self._http.get(url, headers=JSON)
        answer.raise_for_status()
        return dict(answer.json())

    def _post(self, url: str, form: dict[str, str]) -> httpx2.Response:
        """Post a form as this client, in the way that the issuer takes (OpenID Connect Core section 9)."""
        known, secret = self.registration.client_id, self.registration.client_secret
        if secret is None:
            return self._send(url, data=form | {"client_id": known})
        methods = self.metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            return self._send(url, data=form, auth=basic_of(known, secret))
        return self._send(url, data=form | {"client_id": known, "client_secret": secret})

    def _send(self, url: str, **parts: Any) -> httpx2.Response:  # noqa: ANN401  As httpx2 takes them.
        try:
            answer = self._http.post(url, headers=JSON, **parts)
        except httpx2.HTTPError as error:
            raise _down(error) from error
        if answer.is_server_error:
            log.warning("issuer.failed", status=answer.status_code)
            raise rules.IssuerDown(str(answer.status_code))
        return answer


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


def _down(error: Exception) -> rules.IssuerDown:
    log.warning("issuer.down", error=type(error).__name__)
    return rules.IssuerDown(type(error).__name__)


def _unfit(what: str) -> rules.IssuerDown:
    log.error("issuer.unfit", what=what)
    return rules.IssuerDown(what)
