"""Streams: when they begin, what keeps them open, why they end, and that they leave nothing behind."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from anyio.lowlevel import checkpoint
from fastapi import FastAPI, Request
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars

from shared import clock
from shared.auth.issuer import TOKEN_LIFE, EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.database.sessions import Database
from shared.roles import Role
from shared.web import streams
from shared.web.doors import token_holds
from shared.web.limits import Gate
from shared.web.lookouts import Lookout
from shared.web.stopping import Stoppable
from shared.web.streams import MOST_OF_ONE, MOST_STREAMS, Opening, Streams, TooManyStreams, Watched

THING = uuid4()
SOON = 5.0


class Shown(BaseModel):
    """A number, as it is shown."""

    number: int


@dataclass
class World:
    """A number that is watched, and what is done each time that somebody looks."""

    number: int = 1
    looks: int = 0
    each: Callable[[], object] = int
    sent: list[bytes] = field(default_factory=list)

    def look(self, tx: Session, keys: Collection[UUID]) -> Mapping[UUID, int]:
        self.looks += 1
        self.each()
        tx.execute(text("SELECT 1"))
        return dict.fromkeys(keys, self.number)

    @property
    def watched(self) -> Watched[int]:
        return Watched(
            self.look, lambda n: Shown(number=n), lambda was, n: Shown(number=n - was), over=lambda n: n > 9
        )  # fmt: skip

    async def watch(self, opening: Opening, scope: Scope | None = None) -> bytes:
        """Watch until the stream ends by itself; return all that was sent."""

        async def send(message: Message) -> None:
            self.sent.append(message.get("body", b""))
            await checkpoint()

        stream = opening.open(self.watched, THING, self.number)
        async with asyncio.timeout(SOON):
            await stream(scope or {"type": "http"}, asyncio.Event().wait, send)  # type: ignore[arg-type]  # Stays.
        return b"".join(self.sent)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wake oftener than people would notice."""
    monkeypatch.setattr(streams, "WAKES_SECONDS", 0.02)


def opening_of(database: Database, *, lasts: float = 600, holds: Callable[[], bool] = lambda: True) -> Opening:
    return Opening(Streams(database, lasts_seconds=lasts, every_seconds=0.01), "somebody", holds, None)


class TestEnd:
    def test_what_is_over_is_shown_and_ends(self, notes: Database) -> None:
        """Nobody waits for what does not come."""
        sent = asyncio.run(World(number=10).watch(opening_of(notes)))

        assert sent.count(b'event: snapshot\ndata: {"number":10}') == 1
        assert sent.endswith(b'event: end\ndata: {"reason":"over"}\nretry: 600000\n\n')

    def test_a_token_that_holds_no_longer_ends_it(self, notes: Database) -> None:
        """Though nobody has asked again."""
        answers = iter([True, True, False])
        sent = asyncio.run(World().watch(opening_of(notes, holds=lambda: next(answers, False))))

        assert sent.endswith(b'event: end\ndata: {"reason":"signed_out"}\nretry: 3000\n\n')

    def test_it_lasts_so_long_and_no_longer(self, notes: Database) -> None:
        """Whoever watches on connects again, perhaps to a process that has less to do."""
        assert b'{"reason":"renew"}' in asyncio.run(World().watch(opening_of(notes, lasts=0.05)))
        still = World()
        assert b'{"reason":"renew"}' in asyncio.run(still.watch(opening_of(notes, lasts=0)))
        assert still.looks == 0

    def test_a_server_that_stops_ends_it(self, notes: Database) -> None:
        """It says so with each request; one that does not is never told to."""
        world, found = World(), dict[str, Any]()

        async def app(scope: Scope, *_: object) -> None:
            found.update(scope)

        async def serve() -> bytes:
            server = Stoppable(app)
            await server({"type": "http"}, None, None)  # type: ignore[arg-type]  # Not used.
            world.each = server.stop.set
            return await world.watch(opening_of(notes), found)

        assert asyncio.run(serve()).endswith(b'event: end\ndata: {"reason":"stopping"}\nretry: 3000\n\n')


def test_changes_come_as_such_and_silence_is_broken(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, whatever is looked at in between; a comment now and then is for gateways."""
    monkeypatch.setattr(streams, "BEATS_SECONDS", 0.03)
    world = World()

    def grow() -> None:
        world.number = {3: 2, 12: 10}.get(world.looks, world.number)

    world.each = grow
    sent = asyncio.run(world.watch(opening_of(notes)))

    assert sent.count(b'event: change\ndata: {"number":1}') == 1
    assert sent.count(b'event: change\ndata: {"number":8}') == 1
    assert sent.count(b"\nid: " + world.watched.tag(2).encode() + b"\n") == 1
    assert b"\n\n: ping\n\n" in sent


class TestPlaces:
    def test_one_caller_has_so_many(self, notes: Database) -> None:
        """Others have theirs, and whoever closes one may open another."""
        held = Streams(notes, lasts_seconds=0)
        with ExitStack() as stack:
            for _ in range(MOST_OF_ONE):
                stack.enter_context(held.held("a"))
            with held.held("b"), pytest.raises(TooManyStreams):
                stack.enter_context(held.held("a"))
        with held.held("a"):
            pass

    def test_a_process_has_so_many(self, notes: Database) -> None:
        """Then nobody is let in until somebody has gone."""
        held = Streams(notes, lasts_seconds=0)
        with ExitStack() as stack:
            for number in range(MOST_STREAMS):
                stack.enter_context(held.held(str(number)))
            with pytest.raises(HTTPException) as refused:
                stack.enter_context(held.held("one more"))

        assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "5"})
        with held.held("one more"):
            pass

    def test_who_hangs_up_or_takes_nothing_gives_theirs_back(
        self, notes: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:  # fmt: skip
        """The one at once, the other when the time of the stream is up."""
        monkeypatch.setattr(streams, "GRACE_SECONDS", 0.05)

        async def hang_up() -> Message:
            return {"type": "http.disconnect"}

        async def take(_: Message) -> None:
            await checkpoint()

        async def take_nothing(_: Message) -> None:
            await asyncio.Event().wait()

        async def watch(lasts: float, receive: Receive, send: Send) -> None:
            opening = opening_of(notes, lasts=lasts)
            async with asyncio.timeout(SOON):
                await opening.open(World().watched, THING, 1)({"type": "http"}, receive, send)
                while len(asyncio.all_tasks()) > 1:  # The lookout has heard it too.
                    await checkpoint()
            with ExitStack() as stack:
                for _ in range(MOST_OF_ONE):
                    stack.enter_context(opening.streams.held(opening.who))

        asyncio.run(watch(600, hang_up, take))
        asyncio.run(watch(0.05, asyncio.Event().wait, take_nothing))  # type: ignore[arg-type]  # Stays.

    def test_a_stream_leaves_the_gate(self, notes: Database) -> None:
        """It waits for what may never come: others must be let in meanwhile, and once only for each that has gone."""
        world = World()

        async def app(scope: Scope, _receive: object, _send: object) -> None:
            if scope["path"] == "/":
                await world.watch(opening_of(notes, lasts=0.3), scope)
                return
            entered.set()
            await asyncio.Event().wait()

        async def serve() -> bool:
            gate = Gate(app, admitted=1, wait_seconds=SOON)
            scope = {"type": "http", "headers": []}
            first = asyncio.create_task(gate(scope | {"path": "/"}, None, None))  # type: ignore[arg-type]  # Not used.
            second = asyncio.create_task(gate(scope | {"path": "/2"}, None, None))  # type: ignore[arg-type]  # As above.
            async with asyncio.timeout(SOON):
                await entered.wait()
                was_open = not first.done()
                await first
            second.cancel()
            return was_open and gate.limiter.value == 0

        entered = asyncio.Event()
        assert asyncio.run(serve())


class TestLookout:
    def test_looks_once_for_all_and_not_for_nobody(self, notes: Database) -> None:
        """Three screens at one door are one query, which is none of their requests; when they are off there is none."""
        seen, bound = list[int | None](), dict[str, Any]()
        world = World(each=lambda: bound.update(get_contextvars()))

        async def watch() -> None:
            bind_contextvars(caller="the first")
            lookout = Lookout(notes, world.look, every_seconds=0.2)
            with lookout.watching(THING) as one, lookout.watching(THING) as two, lookout.watching(uuid4()) as three:
                seen.extend([await each.next(seconds=SOON) for each in (one, two, three)])
                assert world.looks == 1
            async with asyncio.timeout(SOON):
                while len(asyncio.all_tasks()) > 1:
                    await checkpoint()

        asyncio.run(watch())
        assert (seen, world.looks, bound) == ([1, 1, 1], 1, {})

    def test_a_database_that_is_away_is_made_up_for(self, notes: Database) -> None:
        """By the next look: what happened in between shows then."""
        world = World()

        def fail() -> None:
            if world.looks == 1:
                notes._apart.dispose()  # noqa: SLF001  # As a server that restarts would.
                with notes.apart() as tx:
                    tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        async def watch() -> int | None:
            world.each = fail
            with Lookout(notes, world.look, every_seconds=0.01).watching(THING) as watcher:
                return await watcher.next(seconds=SOON)

        assert asyncio.run(watch()) == 1
        assert world.looks == 2

    def test_a_mistake_of_ours_reaches_who_watches(self, notes: Database) -> None:
        """Their stream is cut, and they come back; else they would look at what stands still for ever."""

        def fail() -> None:
            raise RuntimeError("a mistake")

        async def watch() -> None:
            with Lookout(notes, World(each=fail).look).watching(THING) as watcher:
                while True:
                    await watcher.next(seconds=0.02)

        with pytest.raises(RuntimeError, match="a mistake"):
            asyncio.run(watch())


def test_a_token_holds_until_it_expires(issuer: EmbeddedIssuer) -> None:
    """It is asked again and again, remembered or not."""
    app = FastAPI()
    keys = issuer.key_store()
    keys.refresh()
    app.state.verifier = TokenVerifier(keys, issuer=issuer.settings.issuer, audience=issuer.settings.audience)

    def holds(age: timedelta) -> bool:
        token = issuer.issue(person_id=uuid4(), programme_id=uuid4(), roles=[Role.OPS], now=clock.now() - age)
        headers = [(b"authorization", f"Bearer {token}".encode())]
        asked = token_holds(Request({"type": "http", "app": app, "headers": headers, "query_string": b""}))
        return asked() and asked()

    assert holds(timedelta(0))
    assert not holds(TOKEN_LIFE + timedelta(minutes=5))
