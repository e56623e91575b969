"""Server-sent events: an answer that goes on for as long as somebody watches (HTML standard, section 9.2).

    WATCHED = Watched(queries.find_boards, schemas.board, schemas.changes, over=rules.is_over)

    @router.get("/shifts/{shift_id}/board/stream", operation_id="watch_board", **EVENT_STREAM)
    def watch_board(shift_id: UUID, caller: Host, tx: Tx, streaming: Streaming) -> Response:
        return streaming.open(WATCHED, shift_id, queries.get_board(tx, …))

First comes `snapshot`, then a `change` for whatever differs, in the end an `end` that says why. The id of each is the
tag of the snapshot that it leads to: who comes back with it, to whichever process, gets another only if something
differs. Between events a stream holds neither a thread nor a connection to the database, nor a place at the gate. It
ends with the caller's token, with what is watched, with the process, and after ten minutes in any case.
Source: decision 0062.
"""

import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

import anyio
import orjson
from fastapi import Depends, Header, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from shared import telemetry
from shared.database.sessions import Database
from shared.errors import Title, TooMany
from shared.seen import hash_of
from shared.web.doors import token_holds
from shared.web.limits import leave_gate
from shared.web.lookouts import EVERY_SECONDS, Look, Lookout, Watcher
from shared.web.refusals import refuses
from shared.web.stopping import stops

MOST_STREAMS: Final = 200  # In one process.
MOST_OF_ONE: Final = 5  # Screens of one caller, in one process.
WAKES_SECONDS: Final = 1.0  # How long the end of a token or of the process may go unseen.
BEATS_SECONDS: Final = 15.0  # Gateways cut what has been silent for a minute or less.
GRACE_SECONDS: Final = 15.0  # For the last events, to a caller who takes none.
RETRY_MS: Final = 3_000
RETRY_OVER_MS: Final = 600_000  # A browser comes back to what is over, unless the page closes the stream.
RETRY_SECONDS: Final = "5"
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
EVENT: Final[dict[str, Any]] = {  # Each of them: so readers of OpenAPI before 3.2 understand the schema of a stream.
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["snapshot", "change", "end"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string", "maxLength": 100, "pattern": "^[A-Za-z0-9_-]*$"},
        "retry": {"type": "integer", "minimum": 0, "maximum": RETRY_OVER_MS},
    },
}
EVENT_STREAM: Final[dict[str, Any]] = {
    "response_class": StreamingResponse,  # FastAPI's own for events takes generators alone, and they end in no hurry.
    "responses": {
        200: {
            "description": (
                "Server-sent events: `snapshot` is what one would get without the stream, `change` has the same shape "
                "with those parts alone that differ, `end` says in `reason` why nothing follows (`over`, `signed_out`, "
                "`stopping`, `renew`): on all but `over` and `signed_out` connect again. Each `id` is the tag of the "
                "snapshot that is reached; comments keep the connection open."
            ),
            "content": {"text/event-stream": {"schema": EVENT}},
        }
    },
}

Seen = TypeVar("Seen")

log = telemetry.get_logger()


class TooManyStreams(TooMany):
    """A caller watches on as many screens as one may."""

    code = "too_many_streams"
    title = Title(zh="您打开的实时页面过多，请先关闭一些", en="You watch on too many screens: close one")


@dataclass(frozen=True)
class Watched(Generic[Seen]):
    """A kind of thing that can be watched: how it is looked at, shown, what of it has changed, and when it is over."""

    look: Look[Seen]
    shown: Callable[[Seen], BaseModel]
    changed: Callable[[Seen, Seen], BaseModel]  # From what was seen to what is.
    over: Callable[[Seen], bool]

    def tag(self, seen: Seen) -> str:
        """Return the tag under which a snapshot goes out (`ETag`), which is the id of the event that leads to it."""
        return hash_of(_written(self.shown(seen)))


class Streams:
    """The streams of one app: how many there are, of whom, and what looks for them."""

    def __init__(self, database: Database, *, lasts_seconds: float, every_seconds: float = EVERY_SECONDS) -> None:
        """Let streams last so long, and look so often; those of 0 seconds show how things are, and end."""
        self.lasts_seconds = lasts_seconds
        self._database, self._every_seconds = database, every_seconds
        self._held = Counter[str]()
        self._lookouts: dict[Look[Any], Lookout[Any]] = {}

    @contextmanager
    def held(self, who: str) -> Iterator[None]:
        """Hold a stream for the block. Raises TooManyStreams; HTTPException 503 if the process has no more."""
        if self._held[who] >= MOST_OF_ONE:
            raise TooManyStreams(retry_after=int(RETRY_SECONDS), most=MOST_OF_ONE)
        if self._held.total() >= MOST_STREAMS:
            raise HTTPException(503, headers={"Retry-After": RETRY_SECONDS})
        self._held[who] += 1
        try:
            yield
        finally:
            self._held -= Counter([who])

    def lookout(self, look: Look[Seen]) -> Lookout[Seen]:
        """Return what looks for all who watch things of one kind."""
        return self._lookouts.setdefault(look, Lookout(self._database, look, every_seconds=self._every_seconds))


@dataclass(frozen=True)
class Opening:
    """A request that wants a stream, and what its caller has seen before."""

    streams: Streams
    who: str
    holds: Callable[[], bool]  # Whether the caller's token still does.
    known: str | None

    def open(self, watched: Watched[Seen], key: UUID, first: Seen) -> Response:
        """Answer with how a thing is, and from then on with what changes of it."""
        return Stream(_Feed(watched, key, first), self)


@refuses(TooManyStreams)
async def opening(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            description="The `id` of the last event that the caller has: without a difference no snapshot comes.",
            max_length=100,
            examples=["U2FtcGxlIG9mIGEgdGFn"],
        ),
    ] = None,
) -> Opening:
    """Return what the route opens the stream with."""
    streams: Streams = request.app.state.streams
    return Opening(streams, request.state.caller.name, token_holds(request), last_event_id)


@dataclass
class _Feed(Generic[Seen]):
    """What is sent of a thing to one caller."""

    watched: Watched[Seen]
    key: UUID
    seen: Seen
    begun_at: float = field(default_factory=time.monotonic)
    beat_at: float = field(default_factory=time.monotonic)

    def begin(self, known: str | None) -> bytes:
        """Write the snapshot, or that the caller has it."""
        tag = self.watched.tag(self.seen)
        if known == tag:
            return format_sse_event(comment="nothing has changed", retry=RETRY_MS)
        return _event("snapshot", _written(self.watched.shown(self.seen)), tag=tag, retry_ms=RETRY_MS)

    def go_on(self, now: Seen | None) -> bytes:
        """Write what has changed; now and then, that there is somebody; else nothing."""
        if now is not None and now != self.seen:
            was, self.seen, self.beat_at = self.seen, now, time.monotonic()
            return _event("change", _written(self.watched.changed(was, now)), tag=self.watched.tag(now))
        if time.monotonic() - self.beat_at < BEATS_SECONDS:
            return b""
        self.beat_at = time.monotonic()
        return KEEPALIVE_COMMENT

    def end(self, reason: str) -> bytes:
        """Write why nothing follows."""
        return _event("end", orjson.dumps({"reason": reason}), retry_ms=RETRY_OVER_MS if reason == "over" else RETRY_MS)


class Stream(StreamingResponse, Generic[Seen]):
    """Sends a feed until there is a reason to end it."""

    media_type = "text/event-stream"

    def __init__(self, feed: _Feed[Seen], opening: Opening) -> None:
        """Begin nothing yet."""
        self._feed, self._opening = feed, opening
        self._stopping: Callable[[], bool] = bool
        self._events = self._pieces()
        super().__init__(self._events, headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events. Raises TooManyStreams or HTTPException before anything is sent."""
        streams = self._opening.streams
        self._stopping = stops(scope)
        with streams.held(self._opening.who):
            leave_gate(scope)
            async with aclosing(self._events):  # Whoever hangs up while an event is under way watches no longer.
                with anyio.move_on_after(streams.lasts_seconds + GRACE_SECONDS):
                    await super().__call__(scope, receive, send)
        log.info("stream.closed", seconds=round(time.monotonic() - self._feed.begun_at))

    async def _pieces(self) -> AsyncGenerator[bytes]:
        feed = self._feed
        yield feed.begin(self._opening.known)
        reason = self._reason()
        if reason is None:
            with self._opening.streams.lookout(feed.watched.look).watching(feed.key) as watcher:
                async for piece in self._changes(watcher):
                    yield piece
            reason = self._reason()
        yield feed.end(reason or "renew")

    async def _changes(self, watcher: Watcher[Seen]) -> AsyncIterator[bytes]:
        while self._reason() is None:
            piece = self._feed.go_on(await watcher.next(seconds=WAKES_SECONDS))
            if piece:
                yield piece

    def _reason(self) -> str | None:
        """Say why the stream ends now; None if it goes on."""
        if self._feed.watched.over(self._feed.seen):
            return "over"
        if not self._opening.holds():
            return "signed_out"
        if self._stopping():
            return "stopping"
        lasted = time.monotonic() - self._feed.begun_at
        return "renew" if lasted >= self._opening.streams.lasts_seconds else None


def _event(name: str, content: bytes, *, tag: str | None = None, retry_ms: int | None = None) -> bytes:
    return format_sse_event(event=name, data_str=content.decode(), id=tag, retry=retry_ms)


def _written(shown: BaseModel) -> bytes:
    return shown.model_dump_json().encode()


Streaming = Annotated[Opening, Depends(opening)]
