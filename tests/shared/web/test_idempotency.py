"""A call that is sent again with its key is answered again, and happens once."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from shared.auth.sealing import Seals
from shared.database.sessions import Database
from shared.web import kept_answers
from shared.web.idempotency import SEALED, KeyReused, opened
from shared.web.kept_answers import KEPT_FOR, Answer, Kept, Key
from tests.faults.processes import Process
from tests.shared.web.conftest import KEY
from tests.shared.web.safe import World
from tests.shared.web.writing import MEMO, Caller, refusal

FILE = {"file": ("a.csv", b"1,2\n" * 50_000)}
OTHER_FILE = {"file": ("a.csv", b"1,3\n" * 50_000)}


@pytest.fixture
def key() -> str:
    return str(uuid4())


def form(content: bytes, boundary: str) -> dict[str, Any]:
    """Write a form with a file, as a browser does that drew this boundary."""
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return {"content": body, "headers": {"content-type": f'multipart/form-data; boundary="{boundary}"'}}


class TestForgetNaming:
    """What an erasure does to answers."""

    def test_takes_the_answers_that_name_the_person_and_no_others(self, memos: Database) -> None:
        """By whole words, however JSON spells them, in one programme."""
        programme, person = uuid4(), uuid4()
        named = ['{"a": "E100"}', '{"a": "\\u5c0f\\u8df3"}', '{"a": "小跳"}', "E100,x"]
        bodies = [*named, '{"a": "E1000"}', '{"a": "小跳跳"}']

        def keep(tx: Session, programme_id: UUID, key: int, body: str) -> None:
            answer = Answer(200, {}, body.encode())
            kept_answers.keep(tx, {Key(programme_id, person, str(key)): Kept("o", b"h", answer)})

        with memos.transaction() as tx:
            for key, body in enumerate(bodies):
                keep(tx, programme, key, body)
            keep(tx, person, 0, bodies[0])
            gone = kept_answers.forget_naming(tx, programme_id=programme, texts=("E100", "小跳"))
            keys = [Key(programme, person, str(key)) for key in range(len(bodies))]
            left = kept_answers.find(tx, [*keys, Key(person, person, "0")])
            assert (gone, set(left)) == (4, {*keys[4:], Key(person, person, "0")})


def kept(caller: Caller) -> int:
    with caller.database.transaction() as tx:
        rows = text("SELECT count(*) FROM kept_answer WHERE programme_id = :programme")
        return int(tx.execute(rows, {"programme": caller.programme}).scalar_one())


class TestReplay:
    @pytest.mark.parametrize(
        ("path", "parts"),
        [
            ("memos", {"json": MEMO}),
            ("files", {"files": FILE}),
            ("empty", {}),
            ("many/3", {}),
            ("memos?x=1", {"json": MEMO}),
        ],
    )
    def test_is_the_same_answer_and_no_second_effect(
        self, caller: Caller, key: str, path: str, parts: dict[str, Any]
    ) -> None:
        """Whatever was sent, and whatever the answer is made of: status, body, tag, type and place."""
        first, again = (caller.send("POST", path, key=key, **parts) for _ in range(2))

        assert first.is_success, first.text
        assert (again.status_code, again.content) == (first.status_code, first.content)
        told = ("etag", "content-type", "location")
        assert [again.headers.get(name) for name in told] == [first.headers.get(name) for name in told]
        assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
        assert len(caller.bodies()) == (3 if path == "many/3" else 1)
        assert len(caller.entries()) == 1

    def test_of_a_secret_is_kept_sealed(self, caller: Caller, key: str) -> None:
        """Who reads the database learns none; who has the key is told the same again."""
        first, again = (caller.send("POST", "secrets", key=key) for _ in range(2))
        rows = text("SELECT headers, body FROM kept_answer WHERE programme_id = :programme")
        with caller.database.transaction() as tx:
            [(headers, body)] = tx.execute(rows, {"programme": caller.programme})

        assert first.json()["secret"].startswith("of ")
        assert first.json()["secret"].encode() not in bytes(body)
        assert SEALED in headers
        assert (again.status_code, again.content) == (201, first.content)
        assert (again.headers["content-type"], SEALED in again.headers) == (first.headers["content-type"], False)
        assert len(caller.bodies()) == 1

    def test_of_a_secret_ends_with_the_key_that_sealed_it(self) -> None:
        """It cannot be told any more, and is not made anew."""
        old, new = (Seals([letter * 40]) for letter in "on")
        sealed = Answer(201, {SEALED: "yes"}, old.seal(b"it", purpose="kept answers").encode())

        assert opened(sealed, old) == Answer(201, {}, b"it")
        with pytest.raises(KeyReused):
            opened(sealed, new)

    def test_is_under_the_trace_of_its_own_request(self, caller: Caller, key: str) -> None:
        """Only what belongs to the answer is kept."""
        first, again = (caller.send("POST", "empty", key=key) for _ in range(2))

        assert first.headers["traceparent"] != again.headers["traceparent"]
        assert "x-passing" not in again.headers

    def test_is_of_the_file_and_not_of_the_boundary(self, caller: Caller, key: str) -> None:
        """Whoever builds the form anew for the second try draws another boundary."""
        content = b"1,2\r\n" * 40_000
        answers = [caller.send("POST", "files", key=key, **form(content, boundary)) for boundary in ("x9", "y" * 60)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert len(caller.bodies()) == 1
        changed = caller.send("POST", "files", key=key, **form(content[:-1] + b"\r", "x9"))
        assert refusal(changed) == (422, "idempotency_key_reused")

    def test_comes_before_the_question_what_was_read(self, caller: Caller, key: str) -> None:
        """The first try has changed the thing; its repeat must not be told that it has changed since."""
        made = caller.keep()
        path, on = f"memos/{made.json()['id']}", made.headers["etag"]
        first, again = (caller.send("PUT", path, key=key, on=on, json={"body": "buy milk"}) for _ in range(2))

        assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
        assert refusal(caller.send("PUT", path, on=on, json={"body": "buy milk"})) == (412, "precondition_failed")

    def test_of_an_answer_without_a_body(self, caller: Caller, key: str) -> None:
        """It is gone, and was gone by this very call."""
        made = caller.keep()
        path, on = f"memos/{made.json()['id']}", made.headers["etag"]
        answers = [caller.send("DELETE", path, key=key, on=on) for _ in range(2)]

        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2

    def test_without_a_key_there_is_none(self, caller: Caller) -> None:
        """Two calls are two calls."""
        assert [caller.keep().status_code for _ in range(2)] == [201, 201]
        assert (len(caller.bodies()), kept(caller)) == (2, 0)


class TestAnotherRequest:
    @pytest.mark.parametrize(
        ("path", "parts"),
        [
            ("memos", {"json": MEMO | {"body": "buy milk"}}),
            ("memos", {"content": b'{ "body": "buy bread" }', "headers": {"content-type": "application/json"}}),
            ("memos?x=1", {"json": MEMO}),
            ("empty", {}),
            ("files", {"files": FILE}),
        ],
    )
    def test_with_the_same_key_is_refused(self, caller: Caller, key: str, path: str, parts: dict[str, Any]) -> None:
        """A key drawn once for two calls is a slip of the sender's; neither answer would be right."""
        caller.keep(key=key)

        answer = caller.send("POST", path, key=key, **parts)

        assert refusal(answer) == (422, "idempotency_key_reused")
        assert answer.json()["facts"] == {"field": "Idempotency-Key"}
        assert caller.bodies() == ["buy bread"]

    def test_of_the_same_person_for_another_partner_is_another(self, caller: Caller, key: str) -> None:
        """What one partner was answered is not shown to the other."""
        caller.by(partner=uuid4()).keep(key=key)

        assert refusal(caller.by(partner=uuid4()).keep(key=key)) == (422, "idempotency_key_reused")

    def test_of_another_person_or_programme_has_the_key_to_itself(self, caller: Caller, key: str) -> None:
        """Keys are drawn by senders who know nothing of each other."""
        others = [caller, caller.by(person=uuid4()), caller.by(programme=uuid4())]
        answers = [each.keep(key=key) for each in others]

        assert len({answer.json()["id"] for answer in answers}) == 3
        assert not any("idempotency-replayed" in answer.headers for answer in answers)


class TestRefused:
    def test_calls_keep_nothing_and_may_be_tried_again(self, caller: Caller, key: str) -> None:
        """The same key then stands for the call that succeeds."""
        World.is_full = True
        assert refusal(caller.keep(key=key)) == (409, "full")
        assert refusal(caller.keep(key=key, body=7)) == (422, "invalid_input")
        assert (caller.bodies(), kept(caller), caller.entries()) == ([], 0, [])
        World.is_full = False

        answer = caller.keep(key=key)

        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False)

    def test_at_the_commit_keeps_nothing(self, caller: Caller, key: str) -> None:
        """The answer is kept with the effect, or not at all (PITFALLS H1)."""
        assert caller.send("POST", f"replies/{uuid4()}", key=key).status_code == 500
        assert kept(caller) == 0

    def test_without_the_permission_nothing_is_told(self, caller: Caller, key: str) -> None:
        """A key opens no door: whoever lost the role since does not get the answer again."""
        caller.keep(key=key)

        assert refusal(caller.by(roles=("auditor",)).keep(key=key)) == (403, "missing_permission")

    @pytest.mark.parametrize("bad", ["short", "x" * 201, "with a space", "", "schlüssel"])
    def test_keys_that_are_none_are_named(self, caller: Caller, bad: str) -> None:
        """By field; nothing happens."""
        answer = caller.send("POST", "memos", json=MEMO, headers={"idempotency-key": bad.encode("latin-1")})

        assert refusal(answer) == (422, "invalid_input")
        assert [error["field"].lower() for error in answer.json()["errors"]] == ["idempotency-key"]
        assert caller.bodies() == []

    @pytest.mark.parametrize("good", ["x" * 8, "x" * 200, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a:b/c+d=e~"])
    def test_keys_at_the_bounds_are_taken(self, caller: Caller, good: str) -> None:
        """Quoted as the draft of the header has it, or bare as most send it."""
        assert [caller.keep(key=good).status_code for _ in range(2)] == [201, 201]
        assert len(caller.bodies()) == 1


class TestAtOnce:
    @pytest.fixture
    def rendezvous(self) -> Iterator[Barrier]:
        barrier = World.rendezvous = Barrier(2)
        yield barrier
        barrier.abort()

    def test_the_second_is_told_so_without_waiting(self, caller: Caller, key: str, rendezvous: Barrier) -> None:
        """It does not hold a place while the first works; later it gets the first one's answer."""
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(caller.keep, key=key)
            rendezvous.wait(20)  # The first is inside.
            second = caller.keep(key=key)
            rendezvous.wait(20)
            answer = first.result(20)
        World.rendezvous = None

        assert refusal(second) == (409, "request_in_flight")
        assert int(second.headers["retry-after"]) > 0
        assert answer.status_code == 201
        assert caller.keep(key=key).content == answer.content
        assert len(caller.bodies()) == 1

    def test_many_have_one_effect(self, caller: Caller, key: str) -> None:
        """Each is answered alike, or told to ask again."""
        with ThreadPoolExecutor(8) as threads:
            answers = [call.result(30) for call in [threads.submit(caller.keep, key=key) for _ in range(16)]]

        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        assert (len(caller.bodies()), len(caller.entries())) == (1, 1)

    def test_different_keys_do_not_wait_for_each_other(self, caller: Caller, key: str, rendezvous: Barrier) -> None:
        """A slow call is nobody's but its own sender's."""
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(caller.keep, key=key)
            rendezvous.wait(20)
            assert caller.send("POST", "empty", key=str(uuid4())).status_code == 202
            rendezvous.wait(20)
            assert first.result(20).status_code == 201


def test_a_process_that_dies_before_it_answers_leaves_the_answer(
    caller: Caller, key: str, memos: Database, tmp_path: Path
) -> None:
    """Kill -9 between commit and answer: the next process answers the second try, and nothing happens twice."""
    url = memos.url.render_as_string(hide_password=False)
    log = tmp_path / "log"
    public = json.dumps(KEY.as_dict(private=False))
    dying = Process(["tests.shared.web.dying", url, memos.role, public], log=log, environment={})
    dying.until(lambda: log.exists() and log.read_text().partition("\n")[1], missing="its port")
    port = log.read_text().partition("\n")[0]

    with pytest.raises(httpx2.TransportError):
        httpx2.post(
            f"http://127.0.0.1:{port}/api/activities/memos", json=MEMO, headers=caller.headers(key), trust_env=False
        )

    assert dying.wait() == -signal.SIGKILL
    assert caller.bodies() == ["buy bread"]
    answer = caller.keep(key=key)
    assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
    assert caller.bodies() == ["buy bread"]
    assert [entry["operation"] for entry in caller.entries()] == ["keep_memo"]


class TestForget:
    def age(self, caller: Caller, age: str) -> None:
        with create_engine(caller.database.url, poolclass=NullPool).begin() as owner:
            change = text("UPDATE kept_answer SET kept_at = now() - CAST(:age AS interval) WHERE programme_id = :p")
            owner.execute(change, {"age": age, "p": caller.programme})

    def forget(self, memos: Database) -> int:
        with memos.transaction() as tx:
            return kept_answers.forget(tx)

    def test_answers_are_kept_as_long_as_was_said(self, caller: Caller, key: str, memos: Database) -> None:
        """Not a minute less; a sender that was away for a day gets its answer."""
        self.forget(memos)
        first = caller.keep(key=key)
        self.age(caller, f"{KEPT_FOR.total_seconds() - 60} seconds")
        assert self.forget(memos) == 0
        assert caller.keep(key=key).content == first.content
        self.age(caller, f"{KEPT_FOR.total_seconds() + 1} seconds")

        assert self.forget(memos) == 1

        assert caller.keep(key=key).json()["id"] != first.json()["id"]

    def test_it_takes_a_part_at_a_time(self, caller: Caller, memos: Database) -> None:
        """A long absence of the upkeep is made up for in short transactions."""
        with memos.transaction() as tx:
            tx.execute(
                text("""
                INSERT INTO kept_answer (programme_id, person_id, key, operation, request_hash, status, headers, body,
                    kept_at)
                SELECT :programme, uuidv7(), 'a key', 'x', '', 200, '{}', '', now() - interval '30 days'
                FROM generate_series(1, :count)"""),
                {"programme": caller.programme, "count": kept_answers.AT_ONCE + 1},
            )

        assert [self.forget(memos), self.forget(memos), self.forget(memos)] == [kept_answers.AT_ONCE, 1, 0]


def test_a_key_is_locked_for_one_person(memos: Database) -> None:
    """The lock's name holds all three parts."""
    programme, person = UUID(int=1), UUID(int=2)
    with memos.transaction() as tx, memos.transaction() as other:
        mine = Key(programme, person, "k")
        others = {Key(person, person, "k"), Key(programme, programme, "k"), Key(programme, person, "l")}
        assert kept_answers.try_lock(tx, [mine]) == {mine}
        assert kept_answers.try_lock(other, [mine, *others]) == others
