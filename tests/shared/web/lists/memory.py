"""How much more memory a process needs while it exports a programme's books; see `test_streaming.py`.

python -m tests.shared.web.lists.memory URL ROLE PROGRAMME FORMAT    # prints KiB, and how many bytes were sent
"""

import re
import sys
from pathlib import Path
from uuid import UUID, uuid4

import anyio
from sqlalchemy.engine import make_url
from starlette.types import Message

from shared.database.sessions import Database
from tests.shared.web.lists.conftest import app_of
from tests.shared.web.lists.driving import ask


def peak_kib() -> int:
    """Return the most memory that this process has had so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("utf-8"))
    assert found
    return int(found[1])


def main(url: str, role: str, programme: str, form: str) -> None:
    database = Database(make_url(url), role=role, pool_size=3)
    app, sent = app_of(database), 0

    async def count(message: Message) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    path = f"/all-books?format={form}"
    anyio.run(ask, app, path, uuid4(), count)  # What any export needs is there before.
    before, sent = peak_kib(), 0
    anyio.run(ask, app, path, UUID(programme), count)
    sys.stdout.write(f"{peak_kib() - before} {sent}\n")
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
