import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from starlette.types import Message, Scope

from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.main import SERVICE
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from shared.bus.tables import TaskRun
from shared.bus.testing.working import Working
from shared.imports.staging import Upload, stage
from shared.imports.tables import Import
from shared.roles import Role
from shared.web.limits import MOST_BODY_BYTES
from tests.activities.door import Door, refusal
from tests.activities.sheets import NOW, mend, sheet
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


def work(door: Door) -> None:
    """Do what the service's workers are asked for."""
    Working(door.database, SERVICE.tasks, (), service="activities").turn()


def commit(door: Door, staged: dict[str, Any], *, skip_rejected: bool = False) -> dict[str, Any]:
    """Order a commit, have it done and return how the import stands."""
    answer = door.post(f"/imports/{staged['id']}/commit", skip_rejected=skip_rejected)
    assert answer.status_code == 202, answer.text
    work(door)
    return dict(door.get(f"/imports/{staged['id']}").json())


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sheet_is_staged_mended_and_committed(operator: Door, ending: str) -> None:
    """What was rejected comes back as a file, is mended and sent again; the rest got in."""
    name = f"名单.{ending}"
    answer = send(operator, sheet(ATTENDANCE, GOOD, BAD, ending=ending), name=name)

    assert answer.status_code == 201
    staged = answer.json()
    assert (staged["kind"], staged["file_name"], staged["state"]) == ("attendance", name, "staged")
    assert staged["preview"] == {"create": 1, "update": 0, "skip": 0, "rejected": 1}
    [sample] = staged["samples"]["create"]
    assert (sample["row"], sample["values"]["employee_number"]) == (2, "E1")
    assert sample["values"]["checked_in_at"] == "2022-06-01T01:00:00+00:00"
    [error] = staged["errors"]
    assert (error["row"], error["cell"], error["column"], error["code"]) == (3, "D3", "签到时间", "outside_shift")
    assert error["found"] == "2022-06-01 07:00"
    path = f"/imports/{staged['id']}"
    assert operator.get(path).json() == staged
    assert refusal(operator.call("POST", f"{path}/commit")) == (422, "invalid_input")
    assert refusal(operator.post(f"{path}/commit")) == (409, "import_has_rejects")

    ordered = operator.post(f"{path}/commit", skip_rejected=True)
    assert (ordered.status_code, ordered.json()["state"]) == (202, "committing")
    assert (ordered.json()["done"], ordered.json()["total"], attendances(operator)) == (0, 1, 0)
    assert operator.post(f"{path}/commit", skip_rejected=False).json() == ordered.json()
    work(operator)

    done = operator.get(path).json()
    assert (done["state"], done["done"], done["total"]) == ("committed", 1, 1)
    assert done["result"] == {"created": 1, "updated": 0, "skipped": 0}
    assert operator.post(f"{path}/commit", skip_rejected=False).json() == done
    assert attendances(operator) == 1

    rejects = operator.get(f"{path}/rejects")
    assert rejects.headers["content-disposition"] == f'attachment; filename="rejected-{staged["id"]}.{ending}"'
    mended = send(operator, mend(rejects.content, "07:00", "09:30"), name=name).json()
    assert mended["preview"] == {"create": 1, "update": 0, "skip": 0, "rejected": 0}
    assert refusal(operator.get(f"/imports/{mended['id']}/rejects")) == (404, "not_found")
    assert commit(operator, mended)["result"] == {"created": 1, "updated": 0, "skipped": 0}
    facts = operator.put_in(lambda tx: emitted(tx, operator.programme_id))
    assert [fact.service_minutes for fact in facts] == [180, 90]


def test_a_long_file_name_does_not_lose_the_reject_file(operator: Door) -> None:
    """Its ending says what it is."""
    staged = send(operator, sheet(ATTENDANCE, BAD), name=f"{'a' * 250}.CSV").json()
    rejects = operator.get(f"/imports/{staged['id']}/rejects")
    assert (rejects.status_code, rejects.headers["content-type"]) == (200, "text/csv; charset=utf-8")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", sheet(VOLUNTEERS, ("E1", "合成甲")), "wrong_headers"),
        ("a.xlsx", b"not a workbook", "not_a_sheet"),
        ("a.xlsx", sheet(ATTENDANCE, GOOD), "not_a_sheet"),
        ("a.csv", sheet(ATTENDANCE, GOOD, ending="xlsx"), "not_a_sheet"),
        ("a.csv", b"", "empty_sheet"),
        ("a.csv", b'"', "broken_quotes"),
        ("a.csv", b"x" * (50 * 1024 * 1024 + 1), "file_too_large"),
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
    [
        ("attendance", {"timezone": "a" * 61}, "invalid_input"),
        ("attendance", {"timezone": "America"}, "unknown_timezone"),
    ],
)
def test_what_cannot_be_read_is_refused(operator: Door, kind: str, fields: dict[str, str], code: str) -> None:
    """A time zone that there is not, a kind that there is not, and a request without a file."""
    assert operator.call("POST", "/imports/donations").status_code == 404
    assert refusal(send(operator, sheet(ATTENDANCE, GOOD), kind=kind, **fields)) == (422, code)
    assert refusal(operator.call("POST", "/imports/attendance")) == (422, "invalid_input")


def test_an_import_is_seen_in_its_programme_only(operator: Door) -> None:
    """Elsewhere it does not exist, and a commit from there does nothing."""
    staged = send(operator, sheet(ATTENDANCE, GOOD, BAD)).json()
    for path in (f"/imports/{staged['id']}", f"/imports/{staged['id']}/rejects", f"/imports/{uuid4()}"):
        assert refusal(operator.elsewhere().get(path)) == (404, "not_found")
    answer = operator.elsewhere().decide(f"/imports/{staged['id']}", "commit", skip_rejected=True)
    assert refusal(answer) == (404, "not_found")
    assert attendances(operator) == 0


def test_what_changed_meanwhile_fails_the_import_in_sight(operator: Door) -> None:
    """With nothing half done, and the reason for whoever looks; ordering it again says so too."""
    staged = send(operator, sheet(ATTENDANCE, GOOD)).json()
    shift_id = operator.get("/listings").json()["items"][0]["shifts"][0]["id"]
    now, operator.watch.now = operator.watch.now, datetime(2022, 5, 1, tzinfo=UTC)  # It is still to be decided.
    assert operator.decide(f"/shifts/{shift_id}", "cancel", reason="台风").status_code == 200
    operator.watch.now = now

    failed = commit(operator, staged)

    assert (failed["state"], failed["committed_at"], failed["result"]) == ("failed", None, None)
    assert failed["failure"]["code"] == "import_outdated"
    assert failed["failure"]["facts"] == {"rows": "1"}
    assert attendances(operator) == 0
    assert refusal(operator.post(f"/imports/{staged['id']}/commit", skip_rejected=False)) == (409, "import_failed")
    with operator.database.transaction() as tx:
        state = select(TaskRun.state).join(Import, Import.run_id == TaskRun.id).where(Import.id == staged["id"])
        assert tx.scalars(state).one() == "done", "a refusal is told to who imports, not to who operates"


def test_imports_are_listed_newest_first(operator: Door) -> None:
    """By pages, of one kind or of all, and without what the sheets hold."""
    sent = [send(operator, sheet(ATTENDANCE, GOOD)).json()["id"] for _ in range(3)]
    people = send(operator, sheet(VOLUNTEERS, ("N1", "合成甲")), kind="volunteers").json()["id"]

    page = operator.get("/imports", limit=2).json()
    rest = operator.get("/imports", limit=2, cursor=page["next"]).json()

    assert [item["id"] for item in page["items"] + rest["items"]] == [people, *reversed(sent)]
    assert "errors" not in page["items"][0]
    assert rest["next"] is None
    assert [item["id"] for item in operator.get("/imports", kind="volunteers").json()["items"]] == [people]
    assert operator.elsewhere().get("/imports").json()["items"] == []


def test_imports_are_listed_by_the_state_that_is_shown(operator: Door) -> None:
    """One whose run has failed for good is shown as failed, and found as that; its state in the row is another."""
    waiting, broken = (send(operator, sheet(ATTENDANCE, GOOD)).json()["id"] for _ in range(2))
    assert operator.post(f"/imports/{broken}/commit", skip_rejected=False).status_code == 202

    def found(state: str) -> list[tuple[str, str]]:
        return [(item["id"], item["state"]) for item in operator.get("/imports", state=state).json()["items"]]

    assert (found("committing"), found("failed")) == ([(broken, "committing")], [])
    failed = update(TaskRun).where(TaskRun.id == select(Import.run_id).where(Import.id == broken).scalar_subquery())
    operator.put_in(lambda tx: tx.execute(failed.values(state="failed", finished_at=NOW)))

    assert (found("committing"), found("failed")) == ([], [(broken, "failed")])
    assert found("staged") == [(waiting, "staged")]


def test_imports_are_listed_by_when_they_were_sent_in(operator: Door) -> None:
    """By the programme's clock; the instant that ends a span is not in it."""
    second = send(operator, sheet(ATTENDANCE, GOOD)).json()["id"]
    operator.watch.now = NOW - timedelta(hours=1)
    first = send(operator, sheet(ATTENDANCE, GOOD)).json()["id"]

    def found(**asked: str) -> list[str]:
        return [item["id"] for item in operator.get("/imports", **asked).json()["items"]]

    assert (found(), found(sort="staged_at"), found(sort="-staged_at")) == (
        [first, second], [first, second], [second, first],
    )  # fmt: skip
    assert (found(staged_from=NOW.isoformat()), found(staged_until=NOW.isoformat())) == ([second], [first])


def test_imports_are_a_file_too(operator: Door) -> None:
    """With what the preview showed and what the commit did, each in a column of its own."""
    committed = commit(operator, send(operator, sheet(ATTENDANCE, GOOD, BAD)).json(), skip_rejected=True)
    send(operator, sheet(VOLUNTEERS, ("N1", "合成甲")), kind="volunteers")

    answer = operator.get("/imports", format="csv", kind="attendance")
    head, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))

    (found,) = (dict(zip(head, line, strict=True)) for line in lines)
    assert (found["Id"], found["State"], found["File name"]) == (committed["id"], "committed", "a.csv")
    assert (found["Preview: create"], found["Preview: rejected"], found["Created"]) == ("1", "1", "1")
    assert (found["Skipped"], found["Failure"]) == ("0", "")


@pytest.mark.parametrize("query", [{"kind": "a\0"}, {"limit": 0}, {"limit": 201}, {"state": "x"}, {"after": "x"}])
def test_a_list_that_is_asked_for_wrongly_is_refused(operator: Door, query: dict[str, object]) -> None:
    """By field; nothing of it reaches the database."""
    assert refusal(operator.get("/imports", **query)) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/名单.csv", "名单.csv"),
        ("C:\\Users\\me\\a.csv", "a.csv"),
        ("a\u202evsc.csv", "avsc.csv"),
        ("\u6d4b\u8bd5😀𠮷.csv", "测试😀𠮷.csv"),
        ("a\tb.csv", "ab.csv"),
    ],
)
def test_a_file_name_is_a_name_and_no_path(operator: Door, name: str, kept: str) -> None:
    """No folders, nothing that turns the text around it; what people write stays."""
    with operator.database.transaction() as tx:
        upload = Upload(
            operator.programme_id, operator.person_id, "UTC", name, io.BytesIO(sheet(VOLUNTEERS, ("N1", "甲")))
        )
        assert stage(tx, VOLUNTEERS, upload, now=NOW).file_name == kept


@pytest.mark.parametrize("name", ["../../../x.csv", "a%00.csv", "😀.csv"])
def test_a_strange_file_name_is_no_trouble_at_the_door(operator: Door, name: str) -> None:
    """Whatever a client writes into its form."""
    answer = send(operator, sheet(ATTENDANCE, GOOD), name=name)
    assert answer.status_code == 201
    assert "/" not in answer.json()["file_name"]


class TestTemplates:
    @pytest.mark.parametrize("kind", ["volunteers", "shifts", "attendance", "proposals"])
    @pytest.mark.parametrize("format_", ["xlsx", "csv"])
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_a_template_can_be_sent_in_and_its_examples_cannot(
        self, operator: Door, kind: str, format_: str, language: str
    ) -> None:
        """An empty workbook holds nothing; of a CSV each row is an example, which nobody imports by accident."""
        answer = operator.get(f"/imports/{kind}/template", format=format_, language=language)
        assert answer.status_code == 200
        disposition = f'attachment; filename="{kind}-{language}.{format_}"'
        assert answer.headers["content-disposition"] == disposition

        sent = send(operator, answer.content, kind=kind, name=f"t.{format_}")

        if format_ == "xlsx":
            assert refusal(sent) == (422, "empty_sheet")
        else:
            assert sent.json()["preview"] == {"create": 0, "update": 0, "skip": 0, "rejected": 2}
            assert {error["code"] for error in sent.json()["errors"]} == {"example_row"}

    def test_its_language_is_the_callers_own(self, operator: Door) -> None:
        """Unless another is asked for."""
        for language, heading in (("en", "employee_number"), ("zh", "员工编号")):
            operator.language = language
            content = operator.get("/imports/volunteers/template", format="csv").content.decode("utf-8-sig")
            assert content.startswith(heading)


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
    assert refusal(send(reviewer, sheet(ATTENDANCE, GOOD))) == (403, "missing_permission")
