"""Bearer tokens: JWT (RFC 7519) signed by the issuer, verified against its published keys."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact
from joserfc.jwt import JWTClaimsRegistry

from shared.auth.callers import Caller, NotAuthenticated
from shared.auth.keys import KeyStore
from shared.roles import Role

ALGORITHMS = ["ES256", "RS256", "PS256"]  # Asymmetric only: a public key must never serve as a shared secret.
LEEWAY_SECONDS = 30


class TokenVerifier:
    """Turns a bearer token into a caller, or refuses."""

    def __init__(self, store: KeyStore, *, issuer: str, audience: str, other_names: Collection[str] = ()) -> None:
        """Accept tokens of one issuer, whatever of its names they carry, made for one audience."""
        self.store = store
        self.issuers = [issuer, *other_names]
        self.audience = audience

    def needs_keys(self, token: str) -> bool:
        """Say whether the token names a key that we have not read: `store.refresh` may find it."""
        return not self.store.knows(_key_id(token))

    def verify(self, token: str, *, now: datetime) -> Caller:
        """Return who is calling. Raises NotAuthenticated with the reason."""
        try:
            claims = jwt.decode(token, self.store.keys(), algorithms=ALGORITHMS).claims
            registry = JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "values": self.issuers},
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                sub={"essential": True},
            )
            registry.validate(claims)
            return _caller(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotAuthenticated(reason=_reason(error)) from error


def _caller(claims: dict[str, Any]) -> Caller:
    partner = claims.get("partner_id")
    return Caller(
        person_id=UUID(str(claims["sub"])),
        programme_id=UUID(str(claims["programme_id"])),
        roles=frozenset(Role(role) for role in claims["roles"]),
        partner_id=None if partner is None else UUID(str(partner)),
    )


def _key_id(token: str) -> str | None:
    """Read the key id from a token's header, unverified. Raises NotAuthenticated for what is no token at all."""
    try:
        return extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError) as error:
        raise NotAuthenticated(reason="malformed_token") from error


def _reason(error: Exception) -> str:
    return error.error if isinstance(error, JoseError) else "malformed_claims"
