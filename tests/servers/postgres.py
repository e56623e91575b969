"""A PostgreSQL for tests: the embedded one, in a folder that its account can enter (pytest's own are closed to it)."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.database.embedded import EmbeddedServer


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder under /tmp that PostgreSQL's account may pass through, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="popcandy-test-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_server() -> Iterator[EmbeddedServer]:
    """Run a server over a folder of its own; it is durable, as kill tests need it."""
    with open_folder() as folder:
        server = EmbeddedServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
