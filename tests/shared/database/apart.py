"""An embedded server in a process of its own, to be killed or to run as somebody else: `python apart.py FOLDER [UID]`.

It prints the server's socket folder and process id, and runs until its standard input ends.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def main(folder: Path, uid: int | None) -> None:
    from sqlalchemy import URL  # noqa: PLC0415  In the child only.

    from shared.database.embedded import EmbeddedServer  # noqa: PLC0415  As above.

    if uid is not None:  # Only now: the interpreter itself may stand where nobody else can read.
        import psycopg  # noqa: F401, PLC0415  Loaded before the account changes.

        URL.create("postgresql+psycopg").render_as_string()
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    server = EmbeddedServer(folder)
    server.start()
    print(server.url.query["host"], server.pid, flush=True)  # noqa: T201  For the test that started this.
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
