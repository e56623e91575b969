"""Who changed what, from what to what and why; and who was denied access."""

import csv
import io
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from shared import clock
from shared.audit import Call, Who, carried_out
from shared.audit.trail import HIDDEN, MOST_SHOWN
from shared.database.sessions import Database
from shared.ids import new_id
from shared.web.denials import Denials, Window
from tests.shared.web.safe import Memo
from tests.shared.web.writing import MEMO, Caller, refusal

TRACE = "0af7651916cd43dd8448eb211c80319c"
LONG = "".join(sha256(b"%d" % n).hexdigest() for n in range(160))[:10_000]  # Compressed no shorter than an index takes.


class TestEntry:
    def test_says_who_did_what_when_and_under_which_trace(self, caller: Caller) -> None:
        """All that an auditor asks first."""
        before = clock.now()
        headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        made = caller.send("POST", "memos", json=MEMO | {"reason": "none is left"}, headers=headers).json()

        (entry,) = caller.entries()

        assert entry["person_id"] == str(caller.person)
        assert (entry["roles"], entry["service"]) == (["volunteer"], None)
        assert (entry["operation"], entry["outcome"], entry["refusal"]) == ("keep_memo", "done", None)
        assert (entry["thing"], entry["thing_id"]) == ("memo", made["id"])
        assert (entry["reason"], entry["trace_id"]) == ("none is left", TRACE)
        assert before.isoformat()[:19] <= entry["at"][:19] <= clock.now().isoformat()[:19]

    def test_says_from_what_to_what(self, caller: Caller) -> None:
        """Only what differs; what is private is named, and its value shown nowhere."""
        made = caller.keep()
        path = f"memos/{made.json()['id']}"
        changed = caller.send("PUT", path, on="*", json={"body": "buy milk", "secret": "roses"})
        caller.send("PUT", path, on=changed.headers["etag"], json={"body": "buy eggs", "secret": "roses"})
        caller.send("DELETE", path, on="*")

        removed, eggs, milk, added = (entry["changes"] for entry in caller.entries())

        programme = {"programme_id": str(caller.programme)}
        thing = {"thing": "memo", "id": made.json()["id"]}
        whole = {"id": made.json()["id"], "secret": HIDDEN} | programme
        assert added == [thing | {"from": None, "to": whole | {"body": "buy bread"}}]
        assert milk == [
            thing | {"from": {"body": "buy bread", "secret": HIDDEN}, "to": {"body": "buy milk", "secret": HIDDEN}}
        ]
        assert eggs == [thing | {"from": {"body": "buy milk"}, "to": {"body": "buy eggs"}}]
        assert removed == [thing | {"from": whole | {"body": "buy eggs"}, "to": None}]
        assert "roses" not in str(caller.entries())
        assert "tulips" not in str(caller.entries())

    def test_is_written_although_nothing_changed(self, caller: Caller) -> None:
        """Somebody decided that it stays so."""
        made = caller.keep()
        caller.send("PUT", f"memos/{made.json()['id']}", on="*", json=MEMO)

        entry = caller.entries()[0]

        assert (entry["operation"], entry["thing_id"], entry["changes"], entry["counts"]) == (
            "change_memo", made.json()["id"], [], {},
        )  # fmt: skip

    @pytest.mark.parametrize("how", ["many", "rows"])
    def test_of_many_changes_has_their_number(self, caller: Caller, how: str) -> None:
        """An import of 50,000 rows is one entry, whether by a statement or row by row."""
        caller.send("POST", f"{how}/{MOST_SHOWN}")
        caller.send("POST", f"{how}/{MOST_SHOWN + 7}")

        many, few = caller.entries()

        assert (few["counts"], len(few["changes"])) == ({"memo": {"added": MOST_SHOWN}}, MOST_SHOWN)
        assert (many["counts"], many["changes"]) == ({"memo": {"added": MOST_SHOWN + 7}}, [])

    def test_is_not_written_of_what_did_not_happen(self, caller: Caller) -> None:
        """Neither of a refused call, nor of one that could not be committed, nor of a repeat or a reading."""
        caller.keep(body=7)
        caller.send("PUT", f"memos/{uuid4()}", on="*", json=MEMO)
        caller.send("POST", f"replies/{uuid4()}")
        caller.send("GET", "counts/all")
        assert caller.entries() == []
        for _ in range(2):
            caller.keep(key="the-same-key")

        assert len(caller.entries()) == 1

    def test_shows_no_number_that_belongs_to_a_person(self, caller: Caller) -> None:
        """People put them into reasons."""
        caller.keep(reason="call 13812345678 first")

        assert caller.entries()[0]["reason"] == "call 138****5678 first"


class TestList:
    def test_is_for_auditors_and_administrators(self, caller: Caller) -> None:
        """And of their own programme."""
        caller.keep()
        for role, status in (("auditor", 200), ("admin", 200), ("ops", 403), ("operator", 403), ("volunteer", 403)):
            answer = caller.by(roles=(role,)).send("GET", "audit-entries")
            assert (role, answer.status_code) == (role, status)
        assert caller.by(programme=uuid4()).entries() == []

    def test_can_be_narrowed(self, caller: Caller) -> None:
        """To a person, a thing, an operation, an outcome, a time."""
        other = caller.by(person=uuid4())
        mine, theirs = caller.keep().json()["id"], other.keep().json()["id"]
        other.send("PUT", f"memos/{mine}", on="*", json=MEMO | {"body": "buy milk"})
        later = (clock.now() + timedelta(hours=1)).isoformat()

        def found(**asked: Any) -> list[tuple[str, str]]:
            return [(entry["operation"], entry["thing_id"]) for entry in caller.entries(**asked)]

        everything = [("change_memo", mine), ("keep_memo", theirs), ("keep_memo", mine)]
        assert found(outcome="done", at_until=later) == everything
        assert found(person_id=str(other.person)) == everything[:2]
        assert found(thing_id=mine) == [everything[0], everything[2]]
        assert found(operation="keep_memo") == everything[1:]
        assert found(at_from=later) == found(outcome="denied") == found(thing_id=str(uuid4())) == []

    @pytest.mark.parametrize("spelt", [str.upper, lambda each: each.replace("-", ""), "urn:uuid:{}".format])
    def test_finds_a_thing_however_its_id_was_spelt(self, caller: Caller, spelt: Callable[[str], str]) -> None:
        """Paths take more spellings of an id than one; the trail has one."""
        memo = caller.keep().json()["id"]
        assert caller.send("PUT", f"memos/{spelt(memo)}", on="*", json=MEMO).status_code == 200
        assert caller.by(roles=("finance",)).send("DELETE", f"memos/{spelt(memo)}", on="*").status_code == 403

        found = caller.entries(thing_id=memo)

        assert [entry["operation"] for entry in found] == ["drop_memo", "change_memo", "keep_memo"]
        assert {entry["thing_id"] for entry in found} == {memo}

    def test_goes_on_where_the_page_before_ended(self, caller: Caller) -> None:
        """Newest first, each once, also of the same instant."""
        for number in range(5):
            caller.keep(body=str(number))
        auditor = caller.by(roles=("auditor",))
        asked: dict[str, Any] = {"limit": 2}
        seen = []
        for _ in range(3):
            page = auditor.send("GET", "audit-entries", params=asked).json()
            seen += [entry["changes"][0]["to"]["body"] for entry in page["items"]]
            asked["cursor"] = page["next"]

        assert (seen, asked["cursor"]) == (["4", "3", "2", "1", "0"], None)

    def test_is_a_file_too(self, caller: Caller) -> None:
        """With what changed as JSON; what is not shown in a page is not shown there either."""
        caller.keep(body="=1+1")
        auditor = caller.by(roles=("auditor",))

        answer = auditor.send("GET", "audit-entries", params={"format": "csv"}, headers={"accept-language": "en"})
        head, line = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        found = dict(zip(head, line, strict=True))

        assert (found["Operation"], found["Person id"]) == ("keep_memo", str(caller.person))
        assert json.loads(found["Counts (JSON)"]) == {"memo": {"added": 1}}
        (change,) = json.loads(found["Changes (JSON)"])
        assert (change["from"], change["to"]["body"], change["id"]) == (None, "=1+1", found["Thing id"])
        assert change["to"]["secret"] == HIDDEN

    @pytest.mark.parametrize(
        "asked",
        [
            {"limit": 0},
            {"limit": 201},
            {"at_from": "yesterday"},
            {"outcome": "lost"},
            {"who": "me"},
            {"thing_id": "a\0"},
        ],
    )
    def test_refuses_what_it_does_not_understand(self, caller: Caller, asked: dict[str, Any]) -> None:
        """By field."""
        answer = caller.by(roles=("auditor",)).send("GET", "audit-entries", params=asked)
        assert refusal(answer) == (422, "invalid_input")


@pytest.fixture(params=["runtime role", "owner"])
def anybody(request: pytest.FixtureRequest, memos: Database) -> Iterator[Session]:
    """Open a transaction of the runtime role, and one of the schema's owner."""
    if request.param == "owner":
        with create_engine(memos.url, poolclass=NullPool).connect() as connection, Session(connection) as tx:
            yield tx
    else:
        with Session(memos.engine) as tx:
            yield tx


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entry SET reason = 'another'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
def test_nobody_takes_an_entry_back(caller: Caller, anybody: Session, change: str) -> None:
    """Not the service, which lacks the right; not the owner, whom the trigger stops."""
    caller.keep()

    with pytest.raises(DBAPIError) as error:
        anybody.execute(text(change))

    assert getattr(error.value.orig, "sqlstate", "") in {"42501", "PC010"}
    assert len(caller.entries()) == 1


class TestDenied:
    def test_is_written_although_the_call_is_undone(self, caller: Caller) -> None:
        """Who tried what, in which roles, about which thing."""
        stranger = caller.by(person=uuid4(), roles=("finance",))
        assert refusal(stranger.send("DELETE", f"memos/{caller.programme}", on="*")) == (403, "missing_permission")

        (entry,) = caller.entries()

        assert (entry["operation"], entry["outcome"], entry["refusal"]) == ("drop_memo", "denied", "missing_permission")
        assert (entry["person_id"], entry["roles"]) == (str(stranger.person), ["finance"])
        assert (entry["thing"], entry["thing_id"]) == ("memo", str(caller.programme))
        assert entry["trace_id"]

    def test_reading_is_written_too(self, caller: Caller) -> None:
        """An attempt to read the trail itself, say."""
        caller.send("GET", "audit-entries")

        assert [entry["operation"] for entry in caller.entries()] == ["list_audit_entries"]

    @pytest.mark.parametrize("body", [b"{", b"[" * 100_000], ids=["no JSON", "too deep to be read"])
    def test_is_written_whatever_else_was_wrong(self, caller: Caller, body: bytes) -> None:
        """A body that cannot be read keeps nobody out of the trail."""
        stranger = caller.by(roles=("finance",))
        answer = stranger.send("POST", "memos", content=body, headers={"content-type": "application/json"})
        assert refusal(answer) == (403, "missing_permission")

        (entry,) = caller.entries()

        assert (entry["operation"], entry["outcome"], entry["refusal"]) == ("keep_memo", "denied", "missing_permission")
        assert entry["person_id"] == str(stranger.person)

    def test_at_another_programme_is_in_the_trail_of_their_own(self, caller: Caller) -> None:
        """Their own auditors learn who knocks elsewhere; the others' trail is not theirs to write."""
        elsewhere = uuid4()
        answer = caller.send("GET", f"memos/{elsewhere}", headers={"popcandy-programme": str(elsewhere)})
        assert refusal(answer) == (403, "programme_differs")

        (entry,) = caller.entries()

        assert (entry["operation"], entry["outcome"], entry["refusal"]) == ("get_memo", "denied", "programme_differs")
        assert (entry["person_id"], entry["thing_id"]) == (str(caller.person), str(elsewhere))
        assert caller.by(programme=elsewhere).entries() == []

    @pytest.mark.parametrize("sent", ["a%00b", LONG], ids=["NUL", "10,000 characters"])
    def test_is_written_whatever_the_id(self, caller: Caller, sent: str) -> None:
        """An id that no database or index takes hides nothing; of a long one the beginning is enough."""
        answer = caller.by(roles=("finance",)).send("DELETE", f"memos/{sent}", on="*")
        assert refusal(answer) == (403, "missing_permission")

        (entry,) = caller.entries()

        assert entry["thing_id"] == sent.replace("%00", "\ufffd")[:200]

    def test_again_and_again_is_one_entry(self, caller: Caller) -> None:
        """Nobody fills the disk by knocking."""
        stranger = caller.by(roles=("finance",))
        assert {stranger.keep().status_code for _ in range(20)} == {403}
        stranger.send("POST", "empty")

        assert [entry["operation"] for entry in caller.entries()] == ["keep_nothing", "keep_memo"]

    def test_nobody_known_is_nobody_written(self, caller: Caller) -> None:
        """401: there is no person and no programme whose trail it could be."""
        assert caller.client.post("memos", json=MEMO).status_code == 401
        assert caller.entries() == []

    def test_is_denied_all_the_same_when_it_cannot_be_written(
        self, caller: Caller, safe_client: Any, memos: Database
    ) -> None:
        """And the connections apart are not waited for: one denial at a time asks for one."""
        app: FastAPI = safe_client.app
        doomed = Denials(Database(memos.url.set(port=1), role="nobody", pool_size=1))
        known, app.state.denials = app.state.denials, doomed
        try:
            assert caller.by(roles=("finance",)).keep().status_code == 403
        finally:
            app.state.denials = known
        assert caller.entries() == []

    def test_many_at_once_hold_one_connection(self, caller: Caller, memos: Database) -> None:
        """With one of the two taken, wrong codes still find the other (PITFALLS H7)."""
        with memos.apart(), ThreadPoolExecutor(8) as threads:
            people = [caller.by(person=uuid4(), roles=("finance",)) for _ in range(16)]
            answers = list(threads.map(lambda person: person.keep().status_code, people))

        assert answers == [403] * 16
        assert 1 <= len(caller.entries()) <= 16


class TestWindow:
    def test_lets_each_through_once_and_says_how_many_there_were(self) -> None:
        """The next entry counts those between."""
        at = [0.0]
        window = Window(now=lambda: at[0])
        assert [window.admit(("a",)) for _ in range(4)] == [0, None, None, None]
        assert window.admit(("b",)) == 0
        at[0] = 59.9
        assert window.admit(("a",)) is None
        at[0] = 60.0

        assert [window.admit(("a",)), window.admit(("b",)), window.admit(("a",))] == [4, 0, None]

    def test_is_bounded_for_all_together(self) -> None:
        """Many strangers fill no disk either."""
        at = [0.0]
        window = Window(most=3, now=lambda: at[0])
        assert [window.admit((n,)) for n in range(5)] == [0, 0, 0, None, None]
        at[0] = 60.0

        assert [window.admit((4,)), window.admit((9,))] == [1, 0]


def test_the_log_names_no_private_value(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """A trail that is masked and a log that is not would be no secret."""
    with caplog.at_level(logging.DEBUG):
        caller.keep(secret="a secret that nobody reads")

    assert "nobody reads" not in caplog.text


def test_a_task_writes_what_it_did_for_somebody(caller: Caller, memos: Database) -> None:
    """An import that is brought in later, say: one entry, in the transaction of the work."""
    asked = Call(
        Who(caller.programme, caller.person, ["operator"]), "bring_in", clock.now(), ("import", "7"), "why not"
    )
    with memos.transaction() as tx, carried_out(tx, asked):
        tx.add(Memo(id=new_id(), programme_id=caller.programme, body="from a sheet", secret="tulips"))

    (entry,) = caller.entries()

    assert (entry["operation"], entry["thing"], entry["thing_id"]) == ("bring_in", "import", "7")
    assert (entry["reason"], entry["counts"]) == ("why not", {"memo": {"added": 1}})
    with pytest.raises(LookupError), memos.transaction() as tx, carried_out(tx, asked):
        raise LookupError
    assert len(caller.entries()) == 1
