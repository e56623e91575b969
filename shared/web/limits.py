"""What a web role lets in: how many requests at once, how large a body, under which trace."""

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars

from shared import telemetry
from shared.web import problems

MOST_BODY_BYTES = 21 * 1024 * 1024  # An import's file and its form around it.
OPEN_PATHS = ("/livez", "/readyz")


class Traced:
    """Binds the request's trace to its logs and events, and tells the caller which it was."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its trace."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clear_contextvars()  # A connection's next request may inherit the context of the one before.
        with telemetry.trace(Headers(scope=scope).get("traceparent")):

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message)["traceparent"] = telemetry.traceparent()
                await send(message)

            await self.app(scope, receive, send_traced)


class Gate:
    """Admits as many requests at once as there are connections; the others wait outside, holding nothing.

    Without it a request that holds a connection can wait for a thread that waits for a connection.
    """

    def __init__(self, app: ASGIApp, *, admitted: int) -> None:
        """Wrap an app; `admitted` is its pool's size."""
        self.app = app
        self.limiter = anyio.Semaphore(admitted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request when there is room; health checks never wait."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        async with self.limiter:
            await self.app(scope, receive, send)


class BodyLimit:
    """Refuses a request body over the limit: at once if it says its length, else as soon as it is exceeded."""

    def __init__(self, app: ASGIApp, *, most: int = MOST_BODY_BYTES) -> None:
        """Wrap an app."""
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request within the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if int(Headers(scope=scope).get("content-length", "0") or 0) > self.most:
            await self._refuse(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most:
                raise HTTPException(413)
            return message

        await self.app(scope, receive_limited, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        code, title = problems.BY_STATUS[413]
        language = problems.language_of(Request(scope))
        answer = problems.problem(
            status=413,
            code=code,
            title=title,
            language=language,
            facts={"most_bytes": self.most},
            headers={"connection": "close"},
        )
        await answer(scope, receive, send)
