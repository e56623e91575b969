"""Files while they are made: what they hold, what they leave behind, and what becomes of one that fails."""

import subprocess
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.exc import InternalError
from sqlalchemy.pool import NullPool
from starlette.types import Message

from shared.database.sessions import Database
from shared.web.lists.streaming import Places, Streamed
from tests.architecture.sources import ROOT
from tests.shared.web.conftest import problem_of
from tests.shared.web.lists.conftest import BOOKS_IN_ALL, POOL_SIZE, Reader, app_of
from tests.shared.web.lists.driving import ask
from tests.shared.web.lists.shelf import fill, put
from tests.shared.web.test_limits import served

MOST_KIB = 80 * 1024
AT_ONCE = POOL_SIZE // 3


def held(database: Database) -> int:
    """Count the connections that somebody has."""
    return int(database.engine.pool.checkedout())  # type: ignore[attr-defined]  # A QueuePool has it.


@pytest.fixture
def app(shelf: Database) -> FastAPI:
    return app_of(shelf)


@pytest.fixture
def many(shelf: Database) -> UUID:
    """Return a programme with several batches of books."""
    programme_id = uuid4()
    fill(shelf, programme_id, 3_500)
    return programme_id


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_three_exports_leave_no_connection_behind(reader: Reader, shelf: Database, many: UUID, form: str) -> None:
    """PITFALLS H8: the request's own transaction is not opened again for what is streamed."""
    reader.programme_id = many
    for _ in range(3):
        assert reader.get(format=form).status_code == 200
        assert held(shelf) == 0


def test_an_export_holds_one_connection_until_its_last_row(app: FastAPI, shelf: Database, many: UUID) -> None:
    """One, not two; and none for the caller who takes the end slowly."""
    seen: list[int] = []

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        if message["type"] == "http.response.body":
            seen.append(held(shelf))

    anyio.run(ask, app, "/books?format=csv", many, send)
    csv = seen.copy()
    seen.clear()
    anyio.run(ask, app, "/books?format=xlsx", many, send)

    assert csv == [1, 1, 1, 1, 0]
    assert set(seen) == {0}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_caller_who_goes_away_leaves_nothing_behind(app: FastAPI, shelf: Database, many: UUID, form: str) -> None:
    """No connection, no place among the exports, no temporary file that is open."""
    got: list[Message] = []

    async def main() -> None:
        gone = anyio.Event()

        async def send(message: Message) -> None:
            got.append(message)
            if message["type"] == "http.response.body":
                gone.set()
                await anyio.sleep_forever()

        await ask(app, f"/books?format={form}", many, send, gone)

    for _ in range(3):
        anyio.run(main)
        assert held(shelf) == 0
        assert app.state.export_places.left == AT_ONCE
    assert all(message.get("more_body", True) for message in got)


def test_a_caller_who_goes_away_before_the_first_byte_stops_the_making(
    app: FastAPI, shelf: Database, many: UUID
) -> None:
    """A workbook is made for seconds before anything is sent."""
    got: list[Message] = []

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        got.append(message)

    async def main() -> None:
        gone = anyio.Event()
        gone.set()
        await ask(app, "/books?format=xlsx", many, send, gone)

    anyio.run(main)

    assert got == []
    assert held(shelf) == 0


@dataclass
class Kept:
    """What an app answered."""

    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])


@asynccontextmanager
async def stalled(app: FastAPI, programme_id: UUID, callers: int) -> AsyncIterator[None]:
    """Have callers of files who do not read on behind the first piece; they go away at the end of the block."""
    gone = anyio.Event()

    async def stall(has_begun: anyio.Event) -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                has_begun.set()
                await anyio.sleep_forever()

        await ask(app, "/books?format=csv", programme_id, send, gone)

    async with anyio.create_task_group() as group:
        for has_begun in [anyio.Event() for _ in range(callers)]:
            group.start_soon(stall, has_begun)
            await has_begun.wait()
        yield
        gone.set()


def test_callers_who_do_not_read_on_do_not_starve_the_others(app: FastAPI, shelf: Database, many: UUID) -> None:
    """A third of the connections makes files; the next is told when to come again, and pages are answered."""
    pages, file, later = [Kept() for _ in range(POOL_SIZE)], Kept(), Kept()

    async def main() -> None:
        async with stalled(app, many, AT_ONCE):
            for page in pages:
                await ask(app, "/books", many, page.send)
            await ask(app, "/books?format=csv", many, file.send)
        await ask(app, "/books?format=csv", many, later.send)

    anyio.run(main)

    assert {page.status for page in pages} == {200}
    assert (file.status, dict(file.messages[0]["headers"])[b"retry-after"]) == (429, b"5")
    assert b"exports_busy" in file.messages[1]["body"]
    assert later.status == 200
    assert held(shelf) == 0


class TestFailure:
    @pytest.fixture
    def broken(self, shelf: Database) -> UUID:
        """Return a programme of which the third batch cannot be shown."""
        programme_id = uuid4()
        fill(shelf, programme_id, 2_500)
        put(shelf, programme_id, {"title": "broken", "fen": 10**6})
        return programme_id

    def test_after_the_first_byte_cuts_the_connection(self, app: FastAPI, shelf: Database, broken: UUID) -> None:
        """Over a real socket: whoever reads notices, and takes no half for the whole."""
        headers = Reader(None, broken).headers()  # type: ignore[arg-type]  # Only its token is wanted.
        got: list[bytes] = []
        with served(app) as url, httpx2.Client(timeout=60, trust_env=False) as client:
            asked = client.stream("GET", f"{url}/api/kit/broken-books?format=csv&sort=price", headers=headers)
            with asked as answer, pytest.raises(httpx2.RemoteProtocolError, match="incomplete chunked read"):
                got.extend(answer.iter_bytes())

        assert answer.status_code == 200
        assert b"".join(got).count(b"\r\n") >= 1_000
        assert held(shelf) == 0

    @pytest.mark.parametrize("query", ["format=xlsx&sort=price", "format=csv&sort=-price"])
    def test_before_the_first_byte_is_an_answer(self, reader: Reader, broken: UUID, query: str) -> None:
        """A workbook's first byte follows its last row."""
        reader.programme_id = broken
        answer = reader.client.get(f"/api/kit/broken-books?{query}", headers=reader.headers())

        assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal_error")
        assert "content-disposition" not in answer.headers

    def test_of_the_database_cuts_it_too(self, app: FastAPI, shelf: Database, many: UUID) -> None:
        """The server ends our session in the middle of a file."""
        got: list[Message] = []
        owner = create_engine(shelf.url, poolclass=NullPool)
        kill = text("""
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE state = 'idle in transaction' AND datname = current_database() AND application_name = :role
        """)

        async def send(message: Message) -> None:
            await anyio.lowlevel.checkpoint()
            got.append(message)
            if len(got) == 2:
                with owner.connect() as other:
                    assert other.scalars(kill, {"role": shelf.role}).all()

        anyio.run(ask, app, "/books?format=csv", many, send)

        assert got[0]["status"] == 200
        assert all(message["more_body"] for message in got[1:])
        assert held(shelf) == 0


def test_an_export_sees_one_state_of_the_list(app: FastAPI, shelf: Database, many: UUID) -> None:
    """What is bought while the file is made belongs to the next one."""
    got = bytearray()

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        if not got:
            put(shelf, many, {"title": "late", "fen": 10**6})
        got.extend(message.get("body", b""))

    anyio.run(ask, app, "/books?format=csv&sort=price", many, send)

    assert got.count(b"\r\n") == 3_501
    assert b"late" not in got


def test_a_reading_transaction_cannot_write(shelf: Database) -> None:
    """Nor is the connection so for whoever has it next."""
    with pytest.raises(InternalError, match="read-only"), shelf.reading() as tx:
        tx.execute(text("DELETE FROM book"))

    put(shelf, uuid4(), {})


class TestStreamed:
    def make(self, pieces: Iterator[bytes], *, most_seconds: float = 5) -> Streamed:
        def generate() -> Generator[bytes]:
            yield from pieces

        return Streamed(
            generate, places=Places(3), file_name="a.csv", title="a", media_type="text/csv", most_seconds=most_seconds
        )

    async def run(self, answer: Streamed, send: Any) -> None:
        async def receive() -> Message:
            await anyio.sleep_forever()
            raise AssertionError

        await answer({"type": "http"}, receive, send)

    def test_ends_a_caller_who_takes_too_long(self) -> None:
        """A connection is not lent for ever."""
        closed: list[bool] = []

        def pieces() -> Iterator[bytes]:
            try:
                yield b"a"
                yield b"b"
            finally:
                closed.append(True)

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await anyio.sleep_forever()

        with pytest.raises(TimeoutError):
            anyio.run(self.run, self.make(pieces(), most_seconds=0.05), send)

        assert closed == [True]

    def test_sends_no_empty_piece(self) -> None:
        """An empty one would end the body for some servers."""
        got: list[Message] = []

        async def send(message: Message) -> None:
            await anyio.lowlevel.checkpoint()
            got.append(message)

        anyio.run(self.run, self.make(iter([b"", b"a", b"", b"b"])), send)

        assert [message.get("body") for message in got] == [None, b"a", b"b", b""]
        assert [message.get("more_body") for message in got] == [None, True, True, False]


@pytest.mark.parametrize(("pool_size", "places"), [(1, 1), (3, 1), (6, 2), (9, 3), (100, 3)])
def test_places_leave_most_connections_to_others(pool_size: int, places: int) -> None:
    """At least one file can be made, at most three."""
    assert Places(pool_size).left == places


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_hundred_thousand_rows_take_little_memory(shelf: Database, full_programme: UUID, form: str) -> None:
    """At most 80 MiB more than the process had, measured in a process of its own."""
    url = shelf.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.shared.web.lists.memory", url, shelf.role, str(full_programme), form]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603  Our own.
    kib, sent = map(int, ran.stdout.splitlines()[-1].split())

    assert sent > 20 * BOOKS_IN_ALL
    assert kib <= MOST_KIB
