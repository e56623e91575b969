"""The file that a command writes for a person: whole or not at all."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from shared.errors import Hindrance


class CannotWrite(Hindrance):
    """The file cannot be written; the message names it and says why."""


def require_writable(path: Path, *, endings: Sequence[str]) -> Path:
    """Return a path that has one of these endings and lies in a folder that takes files. Raises CannotWrite."""
    if path.suffix.lower() not in endings:
        raise CannotWrite(f"cannot write {path}: its name has to end in {' or '.join(endings)}")
    try:
        hindrance = _hindrance(path)
    except OSError as error:  # A name too long to look at, say.
        hindrance = error.strerror
    if hindrance:
        raise CannotWrite(f"cannot write {path}: {hindrance}")
    return path


def _hindrance(path: Path) -> str | None:
    """Say what hinders a file at `path`; None if nothing does."""
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return "its folder takes no files"
    return None


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place at once: a reader sees the old one or the whole new one. Raises CannotWrite."""
    draft = path.with_name(f".popcandy-{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
