"""What a web role lets in: how many requests at once, how large a body, under which trace."""

import asyncio
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars

from shared import telemetry
from shared.web import body_hashes, problems
from shared.web.bad_requests import has_body
from shared.web.body_hashes import BodyHash

MOST_BODY_BYTES = 51 * 1024 * 1024  # An import's file and its form around it.
SPOOL_BYTES = 1024 * 1024
BODY_SECONDS = 60.0
WAIT_SECONDS = 20.0
RETRY_SECONDS = "2"
CLOSE = {"connection": "close"}
OPEN_PATHS = ("/livez", "/readyz")
_LEAVE = "popcandy.leave_gate"


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
            has_started = False

            async def send_traced(message: Message) -> None:
                nonlocal has_started
                if message["type"] == "http.response.start":
                    has_started = True
                    MutableHeaders(scope=message)["traceparent"] = telemetry.traceparent()
                await send(message)

            try:
                await self.app(scope, receive, send_traced)
            except Exception as error:  # noqa: BLE001  What nobody foresaw; the server would cut the connection over it.
                answer = problems.failed(Request(scope), error)
                if not has_started:
                    await answer(scope, receive, send_traced)


class Gate:
    """Admits as many requests at once as there are connections; the others wait outside, holding nothing.

    Without it a request that holds a connection can wait for a thread that waits for a connection. A body is received
    before its request is admitted, so a slow sender takes no place; one that takes too long is refused, as is a request
    that waited too long. Hot doors count their own (`together.Groups`): many of their requests share a connection.
    """

    def __init__(
        self, app: ASGIApp, *, admitted: int, hot: Callable[[Scope], bool] = lambda _: False,
        body_seconds: float = BODY_SECONDS, wait_seconds: float = WAIT_SECONDS,
    ) -> None:  # fmt: skip
        """Wrap an app; `admitted` is how many connections there are for requests of their own."""
        self.app = app
        self.hot = hot
        self.limiter = anyio.Semaphore(admitted)
        self.body_seconds, self.wait_seconds = body_seconds, wait_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request when there is room; health checks never wait."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as body:
            body_hash = body_hashes.begin(scope)
            if has_body(Headers(scope=scope)):
                try:
                    async with asyncio.timeout(self.body_seconds):
                        is_whole = await _spool(receive, body, body_hash)
                except TimeoutError:
                    await problems.of_status(Request(scope), 408, headers=CLOSE)(scope, receive, send)
                    return
                if not is_whole:
                    return  # The caller has gone.
                receive = _replayed(body, receive)
            if self.hot(scope):
                await self.app(scope, receive, send)
                return
            if not await self._is_admitted():
                busy = problems.of_status(Request(scope), 503, headers={"Retry-After": RETRY_SECONDS})
                await busy(scope, receive, send)
                return
            leave = scope[_LEAVE] = _Once(self.limiter.release)  # In the scope from which others read the route.
            try:
                await self.app(scope, receive, send)
            finally:
                leave()

    async def _is_admitted(self) -> bool:
        """Wait for room; False if there was none in time."""
        try:
            self.limiter.acquire_nowait()
        except anyio.WouldBlock:
            with anyio.move_on_after(self.wait_seconds) as waiting:
                await self.limiter.acquire()
            return not waiting.cancelled_caught
        return True


class _Once:
    """Does something the first time that it is called."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    def __call__(self) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


def leave_gate(scope: Scope) -> None:
    """Give a request's place to another: it goes on, and holds no connection to the database."""
    leave: Callable[[], None] | None = scope.get(_LEAVE)
    if leave is not None:
        leave()


async def _spool(receive: Receive, body: IO[bytes], body_hash: BodyHash | None) -> bool:
    """Receive a whole body, on disk if it is large; False if the caller went away in the middle."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        body.write(message.get("body", b""))
        if body_hash is not None:
            body_hash.update(message.get("body", b""))
        if not message.get("more_body", False):
            body.seek(0)
            return True


def _replayed(body: IO[bytes], receive: Receive) -> Receive:
    """Give a received body to the app as if it came now, and after it whatever comes."""
    is_over = False

    async def replay() -> Message:
        nonlocal is_over
        if is_over:
            return await receive()
        chunk = body.read(SPOOL_BYTES)
        is_over = len(chunk) < SPOOL_BYTES
        return {"type": "http.request", "body": chunk, "more_body": not is_over}

    return replay


class BodyTooLarge(Exception):
    """A body went on after its limit."""


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
        said = Headers(scope=scope).get("content-length")
        if said:  # The server sees to it that no more comes than was said.
            serve = self._refuse if int(said) > self.most else self.app
            await serve(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.most:
                raise BodyTooLarge
            return message

        try:
            await self.app(scope, receive_limited, send)
        except BodyTooLarge:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problems.of_status(Request(scope), 413, facts={"most_bytes": self.most}, headers=CLOSE)
        await answer(scope, receive, send)
