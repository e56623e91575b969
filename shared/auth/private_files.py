"""Files of keys, which only their owner reads."""

import os
import threading
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; of two writers at once, the second finds the first's."""
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def replace_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads in place of the one before; whoever reads it meanwhile sees one, whole."""
    _draft(path, content).replace(path)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return draft
