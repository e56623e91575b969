"""A donation's explanation as a PDF, for a partner and for finance."""

import io
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID, uuid4

import pytest
from pypdf import PdfReader
from sqlalchemy.pool import QueuePool

from services.ledger.donations import actions
from shared.database.sessions import Database
from shared.documents import typesetting
from shared.roles import Role
from tests.factories.ledger import NOW, OTHER_PARTNER, PARTNER, make_policy_version, make_revised, make_settled
from tests.ledger.door import Door

PDF = {"accept": "application/pdf"}


@pytest.fixture
def donation_id(database: Database, programme: UUID, door: Door) -> str:
    """Return a donation that was settled at 125 minutes and revised to 180."""
    settled = make_settled(programme_id=programme, minutes=125)
    with database.transaction() as tx:
        make_policy_version(tx, programme_id=programme)
    for fact in (settled, make_revised(settled, minutes=185)):
        with database.transaction() as tx:
            actions.accrue(tx, [fact], now=NOW)
    [item] = door.get("/donations").json()["items"]
    return str(item["id"])


def pages(answer: Any) -> PdfReader:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(answer.content))


def text_of(answer: Any) -> str:
    return "".join(page.extract_text() for page in pages(answer).pages).replace("\n", " ")


def test_the_pdf_says_what_the_answer_says(door: Door, donation_id: str) -> None:
    """Amount, each line of the explanation, each version, each leg with its entry, and the trace of the request."""
    story = door.get(f"/donations/{donation_id}").json()
    answer = door.get(f"/donations/{donation_id}", headers=PDF)
    text = text_of(answer)

    assert donation_id in text
    assert str(door.programme_id) in text
    assert answer.headers["traceparent"].split("-")[1] in text
    assert "¥300.00" in text
    squeezed = text.replace(" ", "")
    for line in story["explanation"]:
        assert line["en"].replace(" ", "") in squeezed
    assert "-5min" in squeezed
    for version in story["versions"]:
        assert f"{version['state']}" in text
    for entry in story["entries"]:
        assert entry["id"] in text
        assert entry["kind"] in text
        for leg in entry["legs"]:
            assert leg["account"] in text
    assert "-¥300.00" in text
    assert "-¥200.00" in text
    assert answer.headers["content-disposition"] == f'inline; filename="donation-{donation_id}.pdf"'
    assert answer.headers["vary"] == "Accept, Accept-Language"


@pytest.mark.parametrize(
    ("language", "lang", "words"),
    [("en", "en-GB", "Donation explained"), ("zh-CN", "zh-CN", "配捐说明"), ("fr", "zh-CN", "配捐说明")],
)
def test_it_speaks_the_callers_language(door: Door, donation_id: str, language: str, lang: str, words: str) -> None:
    """Chinese where it is neither."""
    reader = pages(door.get(f"/donations/{donation_id}", headers={"Accept-Language": language}, format="pdf"))

    assert reader.trailer["/Root"]["/Lang"] == lang  # type: ignore[index]  # A dictionary.
    assert reader.metadata is not None
    assert reader.metadata.title == words
    assert words in reader.pages[0].extract_text()


def test_a_partner_gets_its_own_and_no_other(door: Door, donation_id: str) -> None:
    """The form of an answer opens nothing: the same permission and the same rows."""
    path = f"/donations/{donation_id}"

    assert "¥300.00" in text_of(door.get(path, Role.PARTNER, acting_for=PARTNER, headers=PDF))
    for answer, status in (
        (door.get(path, Role.PARTNER, acting_for=OTHER_PARTNER, headers=PDF), 404),
        (door.get(f"/donations/{uuid4()}", headers=PDF), 404),
        (door.get(path, Role.VOLUNTEER, headers=PDF), 403),
        (door.client.get(f"/api/ledger{path}", headers=PDF), 401),
        (door.get(path, headers={"accept": "text/html"}), 406),
        (door.get(path, format="docx"), 406),
    ):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


def test_no_connection_is_held_while_pages_are_made(
    door: Door, donation_id: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten slow documents would otherwise leave none for anybody else."""
    held: list[int] = []

    class Watched(BoundedSemaphore):
        """The room for documents, which looks at the connections when somebody asks for a place."""

        def acquire(self, *arguments: Any, **named: Any) -> bool:
            assert isinstance(database.engine.pool, QueuePool)
            held.append(database.engine.pool.checkedout())
            return super().acquire(*arguments, **named)

    monkeypatch.setattr(typesetting, "AT_ONCE", Watched(1))
    assert door.get(f"/donations/{donation_id}", headers=PDF).status_code == 200

    assert held == [0]


def test_who_finds_no_place_is_told_when_to_come_back(
    door: Door, donation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """429 with Retry-After, and no request waits for ever."""
    room = BoundedSemaphore(1)
    monkeypatch.setattr(typesetting, "AT_ONCE", room)
    monkeypatch.setattr(typesetting, "WAIT_SECONDS", 1)
    with room:
        answer = door.get(f"/donations/{donation_id}", headers=PDF)

    assert (answer.status_code, answer.json()["code"]) == (429, "still_setting")
    assert answer.headers["retry-after"] == "1"


def test_the_document_of_the_api_knows_both_forms(door: Door) -> None:
    """With what is answered when neither is wanted."""
    answers = door.client.get("/api/ledger/openapi.json").json()["paths"]["/api/ledger/donations/{donation_id}"]["get"]

    assert set(answers["responses"]["200"]["content"]) == {"application/json", "application/pdf"}
    assert "application/problem+json" in answers["responses"]["406"]["content"]
