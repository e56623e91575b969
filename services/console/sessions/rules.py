"""Signing in by OpenID Connect (code flow with PKCE): what is asked for, what is believed, how long it lasts."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

LONGEST_STAY = timedelta(hours=12)
ATTEMPT_LIFE = timedelta(minutes=10)
LOOP = timedelta(seconds=30)  # An API that refuses a session so young would refuse the next one too.
RENEW_EARLY_SECONDS = 60
DEFAULT_TOKEN_SECONDS = 300  # RFC 6749 lets an issuer keep silent about it.
SECRET_BYTES = 32
STATE_MARK_CHARACTERS = 16
SCOPE = "openid profile offline_access"

_ERROR = re.compile(r"[a-z_]{1,60}", re.ASCII)


class SignInFailed(Exception):
    """A sign-in did not end well; `fault` names the text that says so."""

    def __init__(self, fault: str, reason: str) -> None:
        """Keep what the person reads and what the log says."""
        super().__init__(reason)
        self.fault = fault
        self.reason = reason


class IssuerDown(Exception):
    """The issuer did not answer, or not with what a discovery document promises."""


class RenewalRefused(Exception):
    """The issuer gives no new token for this session: it is over."""


class SessionTooLarge(Exception):
    """The issuer's tokens fit into no browser."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How an issuer knows this console."""

    issuer: str
    client_id: str
    console_url: str
    client_secret: str | None = field(default=None, repr=False)

    @property
    def redirect_uri(self) -> str:
        """The only address to which a code may be sent."""
        return f"{self.console_url}/sign-in/callback"

    @property
    def signed_out_uri(self) -> str:
        """Where the issuer sends a browser back after it has signed out there."""
        return f"{self.console_url}/signed-out"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was begun in this browser; `begun_at` is in seconds."""

    state: str
    nonce: str
    verifier: str
    next_path: str
    begun_at: int


@dataclass(frozen=True, slots=True)
class Callback:
    """What an issuer's redirect brought back."""

    state: str = ""
    code: str = ""
    iss: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the issuer says; the APIs decide for themselves."""

    id: str
    name: str
    name_en: str = ""
    roles: tuple[str, ...] = ()
    programme: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an issuer's token endpoint answered."""

    access_token: str
    expires_in: int = DEFAULT_TOKEN_SECONDS
    refresh_token: str | None = None
    id_token: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. Instants are in seconds; `id` changes with each sign-in."""

    id: str
    csrf: str
    signed_in_at: int
    person: Person
    access_token: str
    renew_at: int
    expires_at: int
    refresh_token: str | None = None
    id_token: str | None = None


def begin(*, next_path: str, now: datetime) -> Attempt:
    """Make an attempt that nobody can guess."""
    state, nonce, verifier = (secrets.token_urlsafe(SECRET_BYTES) for _ in range(3))
    return Attempt(state, nonce, verifier, next_path, int(now.timestamp()))


def challenge_of(verifier: str) -> str:
    """Return a verifier's S256 challenge (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(endpoint: str, registration: Registration, attempt: Attempt, *, language: str) -> str:
    """Return where a browser signs in."""
    return _with_query(
        endpoint,
        response_type="code",
        client_id=registration.client_id,
        redirect_uri=registration.redirect_uri,
        scope=SCOPE,
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=challenge_of(attempt.verifier),
        code_challenge_method="S256",
        ui_locales="zh-CN" if language == "zh" else "en",
    )


def end_session_url(endpoint: str, registration: Registration, session: Session) -> str:
    """Return where a browser signs out of the issuer too (OpenID Connect RP-Initiated Logout 1.0)."""
    hint = {} if session.id_token is None else {"id_token_hint": session.id_token}
    return _with_query(
        endpoint, client_id=registration.client_id, post_logout_redirect_uri=registration.signed_out_uri, **hint
    )


def mark_of(state: str) -> str:
    """Return what tells a browser's attempts apart; it proves nothing."""
    return hashlib.sha256(state.encode()).hexdigest()[:STATE_MARK_CHARACTERS]


def require_own(callback: Callback, attempt: Attempt | None, *, now: datetime) -> Attempt:
    """Return the attempt that a callback belongs to. Raises SignInFailed when it is none of this browser's."""
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), callback.state.encode()):
        raise SignInFailed("attempt_over", "unknown_state")
    if attempt.begun_at + ATTEMPT_LIFE.total_seconds() <= now.timestamp():
        raise SignInFailed("attempt_over", "expired")
    return attempt


def require_code(callback: Callback, *, issuer: str, names_itself: bool) -> str:
    """Return a callback's code. Raises SignInFailed for another issuer's (RFC 9207) or an error.

    `names_itself` says that the issuer always sends `iss`, so that its absence is suspicious.
    """
    if (callback.iss is not None or names_itself) and callback.iss != issuer:
        raise SignInFailed("untrusted", "other_issuer")
    if callback.error is not None:
        known = callback.error if _ERROR.fullmatch(callback.error) else "malformed_error"
        raise SignInFailed("denied" if known == "access_denied" else "untrusted", known)
    if not callback.code:
        raise SignInFailed("untrusted", "no_code")
    return callback.code


def require_ours(claims: Mapping[str, Any], *, client_id: str, nonce: str) -> None:
    """Require that a verified ID token was made for us and this attempt. Raises SignInFailed."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences or claims.get("azp", client_id) != client_id:
        raise SignInFailed("untrusted", "other_audience")
    if len(audiences) > 1 and "azp" not in claims:
        raise SignInFailed("untrusted", "no_authorized_party")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise SignInFailed("untrusted", "other_nonce")


def start_session(tokens: Tokens, claims: Mapping[str, Any], *, now: datetime) -> Session:
    """Make a session of what an issuer gave; its id and CSRF token are new, whoever was signed in before."""
    session = Session(
        id=secrets.token_urlsafe(SECRET_BYTES),
        csrf=secrets.token_urlsafe(SECRET_BYTES),
        signed_in_at=int(now.timestamp()),
        person=person_of(claims, tokens.access_token),
        access_token=tokens.access_token,
        renew_at=0,
        expires_at=0,
    )
    return renewed(session, tokens, now=now)


def renewed(session: Session, tokens: Tokens, *, now: datetime) -> Session:
    """Return a session with new tokens; what the issuer did not send again stays."""
    seconds = max(tokens.expires_in, 1)
    at = int(now.timestamp())
    return Session(
        id=session.id,
        csrf=session.csrf,
        signed_in_at=session.signed_in_at,
        person=_with_roles_of(tokens.access_token, session.person),
        access_token=tokens.access_token,
        renew_at=at + seconds - min(RENEW_EARLY_SECONDS, seconds // 4),
        expires_at=at + seconds,
        refresh_token=tokens.refresh_token or session.refresh_token,
        id_token=tokens.id_token or session.id_token,
    )


def person_of(claims: Mapping[str, Any], access_token: str) -> Person:
    """Say who signed in, for the layout: by the ID token, and by what an access token that is a JWT tells besides."""
    told = {**_claims_of(access_token), **claims}
    name = str(told.get("name") or told.get("preferred_username") or "")
    return Person(
        id=str(told.get("sub", "")),
        name=name,
        name_en=str(told.get("name#en") or ""),
        roles=_roles_of(told),
        programme=str(told.get("programme_name") or told.get("programme_id") or ""),
    )


def must_renew(session: Session, *, now: datetime) -> bool:
    """Say whether a session's access token is about to expire."""
    return session.renew_at <= now.timestamp()


def is_usable(session: Session, *, now: datetime) -> bool:
    """Say whether a session's access token is still good."""
    return session.expires_at > now.timestamp()


def is_over(session: Session, *, now: datetime) -> bool:
    """Say whether a session has lasted as long as any may."""
    return session.signed_in_at + LONGEST_STAY.total_seconds() <= now.timestamp()


def would_loop(session: Session, *, now: datetime) -> bool:
    """Say whether signing in again is of no use, as it was done only now."""
    return now.timestamp() - session.signed_in_at < LOOP.total_seconds()


def is_own_form(session: Session, given: str) -> bool:
    """Say whether a form carries the session's CSRF token."""
    return hmac.compare_digest(session.csrf.encode(), given.encode())


def _with_query(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    return parts._replace(query=urlencode([*parse_qsl(parts.query), *parameters.items()]), fragment="").geturl()


def _with_roles_of(access_token: str, person: Person) -> Person:
    """Take over the roles that a new token tells, none too; one that tells nothing changes nothing."""
    told = _claims_of(access_token)
    return replace(person, roles=_roles_of(told)) if "roles" in told else person


def _roles_of(claims: Mapping[str, Any]) -> tuple[str, ...]:
    roles = claims.get("roles")
    return tuple(map(str, roles)) if isinstance(roles, list) else ()


def _claims_of(token: str) -> dict[str, Any]:
    """Read a JWT's claims without believing them; nothing of what is no JWT."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
