"""Imports that meet each other, or the doors, in the same rows: real connections."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.check_ins.actions import Attempt
from services.activities.listings import actions as listings
from services.activities.listings.rules import Times
from services.activities.listings.tables import Listing, Shift
from services.activities.partners.tables import Partner
from services.activities.shift_imports.jobs import SHIFTS
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.tables import Volunteer
from shared.database.sessions import Database
from tests.activities.calling_off import call_off
from tests.activities.racing import at_once, held
from tests.activities.scanning import check_in
from tests.activities.sheets import AnyKind, commit_by_id, sheet, stage
from tests.activities.told import emitted
from tests.factories.activities import (
    NINE,
    NOON,
    at,
    code,
    make_listing,
    make_partner,
    make_shift,
    make_sign_up,
    make_volunteer,
)

MORNING = ("2022-06-01 09:00", "2022-06-01 12:00", "扫码")
PEOPLE = 30


class Place:
    """A programme with a shift L1/1 and thirty people, E0 to E29."""

    def __init__(self, database: Database, programme: UUID) -> None:
        self.database, self.programme = database, programme
        with database.transaction() as tx:
            self.listing: Listing = make_listing(tx, programme_id=programme, reference="L1")
            self.shift: Shift = make_shift(tx, listing=self.listing)
            self.people: list[Volunteer] = [
                make_volunteer(tx, programme_id=programme, employee_number=f"E{number}") for number in range(PEOPLE)
            ]

    def stage(self, kind: AnyKind, *rows: tuple[object, ...]) -> UUID:
        with self.database.transaction() as tx:
            staged = stage(tx, kind, sheet(kind, *rows), programme_id=self.programme)
            assert staged.errors == []
            return staged.id

    def commit(self, import_id: UUID) -> Callable[[], int | None]:
        def run() -> int | None:
            with self.database.transaction() as tx:
                return commit_by_id(tx, import_id, programme_id=self.programme).created

        return run

    def settled(self) -> list[tuple[int, int]]:
        with self.database.transaction() as tx:
            return sorted((fact.version, fact.service_minutes) for fact in emitted(tx, self.programme))


@pytest.fixture
def place(database: Database, programme: UUID) -> Place:
    return Place(database, programme)


def test_one_import_committed_twice_at_once_is_brought_in_once(place: Place) -> None:
    """Both answers say the same."""
    staged = place.stage(ATTENDANCE, *(("L1", 1, f"E{number}", *MORNING) for number in range(PEOPLE)))

    assert at_once(*[place.commit(staged)] * 3) == [PEOPLE] * 3

    assert place.settled() == [(1, 180)] * PEOPLE


def test_one_sheet_sent_twice_and_committed_at_once_is_brought_in_once(place: Place) -> None:
    """Whoever is second finds everything recorded, in whatever order the rows stand."""
    rows = [("L1", 1, f"E{number}", *MORNING) for number in range(PEOPLE)]
    staged = [place.stage(ATTENDANCE, *rows), place.stage(ATTENDANCE, *rows[::-1])]

    assert sorted(map(str, at_once(*map(place.commit, staged)))) == ["0", str(PEOPLE)]

    assert place.settled() == [(1, 180)] * PEOPLE


def test_different_people_on_the_same_shifts_do_not_wait_in_a_circle(place: Place) -> None:
    """Two sheets with many shifts in opposite order."""
    with place.database.transaction() as tx:
        for number in range(2, 40):
            make_shift(tx, listing=place.listing, number=number)
    rows = [[("L1", number, f"E{person}", *MORNING) for number in range(1, 40)] for person in range(2)]
    staged = [place.stage(ATTENDANCE, *rows[0]), place.stage(ATTENDANCE, *rows[1][::-1])]

    assert at_once(*map(place.commit, staged)) == [39, 39]


def test_people_registered_by_two_sheets_at_once_are_registered_once(place: Place) -> None:
    """The second adds nobody."""
    rows = [(f"N{number}", "合成甲") for number in range(500)]
    staged = [place.stage(VOLUNTEERS, *rows), place.stage(VOLUNTEERS, *rows[::-1])]

    assert sorted(map(str, at_once(*map(place.commit, staged)))) == ["0", "500"]


def test_activities_published_by_two_sheets_at_once_appear_once(place: Place) -> None:
    """The second finds them published."""
    with place.database.transaction() as tx:
        make_partner(tx, programme_id=place.programme, reference="P1")
    rows = [("P1", f"N{number}", "种树", 1, "2022-06-01 09:00", "2022-06-01 12:00", 5) for number in range(50)]
    staged = [place.stage(SHIFTS, *rows), place.stage(SHIFTS, *rows)]

    assert sorted(map(str, at_once(*map(place.commit, staged)))) == ["0", "50"]


def test_an_activity_published_at_the_door_meanwhile_makes_the_sheet_outdated(place: Place) -> None:
    """It waits, sees the listing, and says so: no half of the sheet."""
    with place.database.transaction() as tx:
        partner: Partner = make_partner(tx, programme_id=place.programme, reference="P1")
    rows = [("P1", f"N{number}", "种树", 1, "2022-06-01 09:00", "2022-06-01 12:00", 5) for number in range(3)]
    staged = place.stage(SHIFTS, *rows)
    shift = listings.NewShift(1, Times(NINE, NOON), 9)
    door = listings.NewListing(partner.id, "N1", "种花", "Asia/Shanghai", (shift,))

    with held(
        place.database, lambda tx: listings.publish(tx, programme_id=place.programme, listing=door, now=NINE)
    ) as start:
        waiting = start(place.commit(staged))

    assert waiting.result() == "import_outdated"
    with place.database.transaction() as tx:
        assert tx.scalars(select(Listing.reference).where(Listing.partner_id == partner.id)).all() == ["N1"]


def test_a_cancellation_meanwhile_makes_the_sheet_outdated(place: Place) -> None:
    """Nobody attends a shift that was called off."""
    staged = place.stage(ATTENDANCE, ("L1", 1, "E1", *MORNING))

    def cancel(tx: Session) -> None:
        call_off(tx, place.shift.id, programme_id=place.programme)

    with held(place.database, cancel) as start:
        waiting = start(place.commit(staged))

    assert waiting.result() == "import_outdated"
    assert place.settled() == []


def test_a_check_in_meanwhile_makes_the_sheet_outdated(place: Place) -> None:
    """The scan stands; the sheet says another time."""
    staged = place.stage(ATTENDANCE, ("L1", 1, "E1", *MORNING))
    person = place.people[1]
    with place.database.transaction() as tx:
        make_sign_up(tx, tx.merge(place.shift), volunteer=person)
    attempt = Attempt(place.programme, place.shift.id, person.id, code(at(9, 5)), at(9, 5))

    with held(place.database, lambda tx: check_in(tx, attempt)) as start:
        waiting = start(place.commit(staged))

    assert waiting.result() == "import_outdated"
    with place.database.transaction() as tx:
        rows = select(Attendance.state, Attendance.checked_in_at).where(Attendance.shift_id == place.shift.id)
        assert [tuple(row) for row in tx.execute(rows)] == [("checked_in", at(9, 5))]


def test_one_person_on_two_overlapping_shifts_at_once_serves_each_minute_once(place: Place) -> None:
    """The shifts have nothing in common but the person: the second sheet waits for the first."""
    with place.database.transaction() as tx:
        make_shift(tx, listing=make_listing(tx, programme_id=place.programme, reference="L2"))
    first, second = (place.stage(ATTENDANCE, (reference, 1, "E1", *MORNING)) for reference in ("L1", "L2"))

    with held(place.database, lambda tx: commit_by_id(tx, first, programme_id=place.programme)) as start:
        waiting = start(place.commit(second))

    assert waiting.result() == 1
    assert place.settled() == [(1, 0), (1, 180)]
