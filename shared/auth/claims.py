"""What a verified token says, and whether it was made for us: an access token (RFC 9068), not an ID token."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from shared.auth.callers import Identity, NotAuthenticated, service_id
from shared.roles import Role

LEEWAY_SECONDS = 30
MOST_SECONDS = 2**40  # Of an instant since 1970; later ones are mistakes, and would be kept for good.
MOST_ROLES = 200

# Providers that do not follow RFC 9068 sign access tokens as `JWT`, or say nothing. Their ID tokens, and others that
# are no access tokens, are told by what only such tokens carry.
ACCESS_TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt", "application/jwt"})
_OF_OTHER_TOKENS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})
_OTHER_KINDS = frozenset({"ID", "Refresh", "Offline", "Logout"})  # Keycloak's claim `typ`.
_KNOWN = frozenset(Role)
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REASONS = {"iss": "wrong_issuer", "aud": "wrong_audience", "nbf": "not_yet_valid", "iat": "issued_in_the_future"}


@dataclass(frozen=True, slots=True)
class Expected:
    """For whom tokens must be made, and by whom."""

    issuers: Collection[str]
    audience: str


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a token is good, in seconds since 1970, the tolerance for clocks included."""

    begins: float
    ends: float

    def holds(self, now: float) -> bool:
        """Say whether it is good now."""
        return self.begins <= now < self.ends


def require_access_type(typ: object) -> None:
    """Refuse a token whose header says that it is another kind of token. Raises NotAuthenticated."""
    if not isinstance(typ, str) or typ.lower() not in ACCESS_TYPES:
        raise NotAuthenticated(reason="not_an_access_token")


def read_claims(payload: bytes) -> dict[str, Any]:
    """Return a payload's claims. Raises NotAuthenticated for what is no object."""
    try:
        return read_object(payload)
    except ValueError as error:
        raise NotAuthenticated(reason="malformed_claims") from error


def read_object(text: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError for anything else, and for a member that is there twice."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  Of the text, not of an argument.
    return found


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def require_valid(claims: Mapping[str, Any], expected: Expected, *, now: datetime) -> Validity:
    """Return how long the claims hold. Raises NotAuthenticated unless they hold now, and are meant for us."""
    seconds = int(now.timestamp())
    registry = JWTClaimsRegistry(
        now=seconds,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "values": list(expected.issuers)},
        aud={"essential": True, "value": expected.audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        registry.validate(dict(claims))
    except JoseError as error:
        raise NotAuthenticated(reason=_reason(error)) from error
    if _OF_OTHER_TOKENS & claims.keys() or claims.get("typ") in _OTHER_KINDS:
        raise NotAuthenticated(reason="not_an_access_token")
    begins = max((claims[name] for name in ("nbf", "iat") if name in claims), default=0)
    if max(begins, claims["exp"]) > MOST_SECONDS:
        raise NotAuthenticated(reason="malformed_claims")
    return Validity(begins - LEEWAY_SECONDS, claims["exp"] + LEEWAY_SECONDS)


def read_identity(claims: Mapping[str, Any]) -> Identity:
    """Return who the claims are about. Raises NotAuthenticated for a person without a programme, and what is odd.

    Roles that we do not know are another system's: they give nothing here, and are no error.
    """
    try:
        roles = _roles(claims["roles"])
        programme, partner = claims.get("programme_id"), claims.get("partner_id")
        programme_id = None if programme is None else _id(programme)
        if Role.SERVICE in roles:
            return _service(claims, roles, programme_id)
        if programme_id is None:
            raise NotAuthenticated(reason="no_programme")
        return Identity(_id(claims["sub"]), roles, programme_id, None if partner is None else _id(partner))
    except (ValueError, KeyError, TypeError) as error:
        raise NotAuthenticated(reason="malformed_claims") from error


def _service(claims: Mapping[str, Any], roles: frozenset[Role], programme_id: UUID | None) -> Identity:
    """Return a service's identity: it has no other role, so that none of a person's powers comes with it."""
    name = claims.get("client_id", claims.get("azp", claims["sub"]))  # RFC 9068 section 2.2; others say `azp`.
    if roles != {Role.SERVICE} or "partner_id" in claims or not _SERVICE.fullmatch(name):
        raise NotAuthenticated(reason="malformed_claims")
    return Identity(service_id(name), roles, programme_id, service=name)


def _roles(value: object) -> frozenset[Role]:
    if not isinstance(value, list) or len(value) > MOST_ROLES or not all(isinstance(each, str) for each in value):
        raise TypeError
    return frozenset(Role(each) for each in value if each in _KNOWN)


def _id(value: object) -> UUID:
    if not isinstance(value, str):
        raise TypeError
    return UUID(value)


def _reason(error: JoseError) -> str:
    if isinstance(error, ExpiredTokenError):
        return "expired_token"
    if isinstance(error, InvalidClaimError):
        return _REASONS.get(error.claim, "malformed_claims")
    return "missing_claim" if isinstance(error, MissingClaimError) else "malformed_claims"
