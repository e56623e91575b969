from typing import Any
from uuid import uuid4

import pytest
from starlette.types import Message, Scope

from services.activities.imports.rules import Kind
from shared.roles import Role
from shared.web.limits import MOST_BODY_BYTES
from tests.activities.door import Door, refusal
from tests.activities.imports.sheets import NOW, mend, sheet
from tests.activities.told import emitted
from tests.factories.activities import make_listing, make_shift, make_volunteer

GOOD = ("L1", 1, "E1", "2022-06-01 09:00", "2022-06-01 12:00", "扫码")
BAD = ("L1", 1, "E2", "2022-06-01 07:00", "2022-06-01 11:00", "扫码")
CHUNK = b"x" * 64 * 1024
CHUNKS = 200 * 1024 * 1024 // len(CHUNK)


@pytest.fixture
def operator(door: Door) -> Door:
    """Know the shift L1/1, E1 and E2; it is evening."""
    programme = {"programme_id": door.programme_id}
    door.put_in(lambda tx: make_shift(tx, listing=make_listing(tx, reference="L1", **programme)))
    for number in ("E1", "E2"):
        door.put_in(lambda tx, number=number: make_volunteer(tx, employee_number=number, **programme))  # type: ignore[misc]  # A default binds it.
    door.watch.now = NOW
    return door


def send(door: Door, content: bytes, *, kind: str = "attendance", name: str = "a.csv", **fields: str) -> Any:
    return door.call("POST", f"/imports/{kind}", files={"file": (name, content)}, data=fields)


def attendances(door: Door) -> int:
    return len(door.get("/attendances").json()["items"])


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sheet_is_staged_mended_and_committed(operator: Door, ending: str) -> None:
    """What was rejected comes back as a file, is mended and sent again; the rest got in."""
    name = f"名单.{ending}"
    answer = send(operator, sheet(Kind.ATTENDANCE, GOOD, BAD, ending=ending), name=name)

    assert answer.status_code == 201
    staged = answer.json()
    assert (staged["kind"], staged["file_name"], staged["good"], staged["rejected"]) == ("attendance", name, 1, 1)
    [error] = staged["errors"]
    assert (error["cell"], error["column"], error["code"]) == ("D3", "签到时间", "outside_shift")
    assert error["found"] == "2022-06-01 07:00"
    path = f"/imports/{staged['id']}"
    assert operator.get(path).json() == staged
    assert refusal(operator.decide(path, "commit", skip_rejected="perhaps")) == (422, "invalid_input")
    assert refusal(operator.decide(path, "commit")) == (409, "import_has_rejects")
    assert attendances(operator) == 0

    done = operator.decide(path, "commit", skip_rejected=True)
    assert (done.status_code, done.json()["added"], done.json()["unchanged"]) == (200, 1, 0)
    assert operator.decide(path, "commit", skip_rejected=False).json() == done.json()
    assert attendances(operator) == 1

    rejects = operator.get(f"{path}/rejects")
    assert rejects.headers["content-disposition"] == f'attachment; filename="rejected-{staged["id"]}.{ending}"'
    mended = send(operator, mend(rejects.content, "07:00", "09:30"), name=name).json()
    assert (mended["good"], mended["rejected"]) == (1, 0)
    assert refusal(operator.get(f"/imports/{mended['id']}/rejects")) == (404, "not_found")
    assert operator.decide(f"/imports/{mended['id']}", "commit", skip_rejected=False).json()["added"] == 1
    facts = operator.put_in(lambda tx: emitted(tx, operator.programme_id))
    assert [fact.service_minutes for fact in facts] == [180, 90]


def test_a_long_file_name_does_not_lose_the_reject_file(operator: Door) -> None:
    """Its ending says what it is."""
    staged = send(operator, sheet(Kind.ATTENDANCE, BAD), name=f"{'a' * 250}.CSV").json()
    rejects = operator.get(f"/imports/{staged['id']}/rejects")
    assert (rejects.status_code, rejects.headers["content-type"]) == (200, "text/csv; charset=utf-8")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", sheet(Kind.VOLUNTEERS, ("E1", "合成甲")), "wrong_headers"),
        ("a.xlsx", b"not a workbook", "not_a_sheet"),
        ("a.xlsx", sheet(Kind.ATTENDANCE, GOOD), "not_a_sheet"),
        ("a.csv", sheet(Kind.ATTENDANCE, GOOD, ending="xlsx"), "not_a_sheet"),
        ("a.csv", b"", "empty_sheet"),
        ("a.csv", b'"', "broken_quotes"),
        ("a.csv", b"x" * (20 * 1024 * 1024 + 1), "file_too_large"),
        ("a.exe", b"MZ", "not_a_sheet"),
    ],
)
def test_a_file_that_is_no_sheet_is_refused(operator: Door, name: str, content: bytes, code: str) -> None:
    """In the caller's language, and nothing is kept of it."""
    answer = send(operator, content, name=name)
    assert refusal(answer) == (422, code)
    operator.language = "zh"
    assert send(operator, content, name=name).json()["title"] != answer.json()["title"]


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [("donations", {}, "invalid_input"), ("attendance", {"timezone": "America"}, "unknown_timezone")],
)
def test_what_cannot_be_read_is_refused(operator: Door, kind: str, fields: dict[str, str], code: str) -> None:
    """A kind or a time zone that there is not, and a request without a file."""
    assert refusal(send(operator, sheet(Kind.ATTENDANCE, GOOD), kind=kind, **fields)) == (422, code)
    assert refusal(operator.call("POST", "/imports/attendance")) == (422, "invalid_input")


def test_an_import_is_seen_in_its_programme_only(operator: Door) -> None:
    """Elsewhere it does not exist, and a commit from there does nothing."""
    staged = send(operator, sheet(Kind.ATTENDANCE, GOOD, BAD)).json()
    for path in (f"/imports/{staged['id']}", f"/imports/{staged['id']}/rejects", f"/imports/{uuid4()}"):
        assert refusal(operator.elsewhere().get(path)) == (404, "not_found")
    answer = operator.elsewhere().decide(f"/imports/{staged['id']}", "commit", skip_rejected=True)
    assert refusal(answer) == (404, "not_found")
    assert attendances(operator) == 0


def test_what_changed_meanwhile_stops_the_commit(operator: Door) -> None:
    """With nothing half done."""
    staged = send(operator, sheet(Kind.ATTENDANCE, GOOD)).json()
    shift_id = operator.get("/listings").json()["items"][0]["shifts"][0]["id"]
    operator.decide(f"/shifts/{shift_id}", "cancel", reason="台风")

    answer = operator.decide(f"/imports/{staged['id']}", "commit", skip_rejected=False)

    assert refusal(answer) == (409, "import_outdated")
    assert (attendances(operator), operator.get(f"/imports/{staged['id']}").json()["committed_at"]) == (0, None)


class TestTwoHundredMegabytes:
    """An upload far over the limit is refused before it is read."""

    def receive(self, door: Door, headers: dict[str, str]) -> tuple[int, str, int]:
        """Send 200 MB piece by piece as a server would; return the status, the body and how many pieces were taken."""
        taken, answers = 0, list[Message]()
        sent = {**door.headers(), **headers, "Content-Type": "multipart/form-data; boundary=b"}
        scope: Scope = {
            "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "query_string": b"",
            "path": "/api/activities/imports/attendance", "raw_path": b"/api/activities/imports/attendance",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "server": ("testserver", 80), "client": ("testclient", 1), "root_path": "",
        }  # fmt: skip
        start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'

        async def receive() -> Message:
            nonlocal taken
            taken += 1
            return {"type": "http.request", "body": start if taken == 1 else CHUNK, "more_body": taken < CHUNKS}

        async def send(message: Message) -> None:
            answers.append(message)

        assert door.client.portal is not None
        door.client.portal.call(door.client.app, scope, receive, send)
        body = b"".join(message.get("body", b"") for message in answers)
        return answers[0]["status"], body.decode(), taken

    def test_of_a_length_that_is_said(self, operator: Door) -> None:
        """Not a byte is taken."""
        status, body, taken = self.receive(operator, {"Content-Length": str(200 * 1024 * 1024)})
        assert (status, taken) == (413, 0)
        assert '"code":"too_large"' in body
        assert f'"most_bytes":{MOST_BODY_BYTES}' in body

    def test_of_a_length_that_is_not_said(self, operator: Door) -> None:
        """No more than the limit is taken, whatever is still to come."""
        status, body, taken = self.receive(operator, {"Transfer-Encoding": "chunked"})
        assert status == 413
        assert '"code":"too_large"' in body
        assert taken * len(CHUNK) <= MOST_BODY_BYTES + 2 * len(CHUNK)


def test_only_operators_import(operator: Door) -> None:
    """A reviewer reads and corrects, but brings nothing in."""
    reviewer = operator.by(Role.REVIEWER)
    assert refusal(send(reviewer, sheet(Kind.ATTENDANCE, GOOD))) == (403, "missing_permission")
