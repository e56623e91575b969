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
    if path.is_dir():
        raise CannotWrite(f"cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise CannotWrite(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CannotWrite(f"cannot write {path}: its folder takes no files")
    return path


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
