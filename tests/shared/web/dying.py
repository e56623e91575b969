"""A process that serves `safe` and is killed between a commit and its answer.

`python -m tests.shared.web.dying URL ROLE KEY`: KEY is the public one of the tokens. It writes its port on the first
line, and dies with the first answer to an unsafe call.
"""

import json
import os
import signal
import socket
import sys

import uvicorn
from joserfc.jwk import ECKey
from sqlalchemy import make_url
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.database.sessions import Database
from tests.shared.web.conftest import safe_app


class Killed:
    """Kills the process where the app would begin to answer an unsafe call."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_die(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "GET":
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await self.app(scope, receive, send_or_die)


def main() -> None:
    """Serve until killed."""
    database = Database(make_url(sys.argv[1]), role=sys.argv[2], pool_size=3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        app = Killed(safe_app(database, ECKey.import_key(json.loads(sys.argv[3]))))
        config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
