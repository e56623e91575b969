"""A hot door: many calls in one transaction, each answered for itself."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from starlette.responses import Response
from starlette.testclient import TestClient

from shared.audit.entries import Call, Who
from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.web import together
from shared.web.app import create_app
from shared.web.together import Act, Member
from tests.factories.activities import NINE
from tests.shared.auth.signing import AUDIENCE, ISSUER, jwks_of
from tests.shared.web.conftest import KEY
from tests.shared.web.hot import SERVICE, MakeMark, Watch, World, hold_people, make_marks
from tests.shared.web.inside import Quiet
from tests.shared.web.writing import Caller, refusal
from tests.waiting import until
from tests.web_options import OPTIONS

MANY = 20  # More than the pool has connections.
_TRACES = text(
    "SELECT body::jsonb ->> 'volunteer_id' AS person, traceparent FROM outbox WHERE programme_id = :programme"
)
_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:person, 0))")
_KEPT = text("SELECT count(*) FROM kept_answer WHERE programme_id = :programme")


def client_of(database: Database) -> TestClient:
    verifier = TokenVerifier(KeyStore(lambda: jwks_of(KEY)), issuer=ISSUER, audience=AUDIENCE)
    transport = cast("Transport", Quiet())
    app = create_app(SERVICE, database=database, transport=transport, verifier=verifier, options=OPTIONS)
    return TestClient(app, raise_server_exceptions=False, base_url="http://testserver/api/activities")


@pytest.fixture
def hot(memos: Database) -> Iterator[Caller]:
    """Somebody before the hot door, in a programme of this test's own."""
    World.watch = Watch()
    with client_of(memos) as client:
        yield Caller(client, memos, uuid4())
    World.watch.go_on.set()


def mark(caller: Caller, body: str, **more: Any) -> Any:
    return caller.send("POST", "marks", json={"body": body}, **more)


@contextmanager
def crowded(hot: Caller) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Keep the door at work on a first call while others gather; yield how to send one."""
    with ThreadPoolExecutor(MANY + 10) as threads:
        first = threads.submit(mark, hot.by(person=uuid4()), "first")
        assert World.watch.begun.wait(20)
        line, sent = waiting_in(hot), 0

        def send(call: Callable[[], Any]) -> Future[Any]:
            nonlocal sent
            sent += 1
            future = threads.submit(call)
            until(lambda: line() >= sent or future.done(), timeout=20, missing="a call in the line")
            return future

        yield send
        World.watch.go_on.set()
        assert first.result(20).status_code == 201


def waiting_in(hot: Caller) -> Callable[[], int]:
    groups: together.Groups = hot.client.app.state.groups  # type: ignore[attr-defined]  # A FastAPI has it.
    return lambda: groups.length


def together_at(hot: Caller, *bodies: str, **more: Any) -> list[tuple[Caller, Any]]:
    """Have somebody else send each of these in one group; return each with their answer."""
    people = [hot.by(person=uuid4()) for _ in bodies]
    with crowded(hot) as send:
        futures = [send(partial(mark, who, body, **more)) for who, body in zip(people, bodies, strict=True)]
    return [(who, future.result(20)) for who, future in zip(people, futures, strict=True)]


def statuses(answers: list[tuple[Caller, Any]]) -> list[int]:
    return [answer.status_code for _, answer in answers]


class TestGroup:
    def test_what_gathers_is_one_transaction(self, hot: Caller) -> None:
        """More calls than there are connections; each gets its own answer."""
        bodies = [f"m{number}" for number in range(MANY)]
        answers = together_at(hot, *bodies)

        assert [answer.json()["body"] for _, answer in answers] == bodies
        assert World.watch.groups == [["first"], bodies]
        assert hot.bodies() == ["first", *bodies]

    def test_nobody_waits_for_a_group_to_fill(self, hot: Caller) -> None:
        """One call alone is carried out at once."""
        World.watch.go_on.set()
        assert mark(hot, "alone").status_code == 201
        assert World.watch.groups == [["alone"]]

    def test_a_process_that_ends_waits_for_requests_and_not_for_a_group(self, hot: Caller) -> None:
        """As for every other thread of a request; what is not committed is undone."""
        with crowded(hot):
            assert [thread.daemon for thread in threading.enumerate() if thread.name == "together"] == [True]

    def test_one_person_twice_is_two_groups(self, hot: Caller) -> None:
        """A double tap: in the order in which they came."""
        with crowded(hot) as send:
            taps = [send(partial(mark, hot, body)) for body in ("one", "two", "three")]
        assert [tap.result(20).status_code for tap in taps] == [201] * 3
        assert World.watch.groups == [["first"], ["one"], ["two"], ["three"]]

    def test_a_group_has_an_end(self, hot: Caller, memos: Database) -> None:
        """What is over waits for the next."""
        hot.client.app.state.groups = together.Groups(memos, most=3)  # type: ignore[attr-defined]  # As above.
        assert statuses(together_at(hot, *"abcde")) == [201] * 5
        assert World.watch.groups == [["first"], ["a", "b", "c"], ["d", "e"]]

    def test_who_is_passed_over_keeps_the_place(self, hot: Caller, memos: Database) -> None:
        """Before those who came later and found the group full."""
        hot.client.app.state.groups = together.Groups(memos, most=2)  # type: ignore[attr-defined]  # As above.
        people = [hot, hot, hot.by(person=uuid4()), hot.by(person=uuid4())]
        with crowded(hot) as send:
            calls = [send(partial(mark, who, body)) for who, body in zip(people, "abcd", strict=True)]
        assert [call.result(20).status_code for call in calls] == [201] * 4
        assert World.watch.groups == [["first"], ["a", "c"], ["b", "d"]]

    def test_a_line_that_is_too_long_turns_away(self, hot: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        """With an answer that says when to come again."""
        monkeypatch.setattr(together, "MOST_WAITING", 2)
        with crowded(hot) as send:
            calls = [send(partial(mark, hot.by(person=uuid4()), body)) for body in "abc"]
            turned_away = calls[2].result(20)
        assert (refusal(turned_away), turned_away.headers["retry-after"]) == ((503, "unavailable"), "2")
        assert [call.result(20).status_code for call in calls[:2]] == [201, 201]


class TestNeighbours:
    def test_a_refusal_is_its_callers_alone(self, hot: Caller) -> None:
        """The others are carried out in the same transaction."""
        answers = together_at(hot, "a", "full", "b")
        assert statuses(answers) == [201, 409, 201]
        assert refusal(answers[1][1]) == (409, "full")
        assert hot.bodies() == ["first", "a", "b"]
        assert World.watch.groups == [["first"], ["a", "full", "b"]]

    @pytest.mark.parametrize("culprit", ["poison", "bad row", "bad reply", "row"])
    def test_what_breaks_a_group_is_found_and_left_alone(self, hot: Caller, culprit: str) -> None:
        """A fault of ours, a row that the database refuses at once or at the commit, a row that is nobody's."""
        answers = together_at(hot, "a", "b", culprit, "c", "d")
        assert statuses(answers) == [201, 201, 500, 201, 201]
        assert sorted(hot.bodies()) == ["a", "b", "c", "d", "first"]
        assert World.watch.groups[-1] == ["c", "d"]

    def test_who_is_held_by_somebody_else_waits_alone(self, hot: Caller, memos: Database) -> None:
        """The neighbours do not; afterwards it is carried out as well."""
        slow, quick = hot.by(person=uuid4()), hot.by(person=uuid4())
        with memos.transaction() as tx:
            tx.execute(_HOLD, {"person": str(slow.person)})
            with crowded(hot) as send:
                late, early = send(lambda: mark(slow, "slow")), send(lambda: mark(quick, "quick"))
                World.watch.go_on.set()
                assert early.result(20).status_code == 201
                assert not late.done()
                tx.rollback()
        assert late.result(20).status_code == 201
        assert World.watch.groups == [["first"], ["quick"], ["slow"]]

    def test_a_database_that_is_away_is_asked_once(self, hot: Caller, memos: Database) -> None:
        """Everybody is told to come again; there is no culprit to look for."""
        away = Database(memos.url.set(port=1), role="nobody", pool_size=5)
        groups: together.Groups = hot.client.app.state.groups  # type: ignore[attr-defined]  # As above.
        tries = []

        def transaction() -> Any:
            tries.append(1)
            return away.transaction()

        with crowded(hot) as send:
            groups.database = cast("Database", type("Away", (), {"transaction": staticmethod(transaction)}))
            calls = [send(partial(mark, hot.by(person=uuid4()), body)) for body in "abc"]
        assert [refusal(call.result(20)) for call in calls] == [(503, "unavailable")] * 3
        assert len(tries) == 1
        away.close()


class TestEachForItself:
    def test_leaves_a_trail_of_its_own(self, hot: Caller) -> None:
        """Who, what, under which trace; a refused call leaves none."""
        answers = together_at(hot, "a", "full", "b")

        entries = {UUID(entry["person_id"]): entry for entry in hot.entries()}
        assert len(entries) == 3
        for (caller, answer), body in zip(answers, ("a", None, "b"), strict=True):
            if body is None:
                assert caller.person not in entries
                continue
            entry = entries[caller.person]
            assert [change["to"] for change in entry["changes"]] == [{"body": body}]
            assert (entry["operation"], entry["counts"]) == ("make_mark", {"memo": {"made": 1}})
            assert entry["trace_id"] == answer.headers["traceparent"].split("-")[1]

    def test_tells_under_its_own_trace(self, hot: Caller, memos: Database) -> None:
        """What follows is found by the trace that the caller was told."""
        answers = together_at(hot, "a", "b")
        with memos.transaction() as tx:
            rows = tx.execute(_TRACES, {"programme": hot.programme})
            told = {UUID(row.person): row.traceparent.split("-")[1] for row in rows}
        for caller, answer in answers:
            assert told[caller.person] == answer.headers["traceparent"].split("-")[1]

    def test_is_answered_again(self, hot: Caller) -> None:
        """With its key, in a group as alone; with another body it is refused, and the neighbour is not touched."""
        World.watch.go_on.set()
        first = mark(hot, "kept", key="key-of-mine")
        other, reused = hot.by(person=uuid4()), hot.by(person=uuid4())
        mark(reused, "kept", key="key-of-theirs")
        World.watch = Watch()
        with crowded(hot) as send:
            calls = [
                send(lambda: mark(hot, "kept", key="key-of-mine")),
                send(lambda: mark(reused, "other", key="key-of-theirs")),
                send(lambda: mark(other, "new", key="key-of-mine")),
            ]
        again, refused, new = (call.result(20) for call in calls)

        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert refusal(refused) == (422, "idempotency_key_reused")
        assert (new.status_code, new.json()["body"]) == (201, "new")
        assert World.watch.groups == [["first"], ["new"]]
        assert hot.bodies().count("kept") == 2

    def test_keeps_no_answer_that_is_a_refusal(self, hot: Caller, memos: Database) -> None:
        """The same key may be tried again."""
        answers = together_at(hot, "full", "a", key="the-same-key")
        assert statuses(answers) == [409, 201]
        with memos.transaction() as tx:
            assert tx.scalar(_KEPT, {"programme": hot.programme}) == 1

    def test_asks_for_its_own_permission(self, hot: Caller) -> None:
        """The door is hot, not open."""
        assert refusal(mark(hot.by(roles=("finance",)), "no")) == (403, "missing_permission")
        assert refusal(hot.client.post("marks", json={"body": "no"})) == (401, "not_authenticated")
        assert hot.send("POST", "marks", json={}).status_code == 422
        assert World.watch.groups == []


class TestGone:
    """Who does not wait for the answer any more: a phone without a line, a server that stops."""

    def member(self, hot: Caller, body: str) -> Member:
        who = Who(hot.programme, uuid4(), ["volunteer"])
        command = MakeMark(hot.programme, who.person_id, body)
        return Member(Act(make_marks, hold_people), lambda _: Response(b"made"), command, Call(who, "make", NINE), None)

    def test_a_caller_that_has_gone_stops_nobody(self, hot: Caller, memos: Database) -> None:
        """Neither in the line, where its call is dropped, nor at work, where it takes effect."""
        groups = together.Groups(memos)

        async def serve() -> bytes:
            at_work = asyncio.create_task(groups.join(self.member(hot, "at work")))
            await asyncio.to_thread(World.watch.begun.wait, 20)
            waiting = asyncio.create_task(groups.join(self.member(hot, "waiting")))
            await asyncio.to_thread(until, lambda: groups.length == 1, timeout=20, missing="a call in the line")
            at_work.cancel()
            waiting.cancel()
            await asyncio.wait({at_work, waiting})
            World.watch.go_on.set()
            return bytes((await groups.join(self.member(hot, "last"))).body)

        assert asyncio.run(serve()) == b"made"
        assert World.watch.groups == [["at work"], ["last"]]
        assert hot.bodies() == ["at work", "last"]

    def test_a_caller_that_has_gone_leaves_its_neighbour_the_answer(self, hot: Caller, memos: Database) -> None:
        """Both are at work in one group when one of them goes."""
        groups, before = together.Groups(memos), World.watch

        async def serve() -> bytes:
            first = asyncio.create_task(groups.join(self.member(hot, "first")))
            await asyncio.to_thread(before.begun.wait, 20)
            gone, stays = (asyncio.create_task(groups.join(self.member(hot, body))) for body in ("gone", "stays"))
            await asyncio.to_thread(until, lambda: groups.length == 2, timeout=20, missing="two calls in the line")
            World.watch = Watch()
            before.go_on.set()
            await asyncio.to_thread(World.watch.begun.wait, 20)
            gone.cancel()
            World.watch.go_on.set()
            await first
            return bytes((await asyncio.wait_for(stays, 20)).body)

        assert asyncio.run(serve()) == b"made"
        assert World.watch.groups == [["gone", "stays"]]

    def test_a_loop_that_is_closed_stops_nobody(self, hot: Caller, memos: Database) -> None:
        """The server ended while a group was at work; what it did is done."""
        groups = together.Groups(memos)

        async def leave() -> None:
            asyncio.get_running_loop().create_task(groups.join(self.member(hot, "left")))
            await asyncio.to_thread(World.watch.begun.wait, 20)

        asyncio.run(leave())
        World.watch.go_on.set()
        until(lambda: hot.bodies() == ["left"], timeout=20, missing="the mark of whoever has left")

        async def come() -> bytes:
            return bytes((await groups.join(self.member(hot, "next"))).body)

        assert asyncio.run(come()) == b"made"
