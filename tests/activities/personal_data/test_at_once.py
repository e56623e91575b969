"""Erasure that meets what else is done with the person: real connections."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.check_ins.actions import Attempt
from services.activities.listings.tables import Shift
from services.activities.main import imports
from services.activities.personal_data import actions
from services.activities.personal_data.actions import Request
from services.activities.personal_data.tables import Access
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers import actions as volunteers
from services.activities.volunteers.queries import lock_for_erasure
from services.activities.volunteers.rules import Registration
from services.activities.volunteers.tables import Volunteer
from shared.database.sessions import Database
from shared.imports import committing
from shared.imports.tables import Import
from tests.activities.asking import sign_up
from tests.activities.racing import at_once, held
from tests.activities.scanning import check_in
from tests.activities.sheets import NOW, order, sheet, stage
from tests.factories.activities import NINE, REVIEWER, code, make_listing, make_shift, make_sign_up, make_volunteer

ROUNDS = 5


class Place:
    """A programme with a person E1 and a shift from nine to noon; it is nine."""

    def __init__(self, database: Database, programme: UUID) -> None:
        self.database, self.programme = database, programme
        with database.transaction() as tx:
            self.person: Volunteer = make_volunteer(tx, programme_id=programme, employee_number="E1")
            self.shift: Shift = make_shift(tx, programme_id=programme)

    def erase(self) -> object:
        request = Request(self.programme, self.person.id, REVIEWER, "asked", NINE)
        with self.database.transaction() as tx:
            return actions.erase(tx, request).id

    def check_in(self) -> object:
        attempt = Attempt(self.programme, self.shift.id, self.person.id, code(NINE), NINE)
        with self.database.transaction() as tx:
            return check_in(tx, attempt).id

    def sign_up(self) -> object:
        with self.database.transaction() as tx:
            return sign_up(
                tx, programme_id=self.programme, shift_id=self.shift.id, volunteer_id=self.person.id, now=NINE
            ).id

    def register(self) -> object:
        with self.database.transaction() as tx:
            registration = Registration("E1", "合成甲")
            return volunteers.register(tx, programme_id=self.programme, registration=registration, now=NINE).id

    def people(self) -> list[Volunteer]:
        with self.database.transaction() as tx:
            return list(tx.scalars(select(Volunteer).where(Volunteer.programme_id == self.programme)))


@pytest.fixture
def place(database: Database, programme: UUID) -> Place:
    return Place(database, programme)


def test_two_erasures_are_one(place: Place) -> None:
    """Whoever comes second returns what the first recorded."""
    outcomes = at_once(place.erase, place.erase, place.erase)
    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], UUID)


def test_a_check_in_that_was_first_is_settled_first(place: Place) -> None:
    """The erasure waits for it, and is then refused: they check out before."""
    with place.database.transaction() as tx:
        make_sign_up(tx, tx.merge(place.shift), volunteer=tx.merge(place.person))
    attempt = Attempt(place.programme, place.shift.id, place.person.id, code(NINE), NINE)

    with held(place.database, lambda tx: check_in(tx, attempt)) as start:
        erasure = start(place.erase)

    assert erasure.result() == "service_under_way"
    assert place.people()[0].erased_at is None


def test_a_check_in_that_comes_too_late_finds_no_place(place: Place) -> None:
    """It was given back by the erasure that it waited for; nobody is there without a name."""
    with place.database.transaction() as tx:
        make_sign_up(tx, tx.merge(place.shift), volunteer=tx.merge(place.person))
    request = Request(place.programme, place.person.id, REVIEWER, "asked", NINE)

    with held(place.database, lambda tx: actions.erase(tx, request)) as start:
        check_in = start(place.check_in)

    assert check_in.result() == "not_signed_up"
    with place.database.transaction() as tx:
        assert tx.scalars(select(Attendance).where(Attendance.volunteer_id == place.person.id)).all() == []


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_sign_up_at_the_same_time_leaves_no_place(place: Place, round_: int) -> None:
    """Either it was first, and is given back, or it finds nobody; neither waits for the other in a circle."""
    outcomes = at_once(place.erase, place.sign_up)

    assert isinstance(outcomes[0], UUID), (outcomes, round_)
    assert isinstance(outcomes[1], UUID) or outcomes[1] == "not_found"
    with place.database.transaction() as tx:
        places = tx.scalars(select(SignUp).where(SignUp.volunteer_id == place.person.id)).all()
        assert all(each.state == "withdrawn" for each in places)
        assert tx.scalars(select(Shift.taken).where(Shift.id == place.shift.id)).one() == 0


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_registration_at_the_same_time_brings_nobody_back(place: Place, round_: int) -> None:
    """It finds the person who is about to go, or is told that they are gone."""
    outcomes = at_once(place.erase, place.register)

    assert isinstance(outcomes[0], UUID), (outcomes, round_)
    assert outcomes[1] in {place.person.id, "erased_earlier"}
    [left] = place.people()
    assert left.erased_at is not None


def test_a_registration_that_was_first_is_waited_for(place: Place) -> None:
    """Else it would find, and return, a person who is no more."""
    registration = Registration("E1", place.person.display_name)
    registering = partial(volunteers.register, programme_id=place.programme, registration=registration, now=NINE)

    with held(place.database, registering) as start:
        erasure = start(place.erase)

    assert isinstance(erasure.result(), UUID)


def test_an_export_waits_for_an_erasure_and_finds_nobody(place: Place) -> None:
    """Else it would give out the name that is about to be gone, and be recorded after the erasure."""
    request = Request(place.programme, place.person.id, REVIEWER, "asked", NINE)

    def export() -> object:
        with place.database.transaction() as tx:
            return actions.export(tx, request).person.display_name

    with held(place.database, lambda tx: actions.erase(tx, request)) as start:
        exported = start(export)

    assert exported.result() == "not_found"
    with place.database.transaction() as tx:
        kinds = tx.scalars(select(Access.kind).where(Access.volunteer_id == place.person.id)).all()
    assert kinds == ["erasure"]


class TestLists:
    """A list that was read before an erasure and takes effect after it."""

    def _stage(self, place: Place) -> UUID:
        with place.database.transaction() as tx:
            rows = ("E1", place.person.display_name), ("E2", "合成乙")
            return stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *rows), programme_id=place.programme).id

    def _commit(self, place: Place, import_id: UUID) -> Callable[[], object]:
        def run() -> object:
            with place.database.transaction() as tx:
                order(tx, import_id, programme_id=place.programme)
            with place.database.transaction() as tx:
                committing.bring_in(tx, imports().kinds, import_id, now=NOW, tell=lambda _done, _total: None)
            with place.database.transaction() as tx:
                return tx.scalars(select(Import.created).where(Import.id == import_id)).one()

        return run

    @pytest.mark.parametrize("round_", range(ROUNDS))
    def test_a_commit_at_the_same_time_brings_nobody_back(self, place: Place, round_: int) -> None:
        """Neither waits for the other in a circle: a list that was too late is gone, with all that it held."""
        import_id = self._stage(place)

        erased, added = at_once(place.erase, self._commit(place, import_id))

        assert isinstance(erased, UUID), (erased, round_)
        assert added in {1, None, "import_expired"}
        assert sorted(each.erased_at is None for each in place.people()) == [False, True][: 2 if added == 1 else 1]

    def test_a_commit_that_comes_in_between_waits_and_goes_on(self, place: Place) -> None:
        """An erasure takes the person, then the sheets; a commit takes its sheet, then the people."""
        reference = "L1"
        with place.database.transaction() as tx:
            listing = make_listing(tx, programme_id=place.programme, reference=reference)
            make_shift(tx, listing=listing)
            rows = [(reference, 1, "E1", "2022-06-01 09:00", "2022-06-01 12:00", "扫码")]
            content = sheet(ATTENDANCE, *rows)
            import_id = stage(tx, ATTENDANCE, content, programme_id=place.programme).id
        request = Request(place.programme, place.person.id, REVIEWER, "asked", NINE)
        begun: list[Session] = []

        def begin(tx: Session) -> None:
            lock_for_erasure(tx, programme_id=place.programme, volunteer_id=place.person.id)
            begun.append(tx)

        with held(place.database, begin) as start:
            commit = start(self._commit(place, import_id))
            actions.erase(begun[0], request)

        assert commit.result() in {None, "import_expired"}  # The sheet named the person, so it is gone.
        assert place.people()[0].erased_at is not None

    def test_a_list_that_is_being_read_is_waited_for(self, place: Place) -> None:
        """Else its rows would be kept with the name after the erasure."""
        content = sheet(VOLUNTEERS, ("E1", place.person.display_name))
        staging = lambda tx: stage(tx, VOLUNTEERS, content, programme_id=place.programme)  # noqa: E731  As `held` wants it.

        with held(place.database, staging) as start:
            erasure = start(place.erase)

        assert isinstance(erasure.result(), UUID)
        with place.database.transaction() as tx:
            [staged] = tx.scalars(select(Import).where(Import.programme_id == place.programme))
            assert (staged.state, staged.samples) == ("expired", {})


def test_an_hour_later_nothing_can_be_done_as_the_person(place: Place) -> None:
    """Whatever was possible before."""
    place.erase()
    later = Attempt(
        place.programme, place.shift.id, place.person.id, code(NINE + timedelta(hours=1)), NINE + timedelta(hours=1)
    )
    with place.database.transaction() as tx, pytest.raises(Exception, match="not_signed_up"):
        check_in(tx, later)
