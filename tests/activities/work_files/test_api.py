import base64
import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.work_files.rules import MIB, MOST_BYTES
from services.activities.work_files.tables import WorkFile
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import at
from tests.factories.deliverables import PDF, make_deliverable

PNG = b"\x89PNG\r\n\x1a\nsynthetic"
Part = tuple[str, bytes] | tuple[str, bytes, str]


@pytest.fixture
def row(door: Door) -> Deliverable:
    door.watch.now = at(13)
    return door.put_in(lambda tx: make_deliverable(tx, programme_id=door.programme_id))


@pytest.fixture
def own(door: Door, row: Deliverable) -> Door:
    return door.by(Role.VOLUNTEER, person_id=row.volunteer_id)


@pytest.fixture
def host(door: Door, row: Deliverable) -> Door:
    return door.by(Role.PARTNER, partner_id=row.partner_id)


def send(door: Door, row: Deliverable, *files: Part, **form: Any) -> Any:
    parts = [("files", file) for file in files]
    data = {"pieces": "2", "note": "第一版"} | form
    return door.call("POST", f"/deliverables/{row.id}/submissions", files=parts, data=data)


def kept(door: Door, row: Deliverable) -> tuple[int, int]:
    """Count the submissions and files that are kept of a work."""

    def count(tx: Any) -> tuple[int, int]:
        theirs = select(Submission.id).where(Submission.deliverable_id == row.id)
        submissions = tx.scalar(select(func.count()).select_from(theirs.subquery()))
        files = tx.scalar(select(func.count(WorkFile.id)).where(WorkFile.submission_id.in_(theirs)))
        return submissions, files

    return door.put_in(count)


def test_work_is_handed_in_with_its_files(own: Door, host: Door, row: Deliverable) -> None:
    """By what they hold, whatever they are called; the partner reads and downloads them as they were sent."""
    answer = send(own, row, ("稿件.exe", PDF, "text/html"), ("b.pdf", PNG))

    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["number"], shown["pieces"], shown["note"], shown["answer"]) == (1, 2, "第一版", None)
    assert [(each["name"], each["media_type"], each["size"]) for each in shown["files"]] == [
        ("稿件.exe", "application/pdf", len(PDF)), ("b.pdf", "image/png", len(PNG)),
    ]  # fmt: skip
    assert host.get(f"/deliverables/{row.id}/files").json()["items"] == shown["files"]
    [submission] = host.get(f"/deliverables/{row.id}").json()["items"]
    assert submission["id"] == shown["id"]
    first, second = (host.get(f"/deliverables/{row.id}/files/{each['id']}") for each in shown["files"])
    assert (first.content, second.content) == (PDF, PNG)


def test_a_file_is_saved_and_never_shown(own: Door, row: Deliverable) -> None:
    """As an attachment under its name, of the type that it is, which no browser guesses; with its hash."""
    name = 'a"b; filename=x 稿件.pdf'
    [file] = send(own, row, (name, PDF)).json()["files"]

    answer = own.get(f"/deliverables/{row.id}/files/{file['id']}")

    headers = answer.headers
    assert headers["content-type"] == "application/pdf"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    plain, _, encoded = headers["content-disposition"].partition("; filename*=UTF-8''")
    assert plain.startswith('attachment; filename="')
    assert plain.count('"') == 2
    assert plain.count(";") == 1
    assert encoded.endswith("%E7%A8%BF%E4%BB%B6.pdf")
    sha256 = hashlib.sha256(PDF)
    assert file["sha256"] == sha256.hexdigest() == headers["etag"].strip('"')
    assert headers["content-digest"] == f"sha-256=:{base64.b64encode(sha256.digest()).decode()}:"
    known = own.headers() | {"If-None-Match": headers["etag"]}
    again = own.client.get(f"/api/activities/deliverables/{row.id}/files/{file['id']}", headers=known)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("sent", "kept_as"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\autoexec.bat", "autoexec.bat"),
        ("/", "file-1"),
        ("..", "file-1"),
        ("C:\\x\\\u202efdp.pdf", "fdp.pdf"),
        ("n" * 300 + ".pdf", "n" * 196 + ".pdf"),
    ],
)
def test_a_name_leads_nowhere(own: Door, row: Deliverable, sent: str, kept_as: str) -> None:
    """It is text, kept without folders and what nobody sees."""
    [file] = send(own, row, (sent, PDF)).json()["files"]
    assert file["name"] == kept_as
    disposition = own.get(f"/deliverables/{row.id}/files/{file['id']}").headers["content-disposition"]
    assert not {"/", "\\", "\n"} & set(disposition.removeprefix("attachment"))
    assert '"."' not in disposition


def many(count: int) -> list[Part]:
    return [(f"{n}.pdf", PDF + str(n).encode()) for n in range(count)]


@pytest.mark.parametrize(
    ("files", "code", "field"),
    [
        ([("a.pdf", PDF), ("b.pdf", b"")], "empty_file", "files.1"),
        ([("a.pdf", b"MZ\x90\0")], "wrong_file_type", "files.0"),
        ([("a.pdf", PDF), ("b.pdf", PDF + bytes(MOST_BYTES))], "work_file_too_large", "files.1"),
        ([(f"{n}.pdf", PDF + bytes(8 * MIB)) for n in range(4)], "work_files_too_large", "files"),
    ],
)
def test_what_is_no_such_file_is_refused(own: Door, row: Deliverable, files: list[Part], code: str, field: str) -> None:
    """With its code and its place, and nothing of it is kept, nor of the others."""
    answer = send(own, row, *files)
    assert refusal(answer) == (422, code)
    assert answer.json()["facts"]["field"] == field
    assert kept(own, row) == (0, 0)


@pytest.mark.parametrize("count", [0, 11])
def test_one_to_ten_files_are_taken(own: Door, row: Deliverable, count: int) -> None:
    """No fewer and no more."""
    answer = send(own, row, *many(count))
    assert refusal(answer) == (422, "invalid_input")
    assert {error["field"] for error in answer.json()["errors"]} == {"files"}
    assert kept(own, row) == (0, 0)


def test_ten_files_are_taken_in_their_order(own: Door, row: Deliverable) -> None:
    """To be read in it."""
    files = send(own, row, *many(10)).json()["files"]
    assert [each["name"] for each in files] == [f"{n}.pdf" for n in range(10)]
    assert kept(own, row) == (1, 10)


def test_two_hundred_megabytes_are_not_even_received(own: Door, row: Deliverable) -> None:
    """The kit's own limit is told by the length that is said, or as soon as it is exceeded."""
    headers = own.headers() | {"content-type": "multipart/form-data; boundary=b", "content-length": str(200 * MIB)}
    address = f"/api/activities/deliverables/{row.id}/submissions"
    said = own.client.post(address, headers=headers, content=b"--b\r\n")

    def endless() -> Any:
        yield b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n%PDF-'
        for _ in range(200):
            yield bytes(MIB)

    del headers["content-length"]
    went_on = own.client.post(address, headers=headers, content=endless())
    assert [refusal(each) for each in (said, went_on)] == [(413, "too_large")] * 2
    assert kept(own, row) == (0, 0)


@pytest.mark.parametrize("form", [{"pieces": "0"}, {"pieces": "1001"}, {"pieces": "x"}, {"note": "x" * 2_001}])
def test_pieces_and_note_have_limits(own: Door, row: Deliverable, form: dict[str, str]) -> None:
    """As every field has."""
    assert refusal(send(own, row, ("a.pdf", PDF), **form)) == (422, "invalid_input")


def test_the_same_again_is_the_same_submission(own: Door, row: Deliverable) -> None:
    """With or without a key; other files are told that the partner looks at the first."""
    first, again = (send(own, row, ("a.pdf", PDF)).json() for _ in range(2))
    assert first == again
    assert send(own, row, ("other-name.pdf", PDF)).json()["files"] == first["files"]
    assert refusal(send(own, row, ("a.pdf", PNG))) == (409, "deliverable_closed")
    assert kept(own, row) == (1, 1)


def test_a_partner_sends_back_and_accepts(own: Door, host: Door, row: Deliverable) -> None:
    """What was handed in first stays to be read."""
    send(own, row, ("a.pdf", PDF))
    path = f"/deliverables/{row.id}"
    asked = host.decide(path, "request-revision", on=host.get(path).headers["etag"], reason="请改")
    assert (asked.status_code, asked.json()["state"]) == (200, "revision_requested")
    assert refusal(send(own, row, ("a.pdf", PDF))) == (409, "unchanged_submission")
    assert send(own, row, ("b.png", PNG)).status_code == 201
    assert refusal(host.decide(path, "accept", on=asked.headers["etag"])) == (412, "precondition_failed")

    accepted = host.decide(path, "accept", on=host.get(path).headers["etag"], pieces=1, reason="一件")

    assert (accepted.json()["state"], accepted.json()["accepted_pieces"]) == ("partially_accepted", 1)
    answers = [(each["answer"], each["reason"]) for each in own.get(path).json()["items"]]
    assert answers == [("revision_requested", "请改"), ("partially_accepted", "一件")]
    files = own.get(f"{path}/files").json()["items"]
    assert [(each["submission"], each["name"]) for each in files] == [(1, "a.pdf"), (2, "b.png")]
    assert own.get(f"{path}/files/{files[0]['id']}").content == PDF
    mine = own.get(f"/shifts/{row.shift_id}/attendance/mine").json()
    assert (mine["service_minutes"], mine["matchable_minutes"]) == (30, 30)


def test_many_are_accepted_at_once(own: Door, host: Door, row: Deliverable) -> None:
    """Each with its outcome, by the submission that was seen."""
    send(own, row, ("a.pdf", PDF))
    items = [{"deliverable_id": str(row.id), "submission": number} for number in (1, 2)]
    for _ in range(2):
        done, refused = host.post("/deliverable-acceptances", items=items).json()["items"]
        assert (done["deliverable"]["state"], refused["refused"]) == ("accepted", "submission_superseded")
    assert refusal(host.post("/deliverable-acceptances", items=items * 101)) == (422, "invalid_input")
    unknown = {"deliverable_id": str(uuid4()), "submission": 1}
    assert refusal(host.post("/deliverable-acceptances", items=[*items, unknown])) == (404, "not_found")


def test_who_may_see_what(door: Door, own: Door, host: Door, row: Deliverable) -> None:
    """The volunteer, the partner of the shift, and staff; nobody else, not even that there is something."""
    [file] = send(own, row, ("a.pdf", PDF)).json()["files"]
    paths = [f"/deliverables/{row.id}", f"/deliverables/{row.id}/files", f"/deliverables/{row.id}/files/{file['id']}"]
    insiders = [own, host, door.by(Role.OPERATOR), door.by(Role.REVIEWER)]
    strangers = [
        door.by(Role.VOLUNTEER), door.by(Role.PARTNER, partner_id=uuid4()), door.by(Role.OPERATOR).elsewhere(),
    ]  # fmt: skip
    for path in paths:
        assert [each.get(path).status_code for each in insiders] == [200] * 4
        assert [each.get(path).status_code for each in strangers] == [404] * 3
    assert [each.get("/deliverables").json()["items"] == [] for each in (*insiders, *strangers)] == (
        [False] * 4 + [True] * 3
    )
    assert [each["id"] for each in host.get("/deliverables", state="submitted").json()["items"]] == [str(row.id)]
    assert host.get("/deliverables", state="due").json()["items"] == []
    other = door.put_in(lambda tx: make_deliverable(tx, programme_id=door.programme_id))
    for stranger, status in ((own, 404), (host, 403), (door.by(Role.OPERATOR), 403)):
        assert send(stranger, other, ("a.pdf", PDF)).status_code == status
    assert refusal(own.get(f"/deliverables/{row.id}/files/{uuid4()}")) == (404, "not_found")
    assert refusal(own.get(f"/deliverables/{other.id}/files/{file['id']}")) == (404, "not_found")


def test_nothing_of_who_is_erased_is_left(door: Door, own: Door, host: Door, row: Deliverable) -> None:
    """What they took out names their files; then name, content and words are gone, and the decision stays."""
    [file] = send(own, row, ("小跳.pdf", PDF)).json()["files"]
    host.decide(f"/deliverables/{row.id}", "accept")
    taken_out = own.get("/volunteers/me/data").json()
    [work], [submission], [known] = (taken_out[part] for part in ("deliverables", "submissions", "work_files"))
    assert (work["id"], submission["deliverable_id"], submission["note"]) == (str(row.id), str(row.id), "第一版")
    assert (known["id"], known["name"], known["submission_id"]) == (file["id"], "小跳.pdf", submission["id"])

    door.watch.now = at(18)
    assert own.post("/volunteers/me/erasure", confirmed=True).status_code < 300

    assert refusal(host.get(f"/deliverables/{row.id}/files/{file['id']}")) == (404, "not_found")
    [left] = host.get(f"/deliverables/{row.id}/files").json()["items"]
    assert (left["name"], left["sha256"], left["size"]) == ("", None, len(PDF))
    shown = host.get(f"/deliverables/{row.id}").json()
    assert (shown["state"], shown["accepted_pieces"], shown["items"][0]["note"]) == ("accepted", 2, "")

    def content(tx: Any) -> list[Any]:
        return list(tx.scalars(select(WorkFile.content).where(WorkFile.id == UUID(file["id"]))))

    assert door.put_in(content) == [None]
