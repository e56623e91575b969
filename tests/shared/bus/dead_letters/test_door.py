"""The HTTP door to dead letters, with a service that hears, its real inbox, and a Replayer beside it."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from shared import bus
from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.bus.burial import Reason
from shared.bus.dead_letters.replayer import Replayer
from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.transport import Delivery, Transport
from shared.database.sessions import Database
from shared.errors import Conflict, Title
from shared.events.activities import AttendanceSettled
from shared.service import Service
from shared.web.app import create_app
from tests.factories.ledger import PROGRAMME, make_settled
from tests.shared.auth.signing import AUDIENCE, ISSUER, PERSON, jwks_of, make_key, make_token
from tests.shared.bus.dead_letters.dying import make_dead
from tests.shared.bus.hearing import hear, heard
from tests.shared.bus.running import Owner, counted, running
from tests.shared.web.inside import Quiet
from tests.waiting import until
from tests.web_options import OPTIONS

KEY = make_key("ours")
ELSEWHERE = uuid4()
Page = dict[str, Any]


class TooSoon(Conflict):
    """The handler of these tests does not want its facts yet."""

    code = "too_soon"
    title = Title(zh="尚早", en="Too soon")


class Mood:
    """What the handler thinks of its facts."""

    is_good = False


@bus.on(AttendanceSettled, batch=10, ordered=True)
def hear_in_a_good_mood(tx: Session, events: Sequence[AttendanceSettled]) -> None:
    """Write down what is heard, or refuse it."""
    if not Mood.is_good and any(event.service_minutes == 0 for event in events):
        raise TooSoon
    hear(tx, events)


SERVICE = Service(name="ledger", routers=(), handlers=(hear_in_a_good_mood,))


@pytest.fixture
def client(listening: Database) -> Iterator[TestClient]:
    Mood.is_good = False
    verifier = TokenVerifier(KeyStore(lambda: jwks_of(KEY)), issuer=ISSUER, audience=AUDIENCE)
    app = create_app(
        SERVICE, database=listening, transport=cast("Transport", Quiet()), verifier=verifier, options=OPTIONS
    )
    with TestClient(app, base_url="http://testserver/api/ledger") as found:
        found.headers["authorization"] = f"Bearer {as_role('ops')}"
        yield found


@pytest.fixture
def inbox(listening: Database) -> Inbox:
    return Inbox(listening, SERVICE.subscriptions)


def as_role(role: str, programme_id: UUID = PROGRAMME) -> str:
    return make_token(KEY, roles=[role], programme_id=str(programme_id))


def dead(client: TestClient, **asked: Any) -> list[Page]:
    answer = client.get("dead-letters", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[Page] = answer.json()["items"]
    return items


def stream(inbox: Inbox) -> tuple[AttendanceSettled, AttendanceSettled, AttendanceSettled]:
    """Settle three facts: the first of a key dies, the next waits behind it, one of another key goes on."""
    blocking = make_settled(minutes=0)
    waiting, free = make_settled(attendance_id=blocking.attendance_id, version=2), make_settled()
    inbox.settle([message_of(fact) for fact in (blocking, waiting, free)])
    return blocking, waiting, free


def heard_by(database: Database) -> list[UUID]:
    with database.transaction() as tx:
        return heard(tx)


def replay(client: TestClient, **body: Any) -> Page:
    answer = client.post("replays", json=body)
    assert answer.status_code == 201, answer.text
    found: Page = answer.json()
    return found


def until_over(client: TestClient, replay_id: str) -> Page:
    def state() -> Page:
        found: Page = client.get(f"replays/{replay_id}").json()
        return found

    until(lambda: state()["finished_at"], timeout=20, missing="the end of the replay")
    return state()


class TestReplay:
    def test_of_a_dead_one_lets_go_what_waits_behind_it(
        self, client: TestClient, inbox: Inbox, hearer: Owner, listening: Database
    ) -> None:
        """F16, PITFALLS.md O7: in the order in which they came, and nobody else of the stream had to wait."""
        blocking, _, free = stream(inbox)
        assert (heard_by(listening), hearer.count("parked_letter")) == ([free.attendance_id], 1)
        (letter,) = dead(client)
        assert (letter["reason"], letter["exception"]) == ("refused", "TooSoon")
        assert letter["handler"] == hear_in_a_good_mood.name

        with running(Replayer(listening, inbox).run):
            too_soon = replay(client, ids=[letter["id"]], why="a try")
            assert until_over(client, too_soon["replay"]["id"])["failed"] == 1
            assert hearer.count("parked_letter") == 1
            Mood.is_good = True
            order = replay(client, cause=letter["cause"], why="the mood is good")["replay"]
            found = until_over(client, order["id"])

        assert {name: found[name] for name in ("total", "replayed", "failed", "skipped", "left")} == {
            "total": 1, "replayed": 1, "failed": 0, "skipped": 0, "left": 0,
        }  # fmt: skip
        assert (found["why"], found["requested_by"]) == ("the mood is good", str(PERSON))
        assert heard_by(listening) == [free.attendance_id, blocking.attendance_id, blocking.attendance_id]
        assert (dead(client), hearer.count("parked_letter")) == ([], 0)
        assert [each["id"] for each in client.get("replays").json()["items"]] == [
            order["id"], too_soon["replay"]["id"],
        ]  # fmt: skip

    def test_that_is_only_looked_at_changes_nothing(self, client: TestClient, listening: Database) -> None:
        """It says how many and of what; a reason is not asked for."""
        for _ in range(2):
            make_dead(listening)
        make_dead(listening, reason=Reason.REFUSED)

        found = replay(client, all=True, preview=True)

        assert (found["total"], found["replay"], [each["letters"] for each in found["causes"]]) == (3, None, [2, 1])
        assert replay(client, all=True, reason="refused", preview=True)["total"] == 1
        assert client.get("replays").json() == {"items": [], "next": None}

    def test_is_ordered_by_looking_at_its_letters_twice(self, client: TestClient, listening: Database) -> None:
        """Once to refuse a slip, once to freeze them: a hundred thousand are neither counted nor grouped for it."""
        dead = [str(make_dead(listening)) for _ in range(2)]

        with counted(listening.engine) as seen:
            found = replay(client, ids=dead, why="mended")

        assert (found["total"], found["replay"]["total"], found["causes"]) == (2, 2, None)
        assert len([statement for statement in seen if "FROM dead_letter" in statement]) == 2

    def test_of_an_unreadable_letter_reads_it_again(
        self, client: TestClient, inbox: Inbox, listening: Database
    ) -> None:
        """A letter of a type that this service hears by now; one that it does not hear yet stays as it was."""
        fact = make_settled()
        good, message = message_of(fact), message_of(make_settled())
        unknown = {**message.headers, "ce-type": "activities.attendance.forgotten.v1"}
        inbox.settle([Delivery(unknown, message.body, "", redelivered=False, receipt=None)])
        with_no_handlers = Inbox(listening, bus.Subscriptions("ledger", []))
        with_no_handlers.settle([good])
        before = {each["event_id"]: each for each in dead(client)}
        assert {each["reason"] for each in before.values()} == {"unknown_type"}

        with running(Replayer(listening, inbox).run):
            found = until_over(client, replay(client, all=True, why="a new release")["replay"]["id"])

        assert (found["replayed"], found["failed"], heard_by(listening)) == (1, 1, [fact.attendance_id])
        (left,) = dead(client)
        was = before[left["event_id"]]
        assert (left["reason"], left["cause"], left["attempts"]) == ("unknown_type", was["cause"], was["attempts"] + 1)


class TestDiscard:
    def test_lets_go_what_waits_behind(self, client: TestClient, inbox: Inbox, listening: Database) -> None:
        """PITFALLS.md O7: one that is given up blocks nobody any more."""
        blocking, waiting, free = stream(inbox)
        (letter,) = dead(client)

        answer = client.post("dead-letters/discards", json={"ids": [letter["id"]], "why": "never was"})

        assert (answer.status_code, answer.json()) == (200, {"letters": 1, "released": 1})
        assert heard_by(listening) == [free.attendance_id, waiting.attendance_id]
        (closed,) = dead(client, state="discarded")
        assert (closed["closed_by"], closed["closed_why"]) == (str(PERSON), "never was")
        assert closed["partition_key"] == str(blocking.attendance_id)


class TestReading:
    def test_shows_a_letter_whole(self, client: TestClient, listening: Database) -> None:
        """A body of JSON as text, any other as bytes."""
        fact = make_settled()
        found = client.get(f"dead-letters/{make_dead(listening, fact)}").json()
        assert json.loads(found["body"])["attendance_id"] == str(fact.attendance_id)
        assert (found["body_encoding"], found["headers"]["ce-type"]) == ("json", fact.type)

    def test_counts_what_waits_behind(self, client: TestClient, inbox: Inbox, hearer: Owner) -> None:
        """PITFALLS.md O6: parked letters are seen at the letter, at its cause and in the flow; each is counted once."""
        blocking, *_ = stream(inbox)
        stream(inbox)
        inbox.settle([message_of(make_settled(attendance_id=blocking.attendance_id, version=3))])
        twice, once = sorted(dead(client), key=lambda each: each["partition_key"] != str(blocking.attendance_id))

        assert client.get(f"dead-letters/{twice['id']}").json()["waiting_behind"] == 2
        assert client.get(f"dead-letters/{once['id']}").json()["waiting_behind"] == 1
        (cause,) = client.get("dead-letters/causes").json()["items"]
        assert (cause["letters"], cause["waiting"]) == (2, 3)
        assert client.get("flow").json()["parked"] == 3

        hearer.execute("UPDATE dead_letter SET partition_key = :key", key=twice["partition_key"])
        (cause,) = client.get("dead-letters/causes").json()["items"]
        assert (cause["letters"], cause["waiting"]) == (2, 2)

    @pytest.mark.parametrize("body", [b"\xff\x00", b"{", b""])
    def test_shows_what_is_no_json_as_bytes(self, client: TestClient, inbox: Inbox, body: bytes) -> None:
        """Garbage is evidence, too."""
        inbox.settle([Delivery({"ce-note": "?"}, body, "", redelivered=False, receipt=None)])
        (letter,) = dead(client)
        found = client.get(f"dead-letters/{letter['id']}").json()

        assert (found["body_encoding"], base64.b64decode(found["body"])) == ("base64", body)
        assert (found["place"], found["replays"]) == (None, [])

    def test_pages_and_filters(self, client: TestClient, listening: Database) -> None:
        """`next` is the `cursor` of the following page, as it stands."""
        made = [str(make_dead(listening)) for _ in range(3)]
        refused = str(make_dead(listening, reason=Reason.REFUSED))
        first = client.get("dead-letters", params={"limit": 2}).json()
        second = client.get("dead-letters", params={"limit": 2, "cursor": first["next"]}).json()

        assert [each["id"] for each in first["items"] + second["items"]] == [refused, *made[::-1]]
        assert second["next"] is None
        assert [each["id"] for each in dead(client, reason="refused")] == [refused]
        assert dead(client, state="replayed") == []
        causes = client.get("dead-letters/causes").json()
        assert (causes["total"], [each["letters"] for each in causes["items"]]) == (4, [3, 1])
        assert client.get("flow").json()["dead_letters"] == 4

    @pytest.mark.parametrize(
        "query",
        ["before=yesterday", "state=alive", "reason=fate", "limit=201", "origin=heaven", "cause=a%00b", "sort=age"],
    )
    def test_refuses_what_it_does_not_understand(self, client: TestClient, query: str) -> None:
        """Rather than to show something else; the field is named as the caller named it."""
        answer = client.get(f"dead-letters?{query}")

        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
        assert [error["field"] for error in answer.json()["errors"]] == [query.partition("=")[0]]


ID = "01800000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("replays", {"why": "w"}, 422, "letters_not_chosen_one_way"),
        ("replays", {"ids": [ID], "all": True, "why": "w"}, 422, "letters_not_chosen_one_way"),
        ("replays", {"ids": [], "why": "w"}, 422, "invalid_input"),
        ("replays", {"ids": [ID], "reason": "refused", "why": "w"}, 422, "letters_not_chosen_one_way"),
        ("replays", {"all": True, "why": "w", "letters_per_second": 0}, 422, "invalid_input"),
        ("replays", {"all": True, "why": "w", "who": "me"}, 422, "invalid_input"),
        ("replays", {"all": True, "why": " "}, 422, "reason_missing"),
        ("replays", {"all": True, "why": "w"}, 409, "nothing_chosen"),
        ("replays", {"cause": "x", "why": "w"}, 409, "nothing_chosen"),
        ("replays", {"ids": [ID], "why": "w"}, 404, "unknown_dead_letters"),
        ("dead-letters/discards", {"cause": "x"}, 422, "invalid_input"),
        ("dead-letters/discards", {"cause": "x", "why": " "}, 422, "reason_missing"),
        ("dead-letters/discards", {"cause": "x", "why": "w"}, 409, "nothing_chosen"),
        ("dead-letters/discards", {"all": True, "why": "w"}, 422, "invalid_input"),
    ],
)
def test_a_bad_order_is_a_problem(client: TestClient, path: str, body: Page, status: int, code: str) -> None:
    """With a code by which a program can tell."""
    answer = client.post(path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_an_order_without_a_reason_is_refused(client: TestClient, listening: Database) -> None:
    """A preview needs none; a replay does."""
    make_dead(listening)
    answer = client.post("replays", json={"all": True})

    assert (answer.status_code, answer.json()["code"]) == (422, "reason_missing")
    assert client.get("replays").json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "dead-letters", None),
        ("GET", "dead-letters/causes", None),
        ("GET", f"dead-letters/{ID}", None),
        ("GET", "replays", None),
        ("GET", f"replays/{ID}", None),
        ("POST", "replays", {"all": True, "why": "w"}),
        ("POST", "dead-letters/discards", {"cause": "x", "why": "w"}),
    ],
)
def test_only_operations_may(client: TestClient, method: str, path: str, body: Page | None) -> None:
    """Whoever replays moves money; neither finance nor a partner does so by this door."""
    for role in ("finance", "partner", "operator", "auditor"):
        answer = client.request(method, path, json=body, headers={"authorization": f"Bearer {as_role(role)}"})
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission")


def test_another_programmes_letters_are_not_there(client: TestClient, listening: Database, hearer: Owner) -> None:
    """Neither to read, nor to replay, nor to give up; nor are its replays."""
    mine = str(make_dead(listening))
    order = replay(client, ids=[mine], why="ours")["replay"]["id"]
    client.headers["authorization"] = f"Bearer {as_role('ops', ELSEWHERE)}"

    assert dead(client) == []
    assert client.get("dead-letters/causes").json() == {"total": 0, "items": []}
    assert client.get("replays").json() == {"items": [], "next": None}
    for path in (f"dead-letters/{mine}", f"replays/{order}"):
        assert client.get(path).status_code == 404
    for path in ("replays", "dead-letters/discards"):
        answer = client.post(path, json={"ids": [mine], "why": "theirs"})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_dead_letters")
    assert client.post("replays", json={"all": True, "why": "theirs"}).json()["code"] == "nothing_chosen"
    assert hearer.execute("SELECT state FROM dead_letter") == [("dead",)]
