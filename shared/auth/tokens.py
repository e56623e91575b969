"""Bearer tokens: JWT (RFC 7519) signed by the issuer, verified against its published keys, as RFC 8725 advises."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from shared.auth import claims as of_token
from shared.auth.callers import Caller, Identity, NotAuthenticated
from shared.auth.keys import KeyStore, PublicKey
from shared.auth.remembered import RememberedTokens, Verified

ALGORITHMS = ("ES256", "RS256", "PS256")  # Asymmetric only: a public key must never serve as a shared secret.
MOST_CHARACTERS = 8_192

# A token that brings its own key, or a rule that we do not know, is refused rather than read without them.
_NOT_SPOKEN = frozenset({"jwk", "jku", "x5u", "crit", "b64", "zip", "enc"})


class _Registry(JWSRegistry):
    """What the library lets through: our algorithms, and headers that mean nothing to us (RFC 7515 section 4)."""

    max_header_length = MOST_CHARACTERS
    max_payload_length = MOST_CHARACTERS


_registry = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


class TokenVerifier:
    """Turns a bearer token into a caller, or refuses; each token is verified once and remembered while it holds."""

    def __init__(self, store: KeyStore, *, issuer: str, audience: str, other_names: Collection[str] = ()) -> None:
        """Accept tokens of one issuer, whatever of its names they carry, made for one audience."""
        self.store = store
        self.expected = of_token.Expected((issuer, *other_names), audience)
        self.remembered = RememberedTokens(store)

    def recall(self, token: str, *, now: datetime) -> Identity | None:
        """Return who carries a token that was verified before and still holds, else None."""
        self.store.keep_fresh()
        return self.remembered.find(token, now=now.timestamp())

    def needs_keys(self, token: str) -> bool:
        """Say whether the token names a key that we have not read: `store.refresh` may find it."""
        return self.store.find(_key_id(_header(token))) is None

    def identify(self, token: str, *, now: datetime) -> Identity:
        """Verify a token and return who carries it. Raises NotAuthenticated with the reason."""
        header = _header(token)
        key_id = _key_id(header)
        key = self.store.find(key_id)
        if key is None:
            raise NotAuthenticated(reason="unknown_key")
        claims = of_token.read_claims(_payload(token, header, key))
        validity = of_token.require_valid(claims, self.expected, now=now)
        identity = of_token.read_identity(claims)
        self.remembered.keep(token, Verified(identity, validity, key_id, key))
        return identity

    def verify(self, token: str, *, now: datetime, programme_id: UUID | None = None) -> Caller:
        """Return who is calling; `programme_id` is the one that the request names, if it does.

        Raises NotAuthenticated, ProgrammeDiffers, ProgrammeNeeded.
        """
        identity = self.recall(token, now=now) or self.identify(token, now=now)
        return identity.calling_in(programme_id)


def _header(token: str) -> dict[str, Any]:
    """Read a token's header, unverified. Raises NotAuthenticated for what is no token that we would look at."""
    if len(token) > MOST_CHARACTERS:
        raise NotAuthenticated(reason="token_too_large")
    if not token.isascii() or token.count(".") != 2:  # noqa: PLR2004  Header, claims, signature.
        raise NotAuthenticated(reason="malformed_token")
    segment = token.partition(".")[0]
    try:
        header = of_token.read_object(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (binascii.Error, ValueError) as error:
        raise NotAuthenticated(reason="malformed_token") from error
    if header.get("alg") not in ALGORITHMS:
        raise NotAuthenticated(reason="unsupported_algorithm")
    if _NOT_SPOKEN & header.keys():
        raise NotAuthenticated(reason="unsupported_header")
    of_token.require_access_type(header.get("typ", "JWT"))
    return header


def _key_id(header: dict[str, Any]) -> str:
    """Return which key is said to have signed. Raises NotAuthenticated: without an id it is not guessed."""
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise NotAuthenticated(reason="no_key_id")
    return key_id


def _payload(token: str, header: dict[str, Any], key: PublicKey) -> bytes:
    """Return what the key has signed. Raises NotAuthenticated if it did not, or with another algorithm than its own."""
    if key.get("alg", header["alg"]) != header["alg"]:
        raise NotAuthenticated(reason="unsupported_algorithm")
    try:
        return deserialize_compact(token, key, registry=_registry).payload
    except (JoseError, ValueError) as error:
        reason = error.error if isinstance(error, JoseError) else "malformed_token"
        raise NotAuthenticated(reason=reason) from error
