"""Personal data stays where it belongs: every route is driven with data that would be noticed elsewhere."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from services.activities.main import SERVICE
from services.activities.proposals.rules import State
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.tables import Volunteer
from services.activities.work_files.queries import list_files
from shared.bus.burial import Cause, Reason
from shared.database.sessions import Database
from shared.ids import new_id
from shared.roles import Role
from shared.telemetry import PERSONAL_FIELDS
from tests.activities.door import Door
from tests.activities.sheets import sheet
from tests.factories.activities import (
    NINE,
    make_claim,
    make_incident,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)
from tests.factories.calendar_feeds import make_feed
from tests.factories.certificates import make_certificate
from tests.factories.deliverables import PDF, make_submitted, make_work_shift
from tests.factories.kits import make_address, make_craft_shift, make_kit, make_kit_cost
from tests.factories.proposals import make_proposal
from tests.marking import MARK, MARKS, NAME, NUMBER, Operation, filled, kept_aside, marked, operations, written


class Marked:
    """A programme in which somebody has a marked name and number, a place, consent and a settled service."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.ids = door.put_in(self._fill)

    def _fill(self, tx: Session) -> dict[str, UUID]:
        programme_id = self.door.programme_id
        person = make_volunteer(tx, employee_number=NUMBER, display_name=NAME, programme_id=programme_id)
        shift = make_shift(tx, programme_id=programme_id)
        make_sign_up(tx, shift, volunteer=person)
        settled = make_settled(tx, shift, volunteer_id=person.id)
        self.partner_id = shift.partner_id
        certificate = make_certificate(tx, settled)
        incident = make_incident(tx, shift=shift)
        proposal = make_proposal(tx, state=State.SUBMITTED, partner_id=shift.partner_id, programme_id=programme_id)
        known = {"volunteer_id": person.id, "shift_id": shift.id, "attendance_id": settled.id}
        known["listing_id"] = shift.listing_id
        return known | {
            "import_id": uuid4(),
            "proposal_id": proposal.id,
            "incident_id": incident.id,
            "claim_id": self._claim(tx, person),
            "kit_id": self._kit(tx, person),
            "kit_cost_id": make_kit_cost(tx, programme_id=programme_id).id,
            "walk_in_id": uuid4(),
            **self._work(tx, person),
            "feedback_id": uuid4(),
            "certificate_id": certificate.id,
            "calendar_feed_id": make_feed(tx, secret=str(shift.id), partner_id=shift.partner_id).id,
            "address": shift.id,
        }

    def _claim(self, tx: Session, person: Volunteer) -> UUID:
        shift = make_shift(tx, programme_id=self.door.programme_id)
        return make_claim(tx, make_sign_up(tx, shift, volunteer=person), shift=shift).id

    def _work(self, tx: Session, person: Volunteer) -> dict[str, UUID]:
        shift = make_work_shift(tx, programme_id=self.door.programme_id, partner_id=self.partner_id)
        row = make_submitted(tx, shift=shift, place=make_sign_up(tx, shift, volunteer=person))
        [(file, _)] = list_files(tx, row.id)
        return {"deliverable_id": row.id, "file_id": file.id}

    def _kit(self, tx: Session, person: Volunteer) -> UUID:
        """Have an address kept whose use the person does not consent to."""
        shift = make_craft_shift(tx, programme_id=self.door.programme_id)
        kit = make_kit(tx, place=make_sign_up(tx, shift, volunteer=person))
        make_address(tx, kit, consents_to_it=False, recipient=NAME, postal_address=MARK)
        return kit.id

    def call(self, operation: Operation, *, wrong: bool) -> Any:
        """Call a route as somebody who may, with the mark in every text that it takes, or in everything."""
        caller = self.door.by(operation.role, person_id=self.ids["volunteer_id"], partner_id=self.partner_id)
        places = {each["name"]: self._place(each, operation, wrong=wrong) for each in operation.parameters}
        path = operation.path.format(
            **{name: value for name, value in places.items() if f"{{{name}}}" in operation.path}
        )
        query = {each["name"]: places[each["name"]] for each in operation.parameters if each["in"] == "query"}
        body = filled(operation.body, operation.root, wrong=wrong) if operation.body else None
        more = {"json": body} if operation.body else self._form(operation)
        path = path.removeprefix("/api/activities")
        return caller.call(operation.method, path, params=query, **more)

    def _place(self, parameter: Any, operation: Operation, *, wrong: bool) -> Any:
        known = self.ids.get(parameter["name"])
        return str(known) if known and not wrong else filled(parameter["schema"], operation.root, wrong=wrong)

    def _form(self, operation: Operation) -> dict[str, Any]:
        if operation.path.endswith("/submissions") and "deliverables" in operation.path:
            return {"files": {"files": (f"{NAME}.pdf", PDF)}, "data": {"pieces": "2", "note": NAME}}
        if "imports" not in operation.path or operation.method == "GET" or operation.path.endswith("commit"):
            return {}
        content = sheet(VOLUNTEERS, (NUMBER, NAME), (f"{NUMBER}-1", NAME), (f"{NUMBER}-1", NAME))
        return {"files": {"file": (f"{NAME}.csv", content)}, "data": {"timezone": MARK[:60]}}


@pytest.fixture
def place(door: Door) -> Marked:
    return Marked(door)


def aside(database: Database) -> str:
    with database.transaction() as tx:
        return kept_aside(tx)


@pytest.mark.parametrize("wrong", [False, True], ids=["well-formed", "ill-formed"])
def test_no_route_lets_a_name_out_by_the_side(
    place: Marked, database: Database, monkeypatch: pytest.MonkeyPatch, *, wrong: bool
) -> None:
    """Not into logs, problems, events, dead letters or arguments of tasks, whatever becomes of the request."""
    statuses = set()
    with written(monkeypatch) as lines:
        for operation in operations(place.door.client.app, SERVICE):  # type: ignore[arg-type]  # It is our FastAPI.
            answer = place.call(operation, wrong=wrong)
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (operation.path, answer.text)
            if answer.status_code >= 400:
                assert marked(answer.text) == [], (operation.method, operation.path, answer.text)
            assert marked(str(answer.headers)) == [], operation.path
        logged = lines()

    assert marked(logged) == [], [line for line in logged.splitlines() if marked(line)]
    assert marked(aside(database)) == []
    assert ({200, 201, 404} if not wrong else {422}) <= statuses


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sheet_of_people_leaves_no_trace_beside_itself(
    place: Marked, database: Database, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Staged, rejected, committed; also one without its headings, whose first row is a person."""
    door = place.door
    rows = ((f"{NUMBER}-2", NAME), (f"{NUMBER}-3", NAME), (f"{NUMBER}-3", MARK))
    headless = sheet(VOLUNTEERS, *rows, ending=ending)
    with written(monkeypatch) as lines:
        for kind, content in (
            ("volunteers", headless),
            ("attendance", headless),
            ("volunteers", b"\x00" + MARK.encode()),
        ):
            answer = door.call("POST", f"/imports/{kind}", files={"file": (f"{NAME}.{ending}", content)})
            if answer.status_code == 201:
                path = f"/imports/{answer.json()['id']}"
                assert door.call("GET", f"{path}/rejects").status_code == 200
                assert door.post(f"{path}/commit", skip_rejected=True).status_code == 202
        logged = lines()

    assert "refused" in logged
    assert marked(logged) == [], [line for line in logged.splitlines() if marked(line)]
    assert marked(aside(database)) == []


def test_a_row_that_the_database_refuses_is_not_quoted(tx: Session) -> None:
    """Neither in a dead letter nor in a failed run: PostgreSQL tells the values of the row."""
    person = make_volunteer(tx, employee_number=NUMBER, display_name=NAME)
    values = {"programme_id": person.programme_id, "employee_number": NUMBER, "display_name": NAME}
    with pytest.raises(IntegrityError) as taken, tx.begin_nested():
        tx.execute(insert(Volunteer).values(id=new_id(), registered_at=NINE, **values))
    with pytest.raises(IntegrityError) as unfit, tx.begin_nested():
        tx.execute(insert(Volunteer).values(id=new_id(), registered_at=None, **values))
    for refused in (taken.value, unfit.value):
        assert marked(str(refused)) != []

        cause = Cause.of(Reason.FAILED, refused)

        assert marked(cause.error) == []
        assert marked(cause.stack or "") == []
        assert "volunteer" in cause.error


def test_no_address_holds_what_is_somebodys(door: Door) -> None:
    """Addresses end in the logs of every proxy on the way; people are looked up by a body."""
    for operation in operations(door.client.app, SERVICE):  # type: ignore[arg-type]  # It is our FastAPI.
        assert not {parameter["name"] for parameter in operation.parameters} & PERSONAL_FIELDS, operation.path


def test_a_refusal_is_logged_without_what_it_quotes(place: Marked) -> None:
    """The caller sees which heading is unknown, to mend it; the log says that one was."""
    content = f"{NAME},显示名\n1,2\n".encode()
    with capture_logs() as logs:
        answer = place.door.call("POST", "/imports/volunteers", files={"file": ("a.csv", content)})

    assert answer.json()["facts"]["unknown"] == [NAME]
    [line] = [line for line in logs if line["event"] == "refused"]
    assert line["code"] == answer.json()["code"]
    assert not any(mark in str(line) for mark in MARKS)


def test_roles_that_see_no_people_get_no_name_in_any_answer(place: Marked) -> None:
    """Partners without consent, auditors, finance, funders, ops: whatever they may call."""
    seen = 0
    for operation in operations(place.door.client.app, SERVICE):  # type: ignore[arg-type]  # It is our FastAPI.
        if operation.method != "GET":
            continue
        for role in (Role.PARTNER, Role.AUDITOR, Role.FINANCE, Role.FUNDER, Role.OPS):
            path = operation.path.format(**{name: str(value) for name, value in place.ids.items()}, **UNKNOWN)
            answer = place.door.by(role, partner_id=place.partner_id).call(
                "GET", path.removeprefix("/api/activities"), params=DATES if path.endswith("summary") else {}
            )
            seen += answer.status_code == 200
            assert not any(mark in answer.text for mark in MARKS), (role, path)
    assert seen > 5


DATES = {"from": "2022-01-01", "to": "2023-01-01"}
UNKNOWN = {
    "sign_up_id": str(uuid4()),
    "service_on": "2022-06-01",
    "reference": "P1",
    "kind": "volunteers",
    "side": "host",
    "number": "X-1",
    "prefix": "XX",
    "year": 2022,
    "skill_code": "reading",
    "merge_id": str(uuid4()),
    "appeal_id": str(uuid4()),
    "run_id": str(uuid4()),
    "letter_id": str(uuid4()),
    "replay_id": str(uuid4()),
    "round_id": str(uuid4()),
}
