from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.queries import list_versions
from services.activities.attendance.tables import Attendance
from services.activities.check_ins import rules
from services.activities.check_ins.actions import BY_CODE, Attempt
from services.activities.corrections import actions as corrections
from services.activities.listings.rules import ShiftCancelled
from services.activities.listings.tables import Shift
from services.activities.scans.tables import Scan
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.events.activities import AttendanceCheckedIn, AttendanceSettled, EvidenceClass
from shared.seen import Seen
from tests.activities.calling_off import call_off
from tests.activities.racing import at_once, held
from tests.activities.scanning import check_in, check_out
from tests.activities.told import emitted, told
from tests.factories.activities import NINE, NOON, PROGRAMME, at, code, make_shift, make_sign_up, make_volunteer

SECOND = timedelta(seconds=1)


@pytest.fixture
def shift(tx: Session) -> Shift:
    return make_shift(tx)


@pytest.fixture
def guest(tx: Session, shift: Shift) -> SignUp:
    return make_sign_up(tx, shift)


def attempt(place: SignUp, now: datetime, **overrides: Any) -> Attempt:
    """Give the code that is shown at `now`."""
    return replace(Attempt(place.programme_id, place.shift_id, place.volunteer_id, code(now), now), **overrides)


def attended(tx: Session, shift: Shift) -> list[tuple[Any, ...]]:
    rows = tx.execute(
        select(Attendance.state, Attendance.checked_in_at, Attendance.checked_out_at, Attendance.service_minutes).where(
            Attendance.shift_id == shift.id
        )
    )
    return [tuple(row) for row in rows]


class TestCheckIn:
    def test_records_the_arrival_and_the_scan(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """The shift runs; that somebody came is told, and nothing is settled yet."""
        record = check_in(tx, attempt(guest, NINE))

        tx.refresh(shift)
        assert (record.state, record.version, record.checked_in_at) == ("checked_in", 0, NINE)
        assert (record.volunteer_id, record.service_minutes, shift.state) == (guest.volunteer_id, 0, "running")
        scan = tx.scalars(select(Scan).where(Scan.shift_id == shift.id)).one()
        assert (scan.way, scan.step, scan.scanned_at) == ("in", rules.code_step(NINE), NINE)
        assert emitted(tx) == []
        assert told(tx) == [
            AttendanceCheckedIn(
                programme_id=PROGRAMME, attendance_id=record.id, partner_id=shift.partner_id,
                listing_id=shift.listing_id, shift_id=shift.id, volunteer_id=guest.volunteer_id, checked_in_at=NINE,
            )
        ]  # fmt: skip

    def test_the_same_code_twice_is_one_arrival(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """A second tap on a slow phone is neither a second fact nor an error."""
        first = check_in(tx, attempt(guest, NINE))

        again = check_in(tx, attempt(guest, NINE + timedelta(minutes=2), code=code(NINE)))

        assert again is first
        assert attended(tx, shift) == [("checked_in", NINE, None, 0)]
        assert len(told(tx)) == 1

    def test_another_code_is_a_second_arrival(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """It is refused, valid or not, and the first stays."""
        check_in(tx, attempt(guest, NINE))
        later = NINE + timedelta(minutes=2)

        for given in (code(later), "000000"):
            with pytest.raises(rules.AlreadyCheckedIn):
                check_in(tx, attempt(guest, later, code=given))

        assert attended(tx, shift) == [("checked_in", NINE, None, 0)]

    @pytest.mark.parametrize("steps", [1, -1])
    def test_a_neighbouring_code_is_taken(self, tx: Session, shift: Shift, guest: SignUp, steps: int) -> None:
        """A person needs a moment; two clocks differ a little."""
        check_in(tx, attempt(guest, NINE, code=code(NINE, steps=steps)))
        assert attended(tx, shift) == [("checked_in", NINE, None, 0)]

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            (code(NINE, steps=-2), rules.CodeExpired),
            (code(NINE, steps=-20), rules.CodeExpired),
            (code(NINE, steps=-21), rules.WrongCode),
            (code(NINE, steps=2), rules.WrongCode),
        ],
    )
    def test_any_other_code_is_refused(
        self, tx: Session, shift: Shift, guest: SignUp, given: str, refusal: type[Exception]
    ) -> None:
        """Nothing is written."""
        with pytest.raises(refusal):
            check_in(tx, attempt(guest, NINE, code=given))
        assert attended(tx, shift) == []

    @pytest.mark.parametrize("now", [at(8, 30), at(12, 30)])
    def test_is_open_half_an_hour_around_the_shift(
        self, tx: Session, shift: Shift, guest: SignUp, now: datetime
    ) -> None:
        """To the second, at both ends."""
        check_in(tx, attempt(guest, now))
        assert attended(tx, shift) == [("checked_in", now, None, 0)]

    @pytest.mark.parametrize("now", [at(8, 30) - SECOND, at(12, 30) + SECOND])
    def test_is_closed_outside(self, tx: Session, shift: Shift, guest: SignUp, now: datetime) -> None:
        """Even with a code that is right."""
        with pytest.raises(rules.CheckInClosed):
            check_in(tx, attempt(guest, now))
        assert attended(tx, shift) == []

    def test_needs_a_place(self, tx: Session, guest: SignUp) -> None:
        """Of one's own, on this shift."""
        with pytest.raises(NotSignedUp):
            check_in(tx, attempt(guest, NINE, volunteer_id=make_volunteer(tx).id))
        with pytest.raises(NotSignedUp):
            check_in(tx, attempt(guest, NINE, shift_id=make_shift(tx).id))

    def test_sees_its_own_programme_only(self, tx: Session, guest: SignUp) -> None:
        """Another programme's shift does not exist, nor one that nobody made."""
        for overrides in ({"programme_id": uuid4()}, {"shift_id": uuid4()}):
            with pytest.raises(NotFound):
                check_in(tx, attempt(guest, NINE, **overrides))

    def test_a_cancelled_shift_takes_nobody_in(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """Those who were signed up included."""
        call_off(tx, shift.id)
        with pytest.raises(ShiftCancelled):
            check_in(tx, attempt(guest, NINE))


class TestCheckOut:
    def test_settles_the_service_by_the_scans(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """From the arrival to the departure, within the shift."""
        check_in(tx, attempt(guest, at(8, 55)))

        record = check_out(tx, attempt(guest, at(11, 30, 30)))

        assert (record.state, record.version, record.evidence) == ("settled", 1, "scanned")
        assert attended(tx, shift) == [("settled", at(8, 55), at(11, 30, 30), 150)]
        [fact] = emitted(tx)
        assert isinstance(fact, AttendanceSettled)
        assert (fact.attendance_id, fact.service_minutes, fact.evidence) == (record.id, 150, EvidenceClass.SCANNED)
        [version] = list_versions(tx, record.id)
        assert (version.reason, version.decided_by) == (BY_CODE, guest.volunteer_id)
        tx.refresh(shift)
        assert shift.state == "held"

    def test_the_same_code_twice_settles_once(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """And the second answer is the first."""
        check_in(tx, attempt(guest, NINE))
        first = check_out(tx, attempt(guest, NOON))

        again = check_out(tx, attempt(guest, NOON + timedelta(minutes=2), code=code(NOON)))

        assert again is first
        assert attended(tx, shift) == [("settled", NINE, NOON, 180)]
        assert len(emitted(tx)) == 1

    def test_another_code_is_a_second_departure(self, tx: Session, guest: SignUp) -> None:
        """It does not lengthen the service."""
        check_in(tx, attempt(guest, NINE))
        check_out(tx, attempt(guest, at(11)))
        with pytest.raises(rules.AlreadyCheckedOut):
            check_out(tx, attempt(guest, NOON))
        assert len(emitted(tx)) == 1

    def test_who_never_came_cannot_leave(self, tx: Session, guest: SignUp) -> None:
        """Nor does it count as having come."""
        with pytest.raises(rules.NotCheckedIn):
            check_out(tx, attempt(guest, NOON))

    @pytest.mark.parametrize("steps", [0, -1])
    def test_the_code_of_the_arrival_does_not_prove_the_departure(self, tx: Session, guest: SignUp, steps: int) -> None:
        """Nor does an older one: one photo must not prove both."""
        check_in(tx, attempt(guest, NINE))
        now = NINE + timedelta(seconds=20)
        with pytest.raises(rules.CodeReused):
            check_out(tx, attempt(guest, now, code=code(NINE, steps=steps)))
        assert emitted(tx) == []

    @pytest.mark.parametrize(
        ("given", "refusal"), [(code(NOON, steps=-2), rules.CodeExpired), ("000000", rules.WrongCode)]
    )
    def test_any_other_code_is_refused(
        self, tx: Session, shift: Shift, guest: SignUp, given: str, refusal: type[Exception]
    ) -> None:
        """The person is still there."""
        check_in(tx, attempt(guest, NINE))
        with pytest.raises(refusal):
            check_out(tx, attempt(guest, NOON, code=given))
        assert attended(tx, shift) == [("checked_in", NINE, None, 0)]

    def test_is_open_until_half_an_hour_after_the_end(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """To the second; what is later than the end is clipped."""
        check_in(tx, attempt(guest, NINE))
        with pytest.raises(rules.CheckOutClosed):
            check_out(tx, attempt(guest, at(12, 30) + SECOND))
        check_out(tx, attempt(guest, at(12, 30)))
        assert attended(tx, shift) == [("settled", NINE, at(12, 30), 180)]

    def test_leaving_before_the_start_is_no_service(self, tx: Session, shift: Shift, guest: SignUp) -> None:
        """It is recorded and counts zero minutes."""
        check_in(tx, attempt(guest, at(8, 35)))
        check_out(tx, attempt(guest, at(8, 50)))
        assert attended(tx, shift) == [("settled", at(8, 35), at(8, 50), 0)]


class TestAtOnce:
    @pytest.fixture
    def place(self, database: Database, programme: UUID) -> SignUp:
        with database.transaction() as tx:
            return make_sign_up(tx, make_shift(tx, programme_id=programme))

    def doing(
        self, database: Database, act: Callable[[Session, Attempt], Attendance], given: Attempt
    ) -> Callable[[], UUID]:
        def run() -> UUID:
            with database.transaction() as tx:
                return act(tx, given).id

        return run

    def call_off(self, tx: Session, place: SignUp) -> None:
        call_off(tx, place.shift_id, programme_id=place.programme_id)

    def facts(self, database: Database, programme: UUID) -> list[tuple[int, int]]:
        with database.transaction() as tx:
            return [(fact.version, fact.service_minutes) for fact in emitted(tx, programme)]

    def test_two_devices_of_one_person_are_one_arrival(self, database: Database, place: SignUp) -> None:
        """Both see the same record."""
        outcomes = at_once(*[self.doing(database, check_in, attempt(place, NINE))] * 4)
        assert len(set(outcomes)) == 1
        assert all(isinstance(outcome, UUID) for outcome in outcomes)

    def test_two_devices_of_one_person_are_one_departure(
        self, database: Database, place: SignUp, programme: UUID
    ) -> None:
        """One is settled and told, once."""
        self.doing(database, check_in, attempt(place, NINE))()

        outcomes = at_once(*[self.doing(database, check_out, attempt(place, NOON))] * 4)

        assert len(set(outcomes)) == 1
        assert self.facts(database, programme) == [(1, 180)]

    def test_a_cancellation_loses_against_the_first_arrival(self, database: Database, place: SignUp) -> None:
        """It waits, and then finds somebody there."""

        def cancel() -> None:
            with database.transaction() as tx:
                self.call_off(tx, place)

        with held(database, lambda tx: check_in(tx, attempt(place, NINE))) as start:
            waiting = start(cancel)
        assert waiting.result() == "shift_has_attendance"

    def test_an_arrival_loses_against_a_cancellation(self, database: Database, place: SignUp) -> None:
        """It waits, and then finds the shift called off; nothing is recorded."""
        with held(database, lambda tx: self.call_off(tx, place)) as start:
            waiting = start(self.doing(database, check_in, attempt(place, NINE)))
        assert waiting.result() == "shift_cancelled"
        with database.transaction() as tx:
            assert tx.scalars(select(Attendance.id).where(Attendance.shift_id == place.shift_id)).all() == []

    def test_a_correction_and_a_departure_follow_each_other(
        self, database: Database, place: SignUp, programme: UUID
    ) -> None:
        """Whichever is second finds the record changed; one service, one version, one fact."""
        record_id = self.doing(database, check_in, attempt(place, NINE))()

        def correct(tx: Session) -> Attendance:
            decision = corrections.Decision(programme, record_id, Seen(tags=("0",)), "漏签", uuid4(), NOON)
            return corrections.correct(tx, decision, attendance.Presence(NINE, at(11), EvidenceClass.MANUAL))

        with held(database, correct) as start:
            waiting = start(self.doing(database, check_out, attempt(place, NOON)))
        assert waiting.result() == "already_checked_out"
        assert self.facts(database, programme) == [(1, 120)]

    def test_a_departure_makes_a_waiting_correction_stale(
        self, database: Database, place: SignUp, programme: UUID
    ) -> None:
        """The reviewer reads again before deciding."""
        record_id = self.doing(database, check_in, attempt(place, NINE))()

        def correct() -> None:
            with database.transaction() as tx:
                decision = corrections.Decision(programme, record_id, Seen(tags=("0",)), "漏签", uuid4(), NOON)
                corrections.correct(tx, decision, attendance.Presence(NINE, at(11), EvidenceClass.MANUAL))

        with held(database, lambda tx: check_out(tx, attempt(place, NOON))) as start:
            waiting = start(correct)
        assert waiting.result() == "precondition_failed"
        assert self.facts(database, programme) == [(1, 180)]

    def test_two_overlapping_shifts_of_one_person_share_the_minutes(self, database: Database, programme: UUID) -> None:
        """Settled at the same moment, no minute counts twice."""
        with database.transaction() as tx:
            person = make_volunteer(tx, programme_id=programme)
            places = [make_sign_up(tx, make_shift(tx, programme_id=programme), volunteer=person) for _ in range(2)]
        for place in places:
            self.doing(database, check_in, attempt(place, NINE))()

        at_once(*(self.doing(database, check_out, attempt(place, NOON)) for place in places))

        with database.transaction() as tx:
            rows = tx.scalars(select(Attendance.service_minutes).where(Attendance.volunteer_id == person.id)).all()
        assert sorted(rows) == [0, 180]
