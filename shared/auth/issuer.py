"""The embedded platform's own token issuer: its keys and what they sign. It refuses to exist in production."""

import os
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from shared.auth.keys import KeyStore
from shared.auth.private_files import replace_private, write_private
from shared.errors import Hindrance
from shared.ids import new_id
from shared.roles import Role
from shared.settings import Settings

TOKEN_LIFE = timedelta(hours=12)
ALGORITHM = "ES256"
ACCESS_TOKEN = "at+jwt"  # noqa: S105  The `typ` of an access token (RFC 9068 section 2.1).
MOST_KEYS = 2  # The one that signs and the one before it: what that signed may still be out there.


class IssuerForbidden(Hindrance):
    """The embedded issuer was asked for in production, where a real identity provider belongs."""


class EmbeddedIssuer:
    """Signs tokens with the newest key of the platform's folder; another process may rotate the keys meanwhile."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Load the folder's signing keys, making one at first use. Raises IssuerForbidden in production."""
        if settings.environment == "production":
            raise IssuerForbidden("the embedded token issuer does not run in production; set POPCANDY_JWKS")
        self.settings = settings
        self._path = folder / "issuer-key.json"
        self._published = folder / "jwks.json"  # For services that run apart: POPCANDY_JWKS.
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._keys: list[ECKey] = []
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._path, orjson.dumps(_new_key().as_dict(private=True)))
        _publish(self._published, orjson.dumps(self.jwks()))

    @property
    def key(self) -> ECKey:
        """The key that signs."""
        return self.keys()[0]

    def keys(self) -> list[ECKey]:
        """Return the folder's keys, the one that signs first; read again when the file has changed."""
        with self._lock:
            found = self._path.stat()
            if self._seen != (found.st_mtime_ns, found.st_ino):
                content = orjson.loads(self._path.read_bytes())
                self._keys = [ECKey.import_key(each) for each in content.get("keys", [content])]
                self._seen = (found.st_mtime_ns, found.st_ino)
            return self._keys

    def rotate(self) -> ECKey:
        """Sign with a new key from now on; the one before it stays published, for what it has signed."""
        kept = [_new_key(), *self.keys()][:MOST_KEYS]
        replace_private(self._path, orjson.dumps({"keys": [key.as_dict(private=True) for key in kept]}))
        _publish(self._published, orjson.dumps(self.jwks()))
        return self.key

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        return {"keys": [key.as_dict(private=False, alg=ALGORITHM, use="sig") for key in self.keys()]}

    def key_store(self) -> KeyStore:
        """Return the public keys to verify with in this process; reading them costs nothing."""
        return KeyStore(self.jwks, least_seconds=0, forget_seconds=10)

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Sign any claims as a token of a type."""
        key = self.key
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": typ}, dict(claims), key)

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
            "jti": str(new_id()),
            "programme_id": str(programme_id),
            "roles": sorted(roles),
        }
        if partner_id is not None:
            claims["partner_id"] = str(partner_id)
        return self.sign(claims, typ=ACCESS_TOKEN)


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", private=True, auto_kid=True)


def _publish(path: Path, content: bytes) -> None:
    """Write a file whole: whoever reads it meanwhile sees the one before."""
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    draft.write_bytes(content)
    draft.replace(path)
