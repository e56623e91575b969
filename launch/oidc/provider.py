"""The embedded OpenID provider: what it gives to whom, for how long. HTTP is `app`'s business."""

import hashlib
import hmac
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from launch.oidc.clients import CODE, OWN, REFRESH, Client
from launch.oidc.codes import Codes, Grant, UsedCode
from launch.oidc.people import DemoPerson, People
from launch.oidc.refusals import NotRedirectable, Refused
from launch.oidc.requests import SCOPES, AuthorizationRequest
from launch.oidc.sessions import Session, Sessions
from shared.auth.issuer import ACCESS_TOKEN, ALGORITHM, EmbeddedIssuer
from shared.auth.signatures import NotOurs, Signatures
from shared.roles import Role

ACCESS_LIFE = timedelta(minutes=15)
OWN_LIFE = timedelta(minutes=5)  # Of a service's own token: it asks again whenever it wants.
PAGE_LIFE = timedelta(minutes=10)  # How long a sign-in page may lie open.
ID_TOKEN = "JWT"  # noqa: S105  The `typ` of an ID token.

_REQUEST = "oidc.request"


class Means(NamedTuple):
    """What the provider works with."""

    url: str  # The issuer, as in `iss`.
    clients: Mapping[str, Client]
    people: People
    sessions: Sessions
    signatures: Signatures


class Provider:
    """Signs people and services in, with the keys of the embedded issuer."""

    def __init__(self, issuer: EmbeddedIssuer, means: Means) -> None:
        """Issue as `means.url`. There is none in production, because there is no EmbeddedIssuer."""
        self.issuer = issuer
        self.url, self.clients, self.people, self.sessions, self._signatures = means
        self.codes = Codes()
        self._lock = threading.Lock()

    def discovery(self) -> dict[str, Any]:
        """Describe the provider (OpenID Connect Discovery section 3, RFC 8414)."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "revocation_endpoint": f"{self.url}/revoke",
            "end_session_endpoint": f"{self.url}/end-session",
            "jwks_uri": f"{self.url}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [CODE, REFRESH, OWN],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["sub", "name", "roles", "programme_id", "partner_id", "auth_time", "nonce", "sid"],
            "ui_locales_supported": ["zh", "en"],
            "authorization_response_iss_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "claims_parameter_supported": False,
        }

    def remember(self, request: AuthorizationRequest) -> str:
        """Return a request as the sign-in page carries it: signed, for a few minutes."""
        return self._signatures.sign(request.as_json(), purpose=_REQUEST)

    def recall(self, signed: str) -> AuthorizationRequest:
        """Return the request that a sign-in page carried. Raises NotRedirectable."""
        try:
            return AuthorizationRequest(**self._signatures.read(signed, purpose=_REQUEST, most_age=PAGE_LIFE))
        except NotOurs as error:
            raise NotRedirectable("page_too_old") from error

    def sign_in(self, request: AuthorizationRequest, *, person_id: UUID, now: datetime) -> str:
        """Return a code for a person who has chosen who they are. Raises NotRedirectable for somebody unknown."""
        if self.people.find(person_id) is None:
            raise NotRedirectable("person")
        return self.codes.give(request, person_id=person_id, now=now)

    def tokens(self, client: Client, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
        """Answer the token endpoint for a client that has authenticated. Raises Refused."""
        grant = form.get("grant_type")
        if grant is None:
            raise Refused("invalid_request", "grant_type is missing")
        if grant not in {CODE, REFRESH, OWN}:
            raise Refused("unsupported_grant_type", "this grant_type is not supported")
        if grant not in client.grants:
            raise Refused("unauthorized_client", "the client may not use this grant_type")
        if grant == OWN:
            return self._own_token(client, form, now=now)
        return self._by_code(client, form, now=now) if grant == CODE else self._by_refresh(client, form, now=now)

    def end_session(self, form: Mapping[str, str], *, now: datetime) -> str | None:
        """End the session of an ID token and return where to go on (RP-Initiated Logout); None for nowhere.

        Raises NotRedirectable for a hint that is not ours or a place that is not registered; nothing ends then.
        """
        hint = self._hinted(form["id_token_hint"]) if "id_token_hint" in form else {}
        client = self.clients.get(form.get("client_id", hint.get("aud", "")))
        if hint and (client is None or hint.get("aud") != client.id):
            raise NotRedirectable("id_token_hint")
        target = form.get("post_logout_redirect_uri")
        if target is not None and (client is None or target not in client.post_logout_redirect_uris):
            raise NotRedirectable("post_logout_redirect_uri")
        if "sid" in hint:
            self.sessions.end(str(hint["sid"]), now=now)
        if target is None:
            return None
        return target + (f"?{urlencode({'state': form['state']})}" if "state" in form else "")

    def _by_code(self, client: Client, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
        code, redirect_uri, verifier = (_required(form, name) for name in ("code", "redirect_uri", "code_verifier"))
        with self._lock:  # Of two uses of one code at once, the second must find the session that it is to end.
            try:
                grant = self.codes.take(code, now=now)
            except UsedCode as used:
                self.sessions.end(used.session_id, now=now)
                raise
            if grant.request.client_id != client.id or grant.request.redirect_uri != redirect_uri:
                raise Refused("invalid_grant", "the code was given to another client or another redirect_uri")
            if not hmac.compare_digest(_challenge(verifier), grant.request.code_challenge):
                raise Refused("invalid_grant", "code_verifier does not fit the code_challenge")
            session = self.sessions.begin(grant, now=now)
        return self._answer(session, self._person(grant.person_id), now=now, grant=grant)

    def _by_refresh(self, client: Client, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
        session = self.sessions.go_on(_required(form, "refresh_token"), client_id=client.id, now=now)
        return self._answer(session, self._person(session.person_id), now=now)

    def _answer(
        self, session: Session, person: DemoPerson, *, now: datetime, grant: Grant | None = None
    ) -> dict[str, Any]:
        facts = self._facts(session, person, now=now)
        audience = self.issuer.settings.audience
        access = self.issuer.sign(
            {**facts, "aud": audience, "client_id": session.client_id, "scope": session.scope, "jti": _jti()},
            typ=ACCESS_TOKEN,
        )
        names = {"name": person.name_zh, "name#en": person.name_en, "azp": session.client_id, "at_hash": _half(access)}
        nonce = {} if grant is None or grant.request.nonce is None else {"nonce": grant.request.nonce}
        identity = self.issuer.sign({**facts, "aud": session.client_id, **names, **nonce}, typ=ID_TOKEN)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": self.sessions.refresh_token(session),
            "id_token": identity,
            "scope": session.scope,
        }

    def _facts(self, session: Session, person: DemoPerson, *, now: datetime) -> dict[str, Any]:
        """Return what both tokens of a person say."""
        partner = {} if person.partner_id is None else {"partner_id": str(person.partner_id)}
        return {
            "iss": self.url,
            "sub": str(person.id),
            "iat": int(now.timestamp()),
            "exp": int((now + ACCESS_LIFE).timestamp()),
            "auth_time": int(session.signed_in_at.timestamp()),
            "sid": session.id,
            "programme_id": str(self.people.programme_id),
            "roles": [person.role],
            **partner,
        }

    def _own_token(self, client: Client, form: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
        """Sign a token for a client itself: no person, no programme, the one role of services."""
        if form.get("scope"):
            raise Refused("invalid_scope", "a service's token has no scope")
        claims = {
            "iss": self.url,
            "aud": self.issuer.settings.audience,
            "sub": client.id,
            "client_id": client.id,
            "iat": int(now.timestamp()),
            "exp": int((now + OWN_LIFE).timestamp()),
            "jti": _jti(),
            "roles": [Role.SERVICE],
        }
        token = self.issuer.sign(claims, typ=ACCESS_TOKEN)
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(OWN_LIFE.total_seconds())}

    def _person(self, person_id: UUID) -> DemoPerson:
        person = self.people.find(person_id)
        if person is None:
            raise Refused("invalid_grant", "the person is not known any more")
        return person

    def _hinted(self, token: str) -> dict[str, Any]:
        """Read an ID token of ours, also one that has expired."""
        try:
            claims = jwt.decode(token, KeySet(list(self.issuer.keys())), algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as error:
            raise NotRedirectable("id_token_hint") from error
        if claims.get("iss") != self.url:
            raise NotRedirectable("id_token_hint")
        return claims


def _required(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise Refused("invalid_request", f"{name} is missing")
    return form[name]


def _challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return _base64(hashlib.sha256(verifier.encode()).digest())


def _half(token: str) -> str:
    """Return `at_hash` (OpenID Connect Core section 3.1.3.6)."""
    return _base64(hashlib.sha256(token.encode()).digest()[:16])


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _jti() -> str:
    return secrets.token_urlsafe(12)
