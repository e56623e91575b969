"""Boards over HTTP: as they are, and as they change before one's eyes."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

import httpx2
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from launch.web import WebServer
from services.activities.listings.tables import Shift
from services.activities.main import SERVICE
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.roles import Role
from shared.web.app import create_app
from shared.web.streams import MOST_OF_ONE
from tests.activities.door import Door, refusal
from tests.factories.activities import at, make_attendance, make_shift, make_sign_up
from tests.shared.web.inside import Quiet
from tests.waiting import until
from tests.web_options import OPTIONS

POOL_SIZE = 4
SECOND = 1.0
SLOW = 10.0  # Until then something is there, on a machine that is busy with other tests.


def host_of(door: Door, shift: Shift) -> Door:
    return door.by(Role.PARTNER, partner_id=shift.partner_id)


@pytest.fixture
def running(door: Door) -> Shift:
    """Have a shift with two people, of whom nobody has come."""

    def make(tx: Session) -> Shift:
        shift = make_shift(tx, programme_id=door.programme_id)
        make_sign_up(tx, shift)
        make_sign_up(tx, shift)
        return shift

    return door.put_in(make)


def people(door: Door, shift: Shift) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = host_of(door, shift).get(f"/shifts/{shift.id}/board").json()["items"]
    return items


def arrive(door: Door, shift: Shift, volunteer_id: UUID | str) -> None:
    door.put_in(lambda tx: make_attendance(tx, tx.get_one(Shift, shift.id), volunteer_id=UUID(str(volunteer_id))))


class TestShowBoard:
    def test_shows_where_everybody_is_under_a_tag(self, door: Door, running: Shift) -> None:
        """Without a name, for nobody has consented; who has the reading is told so."""
        host = host_of(door, running)
        first, second = people(door, running)
        arrive(door, running, first["volunteer_id"])

        answer = host.get(f"/shifts/{running.id}/board")
        known = {"If-None-Match": answer.headers["etag"]} | host.headers()

        board = answer.json()
        assert [line["presence"] for line in board["items"]] == ["here", "expected"]
        assert [line["display_name"] for line in board["items"]] == [None, None]
        assert [line["pseudonym_en"] for line in board["items"]] == ["Volunteer 01", "Volunteer 02"]
        assert [board[name] for name in ("expected", "here", "left", "state")] == [1, 1, 0, "running"]
        assert door.client.get(f"/api/activities/shifts/{running.id}/board", headers=known).status_code == 304
        arrive(door, running, second["volunteer_id"])
        assert door.client.get(f"/api/activities/shifts/{running.id}/board", headers=known).status_code == 200

    @pytest.mark.parametrize("path", ["board", "board/stream"])
    def test_another_partner_sees_none_of_it(self, door: Door, running: Shift, path: str) -> None:
        """And is not told that it exists."""
        other = door.by(Role.PARTNER, partner_id=running.id)

        assert refusal(other.get(f"/shifts/{running.id}/{path}")) == (404, "not_found")
        assert other.by(Role.VOLUNTEER).get(f"/shifts/{running.id}/{path}").status_code == 403


@dataclass(frozen=True)
class Live:
    """A server of the service's own, which can be told to stop."""

    url: str
    database: Database
    stop: threading.Event
    thread: threading.Thread

    @contextmanager
    def watching(self, door: Door, shift: Shift, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Watch a shift's board as somebody; yield its events, comments too, as they come."""
        with (
            httpx2.Client(base_url=self.url, timeout=SLOW, trust_env=False) as client,
            client.stream(
                "GET", f"/api/activities/shifts/{shift.id}/board/stream", headers=door.headers() | headers
            ) as answer,
        ):  # fmt: skip
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert answer.headers["cache-control"] == "no-store"
            yield events_of(answer.iter_lines())


def events_of(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read events as the HTML standard says, section 9.2.6; a comment is one by the name of nothing."""
    event: dict[str, Any] = {}
    for line in lines:
        if not line:
            yield event
            event = {}
            continue
        name, _, value = line.partition(": ")
        event[name] = orjson.loads(value) if name == "data" else value


@pytest.fixture
def live(server: Server, database: Database, issuer: EmbeddedIssuer) -> Iterator[Live]:
    """Serve the app over few connections, and to the end of each stream."""
    del database  # It has made the schema.
    own = server.open("activities", pool_size=POOL_SIZE)
    verifier = TokenVerifier(issuer.key_store(), issuer=issuer.settings.issuer, audience=issuer.settings.audience)
    app = create_app(
        SERVICE,
        database=own,
        transport=cast("Transport", Quiet()),
        verifier=verifier,
        options=replace(OPTIONS, stream_seconds=600),
    )
    web, stop = WebServer(host="127.0.0.1", port=0), threading.Event()
    thread = threading.Thread(target=web.serving(app), args=(stop,), daemon=True)
    thread.start()
    yield Live(web.url, own, stop, thread)
    stop.set()
    thread.join(SLOW)
    assert not thread.is_alive()
    own.close()


class TestWatchBoard:
    def test_shows_what_others_do_as_they_do_it(self, live: Live, door: Door, running: Shift) -> None:
        """Within a second of the commit, though it was made by another process: here, over other connections."""
        host = host_of(door, running)
        first, second = people(door, running)
        with live.watching(host, running) as events:
            snapshot = next(events)
            arrive(door, running, first["volunteer_id"])
            committed_at = time.monotonic()
            change = next(events)
            took = time.monotonic() - committed_at

            assert (snapshot["event"], snapshot["retry"]) == ("snapshot", "3000")
            assert [line["presence"] for line in snapshot["data"]["items"]] == ["expected", "expected"]
            assert change["event"] == "change"
            assert [(line["volunteer_id"], line["presence"]) for line in change["data"]["items"]] == [
                (first["volunteer_id"], "here")
            ]
            assert (change["data"]["expected"], change["data"]["here"], change["data"]["gone"]) == (1, 1, [])
            assert took < SECOND
            door.put_in(
                lambda tx: tx.execute(
                    text("UPDATE sign_up SET state = 'withdrawn', ended_at = :at WHERE id = :id"),
                    {"id": second["sign_up_id"], "at": at(9)},
                )
            )
            gone = next(events)["data"]
            assert (gone["items"], gone["gone"], gone["expected"]) == ([], [second["sign_up_id"]], 0)

    def test_whoever_comes_back_gets_what_was_missed(self, live: Live, door: Door, running: Shift) -> None:
        """By the id of what they have: nothing if that is how it is, else the whole. It is the snapshot's ETag."""
        host = host_of(door, running)
        tag = host.get(f"/shifts/{running.id}/board").headers["etag"].strip('"')
        with live.watching(host, running) as events:
            assert next(events)["id"] == tag
        with live.watching(host, running, **{"Last-Event-ID": tag}) as events:
            assert "event" not in next(events)
            arrive(door, running, people(door, running)[0]["volunteer_id"])
            changed = next(events)
            assert changed["event"] == "change"
        with live.watching(host, running, **{"Last-Event-ID": tag}) as events:
            assert (event := next(events))["event"] == "snapshot"
            assert event["id"] == changed["id"] != tag

    def test_a_shift_that_is_closed_is_shown_and_ends(self, live: Live, door: Door, running: Shift) -> None:
        """While one watches, and when one comes too late; a browser then stays away for long."""
        host = host_of(door, running)
        close = text("UPDATE shift SET concluded_at = :at WHERE id = :id")
        with live.watching(host, running) as events:
            next(events)
            door.put_in(lambda tx: tx.execute(close, {"id": running.id, "at": at(13)}))
            assert [(each["event"], each["data"].get("reason")) for each in events] == [
                ("change", None), ("end", "over"),
            ]  # fmt: skip
        with live.watching(host, running) as events:
            assert [(each["event"], each["retry"]) for each in events] == [("snapshot", "3000"), ("end", "600000")]

    def test_screens_take_nothing_from_other_callers(self, live: Live, door: Door, running: Shift) -> None:
        """More streams than connections: others are answered, no connection is held, and one caller has so many."""
        path, hosts = f"/api/activities/shifts/{running.id}/board", [host_of(door, running) for _ in range(POOL_SIZE)]
        open_streams: list[Iterator[Any]] = []
        with ExitStack() as stack, httpx2.Client(base_url=live.url, timeout=SLOW, trust_env=False) as client:
            for host in (*hosts, *[hosts[0]] * (MOST_OF_ONE - 1)):
                stream = stack.enter_context(live.watching(host, running))
                assert next(stream)["event"] == "snapshot"
                open_streams.append(stream)  # Whoever lets go of one hangs up.
            refused = client.get(f"{path}/stream", headers=hosts[0].headers())

            assert refusal(refused) == (429, "too_many_streams")
            assert refused.headers["retry-after"] == "5"
            assert client.get(path, headers=hosts[0].headers()).status_code == 200
            until(lambda: held(live.database) == 0, timeout=SLOW, missing="connections that are given back")

    def test_a_server_that_stops_ends_them_at_once(self, live: Live, door: Door, running: Shift) -> None:
        """It waits for answers that are under way; these would never come to an end."""
        with live.watching(host_of(door, running), running) as events:
            next(events)
            live.stop.set()
            began_at = time.monotonic()
            assert [each["data"] for each in events] == [{"reason": "stopping"}]
        live.thread.join(SLOW)
        assert not live.thread.is_alive()
        assert time.monotonic() - began_at < 4 * SECOND


def held(database: Database) -> int:
    return int(database.engine.pool.checkedout())  # type: ignore[attr-defined]  # A QueuePool has it.
