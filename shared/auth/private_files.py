"""Files of keys, which only their owner reads."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole that only its owner reads; of two writers at once, the second finds the first's."""
    draft = _draft(path, content)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def replace_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads in place of the one before; whoever reads it meanwhile sees one, whole."""
    _draft(path, content).replace(path)


def _draft(path: Path, content: bytes) -> Path:
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # 0600, and nobody else's.
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return Path(draft)
