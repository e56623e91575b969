"""What we hand out and must know again as ours: cursors, cookies, links. Signed, not secret (itsdangerous)."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from shared.auth.private_files import write_private
from shared.errors import Hindrance

LEAST_CHARACTERS = 32


class WeakSecret(Hindrance):
    """A secret is too short to sign with."""


class NotOurs(Exception):
    """A signed text is forged, cut, made for something else, or older than asked; the door decides what to answer."""


class Signatures:
    """Signs JSON values for one purpose each; what is signed for one purpose is nothing for another."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Sign with the first key, accept all of them. Raises WeakSecret."""
        self.keys = tuple(require_strong(keys))
        self._keys = list(reversed(self.keys))  # The library signs with the last.

    def sign(self, value: object, *, purpose: str) -> str:
        """Return a JSON value as text that fits into an address or a cookie."""
        return self._serializer(purpose).dumps(value)

    def read(self, text: str, *, purpose: str, most_age: timedelta | None = None) -> Any:  # noqa: ANN401  Any JSON value.
        """Return what was signed for this purpose. Raises NotOurs."""
        seconds = None if most_age is None else int(most_age.total_seconds())
        try:
            return self._serializer(purpose).loads(text, max_age=seconds)
        except BadData as error:
            raise NotOurs(type(error).__name__) from error

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._keys, salt=f"popcandy.{purpose}")


def keys_in(setting: str) -> list[str]:
    """Read the keys of a setting, with commas between, the newest first."""
    return [key.strip() for key in setting.split(",") if key.strip()]


def signatures_from(setting: str) -> Signatures:
    """Return the signatures of a setting: keys with commas between, the newest first. Raises WeakSecret."""
    return Signatures(keys_in(setting))


def signatures_of(folder: Path) -> Signatures:
    """Return the signatures of an embedded platform's folder, whose secret is made at first use."""
    return Signatures([secret_of(folder)])


def secret_of(folder: Path) -> str:
    """Return the secret of an embedded platform's folder, which is made at first use."""
    path = folder / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, secrets.token_urlsafe(48).encode())
    return path.read_text().strip()


def require_strong(keys: Sequence[str]) -> Sequence[str]:
    """Return keys that are long enough. Raises WeakSecret."""
    if not keys or min(map(len, keys)) < LEAST_CHARACTERS:
        raise WeakSecret(f"POPCANDY_SECRETS: each needs {LEAST_CHARACTERS} characters or more")
    return keys
