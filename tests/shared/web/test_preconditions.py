"""Who decides about a thing says which reading of it the decision rests on; who has a reading is told so."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.database.sessions import Database
from tests.activities.racing import wait_for_lock
from tests.shared.web.safe import Memo
from tests.shared.web.writing import Caller, refusal

MILK = {"body": "buy milk"}


@pytest.fixture
def made(caller: Caller) -> Any:
    return caller.keep()


@pytest.fixture
def path(made: Any) -> str:
    return f"memos/{made.json()['id']}"


class TestReading:
    def test_goes_out_under_the_tag_of_its_thing(self, caller: Caller, made: Any, path: str) -> None:
        """The same in the answer that made it and in the one that shows it; strong, and of printable characters."""
        shown = caller.send("GET", path)

        assert shown.headers["etag"] == made.headers["etag"]
        assert shown.headers["etag"].strip('"').isascii()
        assert shown.headers["etag"].startswith('"')
        assert shown.json() == made.json()

    def test_is_not_sent_to_who_has_it(self, caller: Caller, made: Any, path: str) -> None:
        """Under the tag, among others, weak or strong (RFC 9110 section 13.1.2)."""
        tag = made.headers["etag"]
        for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            answer = caller.send("GET", path, headers={"if-none-match": known})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        for unknown in ('"other"', tag.strip('"'), "nonsense", ""):
            assert caller.send("GET", path, headers={"if-none-match": unknown}).json() == made.json()

    def test_of_a_changed_thing_has_another_tag(self, caller: Caller, made: Any, path: str) -> None:
        """Also if what has changed is not shown."""
        changed = caller.send("PUT", path, on=made.headers["etag"], json={"body": "buy bread", "secret": "roses"})

        assert changed.json() == made.json()
        assert changed.headers["etag"] != made.headers["etag"]
        assert caller.send("GET", path, headers={"if-none-match": made.headers["etag"]}).status_code == 200

    def test_of_what_has_no_row_is_tagged_by_what_is_shown(self, caller: Caller) -> None:
        """Sums and stories are read again and again, too."""
        first = caller.send("GET", "counts/all")
        tag = {"if-none-match": first.headers["etag"]}
        assert caller.send("GET", "counts/all", headers=tag).status_code == 304
        caller.keep()

        assert caller.send("GET", "counts/all", headers=tag).json() == {"memos": 1}

    def test_that_is_refused_has_no_tag(self, caller: Caller) -> None:
        """And is never 304."""
        answer = caller.send("GET", f"memos/{uuid4()}", headers={"if-none-match": "*"})

        assert refusal(answer) == (404, "not_found")
        assert "etag" not in answer.headers


class TestDecision:
    def test_on_what_is_so_is_carried_out(self, caller: Caller, made: Any, path: str) -> None:
        """Its answer has the tag for the next."""
        for on in (made.headers["etag"], "*"):
            answer = caller.send("PUT", path, on=on, json=MILK)
            assert (answer.status_code, answer.json()["body"]) == (200, "buy milk")
            assert answer.headers["etag"] == caller.send("GET", path).headers["etag"]

    def test_among_several_readings_one_must_be_right(self, caller: Caller, made: Any, path: str) -> None:
        """RFC 9110 section 13.1.1."""
        assert caller.send("PUT", path, on=f'"x" ,  {made.headers["etag"]}', json=MILK).status_code == 200

    def test_on_nothing_is_refused(self, caller: Caller, path: str) -> None:
        """Whoever did not look must not decide."""
        answer = caller.send("PUT", path, json=MILK)

        assert refusal(answer) == (428, "precondition_required")
        assert caller.bodies() == ["buy bread"]

    @pytest.mark.parametrize("written", ['"x"', "W/{tag}", '"x", W/{tag}', '""'])
    def test_on_something_else_is_refused(self, caller: Caller, made: Any, path: str, written: str) -> None:
        """A weak tag never matches: it says that the reading was much like this one."""
        answer = caller.send("PUT", path, on=written.format(tag=made.headers["etag"]), json=MILK)

        assert refusal(answer) == (412, "precondition_failed")
        assert caller.bodies() == ["buy bread"]

    @pytest.mark.parametrize("written", ["x", '"x', "3", '"a" "b"', "*, *", ""])
    def test_on_what_is_no_tag_is_named(self, caller: Caller, path: str, written: str) -> None:
        """By field, as all that is sent wrongly."""
        answer = caller.send("PUT", path, headers={"if-match": written}, json=MILK)

        assert refusal(answer) == (422, "malformed_entity_tag")
        assert answer.json()["facts"]["field"] == "If-Match"

    def test_about_nothing_is_not_found(self, caller: Caller) -> None:
        """Whatever it claims to rest on."""
        assert refusal(caller.send("PUT", f"memos/{uuid4()}", on="*", json=MILK)) == (404, "not_found")

    def test_of_two_on_one_reading_one_is_carried_out(
        self, caller: Caller, made: Any, path: str, memos: Database
    ) -> None:
        """The tag is compared when the row is locked: the second sees what the first has done."""
        with ThreadPoolExecutor(1) as threads:
            with memos.transaction() as tx:
                tx.execute(text("UPDATE memo SET body = 'sold out' WHERE id = :id"), {"id": made.json()["id"]})
                second = threads.submit(caller.send, "PUT", path, on=made.headers["etag"], json=MILK)
                wait_for_lock(memos)
            answer = second.result(20)

        assert refusal(answer) == (412, "precondition_failed")
        assert caller.bodies() == ["sold out"]

    def test_many_at_once_on_one_reading(self, caller: Caller, made: Any, path: str) -> None:
        """Exactly one of them."""

        def change(number: int) -> int:
            answer = caller.send("PUT", path, on=made.headers["etag"], json={"body": f"buy {number}"})
            return int(answer.status_code)

        with ThreadPoolExecutor(6) as threads:
            statuses = list(threads.map(change, range(6)))

        assert sorted(statuses) == [200, *[412] * 5]


def test_a_tag_is_the_same_before_and_after_the_database(caller: Caller, memos: Database) -> None:
    """What was just set and what is read back are written alike."""
    made = caller.keep(body="𠮷 '\"\\")
    with memos.transaction() as tx:
        assert tx.get(Memo, made.json()["id"]) is not None
    assert caller.send("GET", f"memos/{made.json()['id']}").headers["etag"] == made.headers["etag"]
