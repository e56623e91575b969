"""Files of keys, which only their owner reads."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole that only its owner reads; of two writers at once, the second finds the first's."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # 0600, and nobody else's.
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
