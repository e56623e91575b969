"""How an answer that goes on by itself hears that its server is to stop, which waits for the end of all answers."""

from collections.abc import Callable
from threading import Event as Flag

from starlette.types import ASGIApp, Receive, Scope, Send

_STOP = "popcandy.stop"


class Stoppable:
    """An app that is told with each request which flag tells its server to stop."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app
        self.stop = Flag()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.app({**scope, _STOP: self.stop}, receive, send)


def stops(scope: Scope) -> Callable[[], bool]:
    """Return how to ask whether the server of a request was told to stop; one of whom that is not known never is."""
    stop: Flag | None = scope.get(_STOP)
    return bool if stop is None else stop.is_set
