"""HTTP servers of this process: one front door before all services, or one service alone."""

import re
import socket
import threading
from collections.abc import Callable, Mapping
from threading import Event as Flag

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Hindrance
from shared.web.stopping import Stoppable

GRACE_SECONDS = 10
IDLE_SECONDS = 75  # Longer than callers and gateways keep a connection: whoever closes first must not be us.
SERVICE_PATH = re.compile(r"/api/([a-z_]+)/")


class PortTaken(Hindrance):
    """Somebody else listens on the port."""


class FrontDoor:
    """Sends each request to the service whose prefix its path has; anything else to the first service."""

    def __init__(self, apps: Mapping[str, ASGIApp], *, beside: Mapping[str, ASGIApp] | None = None) -> None:
        """Stand before apps, by service name, and before others beside them, by the first part of their paths."""
        self.apps = apps
        self.beside = beside or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        await self._app_of(scope["path"])(scope, receive, send)

    def _app_of(self, path: str) -> ASGIApp:
        first = next(iter(self.apps.values()))
        beside = self.beside.get(path[1:].partition("/")[0])
        if beside is not None:
            return beside
        found = SERVICE_PATH.match(path)
        return self.apps.get(found[1], first) if found else first


class WebServer:
    """A uvicorn server over a socket that is bound first, so that its address is known before there is an app."""

    def __init__(self, *, host: str, port: int) -> None:
        """Bind `port`, or a free one for 0. Raises PortTaken."""
        self.socket = _bound(host, port)
        self.url = f"http://{host}:{self.socket.getsockname()[1]}"

    def serving(self, app: ASGIApp) -> Callable[[Flag], None]:
        """Return the work of serving `app` until told to stop; requests in flight are answered first."""
        stopping = Stoppable(app)
        config = uvicorn.Config(
            stopping,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        server = uvicorn.Server(config)

        def serve(stop: Flag) -> None:
            stopping.stop = stop
            threading.Thread(target=_end, args=(server, stop), daemon=True).start()
            server.run(sockets=[self.socket])

        return serve


def _end(server: uvicorn.Server, stop: Flag) -> None:
    stop.wait()
    server.should_exit = True


def _bound(host: str, port: int) -> socket.socket:
    # Named as TCP: else asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"port {port} on {host} cannot be had ({error.strerror}); choose another with --port or --console-port"
        ) from error
    listener.listen(1024)
    return listener
