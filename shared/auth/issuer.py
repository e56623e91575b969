"""The embedded platform's own token issuer. It refuses to exist in production."""

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.auth.keys import KeyStore
from shared.auth.private_files import write_private
from shared.errors import Hindrance
from shared.roles import Role
from shared.settings import Settings

TOKEN_LIFE = timedelta(hours=12)


class IssuerForbidden(Hindrance):
    """The embedded issuer was asked for in production, where a real identity provider belongs."""


class EmbeddedIssuer:
    """Signs tokens with a key of the platform's folder."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Load the folder's signing key, making it at first use. Raises IssuerForbidden in production."""
        if settings.environment == "production":
            raise IssuerForbidden("the embedded token issuer does not run in production; set POPCANDY_JWKS")
        self.settings = settings
        self.key = _load_key(folder / "issuer-key.json")
        _publish(folder / "jwks.json", orjson.dumps(self.jwks()))  # For services that run apart: POPCANDY_JWKS.

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        return {"keys": [self.key.as_dict(private=False)]}

    def key_store(self) -> KeyStore:
        """Return the public keys to verify with in this process."""
        return KeyStore(self.jwks)

    def issue(
        self,
        *,
        person_id: UUID,
        programme_id: UUID,
        roles: Iterable[Role],
        now: datetime,
        partner_id: UUID | None = None,
    ) -> str:
        """Sign a token for a person, valid for twelve hours from `now`."""
        claims: dict[str, Any] = {
            "iss": self.settings.issuer,
            "aud": self.settings.audience,
            "sub": str(person_id),
            "iat": int(now.timestamp()),
            "exp": int((now + TOKEN_LIFE).timestamp()),
            "programme_id": str(programme_id),
            "roles": sorted(roles),
        }
        if partner_id is not None:
            claims["partner_id"] = str(partner_id)
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)


def _load_key(path: Path) -> ECKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = ECKey.generate_key("P-256", private=True, auto_kid=True)
        write_private(path, orjson.dumps(key.as_dict(private=True)))
    return ECKey.import_key(orjson.loads(path.read_bytes()))


def _publish(path: Path, content: bytes) -> None:
    """Write a file whole: whoever reads it meanwhile sees the one before."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
