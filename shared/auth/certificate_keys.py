"""What certificates are signed with: Ed25519 (RFC 8032), the newest key first; the public ones are for everybody.

A key's id is read off the key. A new key is put before the old ones, and the old ones stay: what they signed is still
held to them. They are set in this process once, at its start; nothing else is signed with them.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.auth.private_files import replace_private, write_private
from shared.errors import Hindrance

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED_BYTES = 32
_ID_CHARACTERS = 16
_FILE = "certificate-keys"


class BadCertificateKey(Hindrance):
    """What is set as a key of certificates is none."""


class CertificateKeys:
    """Signs with the newest key, or with one of before by its id."""

    def __init__(self, seeds: Sequence[str]) -> None:
        """Take seeds as `new_seed` makes them, the newest first. Raises BadCertificateKey."""
        keys = [_private(seed) for seed in seeds]
        if not keys:
            raise BadCertificateKey("POPCANDY_CERTIFICATE_KEYS holds no key")
        self._keys = {key_id_of(key.public_key()): key for key in keys}

    @property
    def newest(self) -> str:
        """The id of the key that signs now."""
        return next(iter(self._keys))

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the keys, the newest first."""
        return tuple(self._keys)

    def sign(self, content: bytes, *, key_id: str) -> bytes:
        """Return the signature of a content under one of the keys. Raises KeyError."""
        return self._keys[key_id].sign(content)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK Set (RFC 8037)."""
        return {"keys": [_published(key_id, key.public_key()) for key_id, key in self._keys.items()]}


def new_seed() -> str:
    """Make a new private key, as the setting holds it."""
    return _text(secrets.token_bytes(SEED_BYTES))


def key_id_of(key: "Ed25519PublicKey") -> str:
    """Read the id off a public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_ID_CHARACTERS]


def public_keys(jwks: Mapping[str, Any]) -> "dict[str, Ed25519PublicKey]":
    """Return the keys of a JWK Set by id; those of another kind are passed over. Raises BadCertificateKey."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  See `_private`.

    try:
        ours = [each for each in jwks["keys"] if (each["kty"], each.get("crv")) == ("OKP", "Ed25519")]
        keys = [Ed25519PublicKey.from_public_bytes(_bytes(each["x"])) for each in ours]
    except (KeyError, TypeError, ValueError) as error:
        raise BadCertificateKey(f"this is no JWK Set ({type(error).__name__})") from error
    return {key_id_of(key): key for key in keys}


def is_signed(content: bytes, signature: bytes, *, key: "Ed25519PublicKey") -> bool:
    """Say whether a signature is of this content, under this key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  See `_private`.

    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def seeds_of(folder: Path) -> list[str]:
    """Return the keys of an embedded platform's folder, the newest first; one is made at first use."""
    path = folder / _FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_private(path, new_seed().encode())
    return path.read_text("ascii").split()


def rotate(folder: Path) -> str:
    """Put a new key before those of an embedded platform's folder, for its next start; return its id."""
    seeds = [new_seed(), *seeds_of(folder)]
    replace_private(folder / _FILE, "\n".join(seeds).encode())
    return CertificateKeys(seeds).newest


def _private(seed: str) -> "Ed25519PrivateKey":
    # Only who signs or looks at signatures loads cryptography.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415  As said.

    try:
        return Ed25519PrivateKey.from_private_bytes(_bytes(seed))
    except ValueError as error:
        raise BadCertificateKey("POPCANDY_CERTIFICATE_KEYS: each is 32 bytes in base64url") from error


def _published(key_id: str, key: "Ed25519PublicKey") -> dict[str, str]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": key_id,
        "x": _text(key.public_bytes_raw()),
    }


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


_used: list[CertificateKeys] = []


def use(seeds: Sequence[str]) -> None:
    """Sign with these keys in this process from now on. Raises BadCertificateKey."""
    _used[:] = [CertificateKeys(seeds)]


def certificate_keys() -> CertificateKeys | None:
    """Return what this process signs certificates with, None if it was not told."""
    return _used[0] if _used else None
