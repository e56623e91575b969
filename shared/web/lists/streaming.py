"""Answers that are made while they are sent: few at once, cut off visibly when they fail, gone with their caller."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared import telemetry
from shared.errors import Title, TooMany

MOST_SECONDS: Final = 600.0  # One that takes longer is cut: it keeps a connection from others.
MOST_AT_ONCE: Final = 3
RETRY_SECONDS: Final = 5

log = telemetry.get_logger()


class ExportsBusy(TooMany):
    """As many exports are being made as there may be at once."""

    code = "exports_busy"
    title = Title(zh="导出任务较多，请稍后再试", en="Other exports are being made: try again in a moment")


class Places:
    """Lets few exports be made at once in one app, so that other requests have connections left."""

    def __init__(self, pool_size: int) -> None:
        """Offer a third of a pool's connections, three at most and one at least."""
        self.left = max(1, min(MOST_AT_ONCE, pool_size // 3))

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place for the block; only the event loop's thread calls it. Raises ExportsBusy."""
        if self.left == 0:
            raise ExportsBusy(retry_after=RETRY_SECONDS)
        self.left -= 1
        try:
            yield
        finally:
            self.left += 1


class Streamed(Response):
    """A file that is sent while it is made.

    What fails before the first piece is a problem document like any other. What fails later ends the connection
    without the end of the body, so that nobody takes half a file for the whole. When the caller goes away the making
    stops after the batch in hand, and its connection is free again.
    """

    def __init__(
        self, make: Callable[[], Generator[bytes]], *, places: Places, file_name: str, title: str, media_type: str,
        most_seconds: float = MOST_SECONDS,
    ) -> None:  # fmt: skip
        """Answer with what `make` yields; empty pieces are not sent."""
        self.make, self.places, self.most_seconds = make, places, most_seconds
        self.status_code, self.background = 200, None
        self.media_type = media_type
        self.file_name = file_name
        self.init_headers(
            {
                "content-disposition": disposition(file_name, title),
                "cache-control": "no-store",
                "vary": "accept, accept-language",
            }
        )
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature.
        """Send the file. Raises ExportsBusy before anything is sent, and whatever its making raises."""
        with self.places.taken():
            pieces = self.make()
            try:
                with anyio.fail_after(self.most_seconds):
                    await _until_gone(lambda: self._send(pieces, send), receive)
            finally:
                with anyio.CancelScope(shield=True):
                    await run_in_threadpool(pieces.close)

    async def _send(self, pieces: Generator[bytes], send: Send) -> None:
        has_started = False
        while (piece := await run_in_threadpool(next, pieces, None)) is not None:
            if not piece:
                continue
            if not has_started:
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                has_started = True
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        log.info("export.sent", file=self.file_name)


async def _until_gone(work: Callable[[], object], receive: Receive) -> None:
    """Do work, and stop when the caller goes away."""
    failure: Exception | None = None
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            log.info("export.abandoned")
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            await work()  # type: ignore[misc]  # A coroutine.
        except Exception as error:  # noqa: BLE001  Raised again below: the group would wrap it.
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure


def disposition(file_name: str, title: str) -> str:
    """Name a file for whoever saves it, in ASCII and in the caller's language (RFC 6266)."""
    extension = file_name.rpartition(".")[2]
    return f"attachment; filename=\"{file_name}\"; filename*=UTF-8''{quote(f'{title}.{extension}', safe='')}"
