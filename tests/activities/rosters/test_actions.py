from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.rules import BadTimes, InTheFuture
from services.activities.attendance.tables import Attendance
from services.activities.check_ins.actions import Attempt
from services.activities.check_ins.rules import CheckInClosed, CheckOutClosed, NotCheckedIn
from services.activities.listings.rules import ShiftCancelled
from services.activities.listings.tables import Shift
from services.activities.rosters import actions, queries, rules
from services.activities.rosters.actions import Host
from services.activities.rosters.rules import State, Way
from services.activities.rosters.tables import WalkIn
from services.activities.sign_ups.rules import NotSignedUp, SignUpClosed
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.events.activities import AttendanceCheckedIn, AttendanceSettled
from shared.events.activities_incidents import IncidentKind, IncidentOpened
from shared.events.activities_shifts import ShiftHeld
from tests.activities.racing import at_once
from tests.activities.scanning import check_out
from tests.activities.told import told
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    at,
    code,
    make_shift,
    make_sign_up,
    make_volunteer,
    make_walk_in,
)

HOST, ONE, TWO = uuid4(), at(13), at(14)


def host(shift: Shift, now: datetime = NINE) -> Host:
    return Host(shift.programme_id, shift.partner_id, HOST, shift.id, now)


def attendance_of(tx: Session, shift: Shift, volunteer_id: UUID) -> Attendance:
    rows = select(Attendance).where(Attendance.shift_id == shift.id, Attendance.volunteer_id == volunteer_id)
    return tx.scalars(rows.execution_options(populate_existing=True)).one()


class TestAttest:
    def test_a_partner_ticks_people_in_and_out(self, tx: Session) -> None:
        """Attested; the shift runs and is held; again changes nothing."""
        shift = make_shift(tx)
        person = make_sign_up(tx, shift).volunteer_id

        for now in (NINE, at(9, 5)):
            assert actions.attest(tx, host(shift, now), way=Way.IN, volunteer_ids={person}) == {person: "checked_in"}
        tx.refresh(shift)
        assert shift.state == "running"
        for now in (NOON, at(12, 20)):
            assert actions.attest(tx, host(shift, now), way=Way.OUT, volunteer_ids={person}) == {person: "settled"}

        record = attendance_of(tx, shift, person)
        assert (record.evidence, record.version, record.service_minutes) == ("attested", 1, 180)
        assert (record.checked_in_at, record.checked_out_at) == (NINE, NOON)
        assert [type(fact) for fact in told(tx)] == [AttendanceCheckedIn, AttendanceSettled, ShiftHeld]

    def test_each_has_their_own_outcome(self, tx: Session) -> None:
        """Who has no place, and who did not come."""
        shift = make_shift(tx)
        person, gone = make_sign_up(tx, shift), make_sign_up(tx, shift, state="withdrawn")

        outcomes = actions.attest(tx, host(shift), way=Way.OUT, volunteer_ids=[person.volunteer_id, gone.volunteer_id])

        assert isinstance(outcomes[person.volunteer_id], NotCheckedIn)
        assert isinstance(outcomes[gone.volunteer_id], NotSignedUp)
        assert told(tx) == []

    def test_who_was_ticked_in_and_scans_out_is_attested(self, tx: Session) -> None:
        """A chain is as strong as its weaker link."""
        shift = make_shift(tx)
        person = make_sign_up(tx, shift).volunteer_id
        actions.attest(tx, host(shift), way=Way.IN, volunteer_ids={person})

        check_out(tx, Attempt(PROGRAMME, shift.id, person, code(NOON), NOON))

        assert attendance_of(tx, shift, person).evidence == "attested"

    @pytest.mark.parametrize(
        ("way", "now", "refusal"),
        [
            (Way.IN, at(8, 29), CheckInClosed),
            (Way.IN, at(12, 31), CheckInClosed),
            (Way.OUT, at(12, 31), CheckOutClosed),
            (Way.IN, at(8, 30), None),
            (Way.IN, at(12, 30), None),
        ],
    )
    def test_within_the_window_alone(
        self, tx: Session, way: Way, now: datetime, refusal: type[Exception] | None
    ) -> None:
        """As scans are: half an hour around the shift."""
        shift = make_shift(tx)
        people = {make_sign_up(tx, shift).volunteer_id}
        if refusal is None:
            assert list(actions.attest(tx, host(shift, now), way=way, volunteer_ids=people).values()) == ["checked_in"]
            return
        with pytest.raises(refusal):
            actions.attest(tx, host(shift, now), way=way, volunteer_ids=people)

    def test_on_ones_own_shifts_that_happen(self, tx: Session) -> None:
        """Another partner's is unknown; one that was called off is over."""
        shift, off = make_shift(tx), make_shift(tx, state="cancelled", cancelled_because="台风")
        with pytest.raises(NotFound):
            actions.attest(tx, replace(host(shift), partner_id=uuid4()), way=Way.IN, volunteer_ids=[])
        with pytest.raises(ShiftCancelled):
            actions.attest(tx, host(off), way=Way.IN, volunteer_ids=[])


class TestGuests:
    def test_the_last_count_holds(self, tx: Session) -> None:
        """A number, and nothing else; nothing is told or matched."""
        shift = make_shift(tx)
        assert [actions.count_guests(tx, host(shift), guests=guests).guests for guests in (3, 0, 5)] == [3, 0, 5]
        counted = queries.find_guests(tx, shift_id=shift.id)
        assert counted is not None
        assert (counted.guests, counted.counted_by, told(tx)) == (5, HOST, [])


class TestWalkIns:
    @pytest.fixture
    def shift(self, tx: Session) -> Shift:
        return make_shift(tx)

    @pytest.fixture
    def person(self, tx: Session) -> Volunteer:
        return make_volunteer(tx, employee_number="E-1")

    def record(
        self, tx: Session, shift: Shift, *, now: datetime = ONE, number: str = "E-1", left: datetime = NOON
    ) -> WalkIn:
        return actions.record_walk_in(tx, host(shift, now), number=number, came=NINE, left=left)

    def answer(self, tx: Session, walk_in: WalkIn, answer: State, *, now: datetime = TWO) -> WalkIn:
        scope = Scope(walk_in.programme_id, volunteer_id=walk_in.volunteer_id)
        return actions.answer_walk_in(tx, scope, walk_in_id=walk_in.id, answer=answer, now=now)

    def test_two_keys_make_a_place_and_its_hours(self, tx: Session, shift: Shift, person: Volunteer) -> None:
        """The partner records, the volunteer confirms; each may do so twice."""
        first, again = self.record(tx, shift), self.record(tx, shift)
        assert first is again
        assert told(tx) == []

        for _ in range(2):
            self.answer(tx, first, State.CONFIRMED)

        record = attendance_of(tx, shift, person.id)
        assert (first.state, record.evidence, record.service_minutes) == ("confirmed", "claimed", 180)
        place = tx.scalars(select(SignUp).where(SignUp.volunteer_id == person.id)).one()
        assert (place.source, place.state) == ("walk_in", "confirmed")
        tx.refresh(shift)
        assert (shift.taken, shift.state) == (1, "held")
        with pytest.raises(rules.WalkInAnswered):
            self.answer(tx, first, State.DECLINED)

    def test_what_the_volunteer_declines_is_nothing(self, tx: Session, shift: Shift, person: Volunteer) -> None:
        """No place, no hours."""
        walk_in = self.record(tx, shift)
        self.answer(tx, walk_in, State.DECLINED)
        assert (walk_in.state, told(tx)) == ("declined", [])
        assert tx.scalars(select(SignUp).where(SignUp.volunteer_id == person.id)).all() == []

    @pytest.mark.parametrize("state", ["waitlisted", "offered", "withdrawn", "offer_expired"])
    def test_who_was_in_the_line_comes_to_a_place(
        self, tx: Session, shift: Shift, person: Volunteer, state: str
    ) -> None:
        """Or who had given it back."""
        place = make_sign_up(tx, shift, volunteer=person, state=state)
        self.answer(tx, self.record(tx, shift), State.CONFIRMED)
        tx.refresh(place)
        assert (place.state, attendance_of(tx, shift, person.id).state) == ("confirmed", "settled")

    def test_who_was_excused_was_not_there(self, tx: Session, shift: Shift, person: Volunteer) -> None:
        """What stands against it is decided first."""
        make_sign_up(tx, shift, volunteer=person, state="excused")
        walk_in = self.record(tx, shift)
        with pytest.raises(SignUpClosed):
            self.answer(tx, walk_in, State.CONFIRMED)

    def test_who_has_a_place_is_no_walk_in(self, tx: Session, shift: Shift, person: Volunteer) -> None:
        """Also one who got it between the two keys."""
        walk_in = self.record(tx, shift)
        make_sign_up(tx, shift, volunteer=person)
        with pytest.raises(rules.HasPlace):
            self.answer(tx, walk_in, State.CONFIRMED)
        other = make_shift(tx)
        make_sign_up(tx, other, volunteer=person, state="missed")
        with pytest.raises(rules.HasPlace):
            self.record(tx, other)

    def test_what_cannot_be_recorded(self, tx: Session, shift: Shift, person: Volunteer) -> None:
        """An unknown number, other times, oneself, impossible times, too late."""
        self.record(tx, shift)
        late = at(14) + timedelta(days=20)
        other = make_shift(tx)
        attempts: list[tuple[type[Exception], Callable[[], object]]] = [
            (rules.UnknownEmployee, lambda: self.record(tx, shift, number="E-2")),
            (rules.WalkInExists, lambda: self.record(tx, shift, left=at(11))),
            (rules.WalkInTooLate, lambda: self.record(tx, other, now=late)),
            (BadTimes, lambda: self.record(tx, other, left=NINE)),
            (InTheFuture, lambda: self.record(tx, other, left=at(14))),
        ]
        for refusal, attempt in attempts:
            with pytest.raises(refusal):
                attempt()
        own = replace(host(other, at(13)), person_id=person.id)
        with pytest.raises(rules.OwnWalkIn):
            actions.record_walk_in(tx, own, number="E-1", came=NINE, left=NOON)

    def test_an_answer_comes_in_time_and_from_the_person(self, tx: Session, shift: Shift, person: Volunteer) -> None:
        """Seven working days after the shift."""
        walk_in = self.record(tx, shift)
        with pytest.raises(rules.WalkInTooLate):
            self.answer(tx, walk_in, State.CONFIRMED, now=at(14) + timedelta(days=20))
        scope = Scope(PROGRAMME, volunteer_id=make_volunteer(tx).id)
        with pytest.raises(NotFound):
            actions.answer_walk_in(tx, scope, walk_in_id=walk_in.id, answer=State.CONFIRMED, now=at(14))
        assert queries.list_walk_ins_of(tx, volunteer_id=person.id, limit=9) == [walk_in]

    def test_two_taps_are_one(self, database: Database, programme: UUID) -> None:
        """Settled once."""
        with database.transaction() as tx:
            shift = make_shift(tx, programme_id=programme)
            walk_in = make_walk_in(tx, shift, volunteer_id=make_volunteer(tx, programme_id=programme).id)

        def confirm() -> str:
            with database.transaction() as tx:
                return self.answer(tx, walk_in, State.CONFIRMED).state

        assert at_once(confirm, confirm) == ["confirmed", "confirmed"]
        with database.transaction() as tx:
            assert [type(fact) for fact in told(tx, programme)] == [AttendanceSettled, ShiftHeld]


class TestReport:
    def test_a_partner_reports_about_its_shift(self, tx: Session) -> None:
        """And sees it; another partner's shift is unknown."""
        shift = make_shift(tx)
        reporter = actions.Reporter(Scope(PROGRAMME, partner_id=shift.partner_id), HOST, shift.id, NOON)
        incident = actions.report(tx, reporter, kind=IncidentKind.ACCIDENT, details="有人摔倒")
        assert (incident.opened_side, incident.shared_at, incident.partner_id) == ("partner", NOON, shift.partner_id)
        assert [type(fact) for fact in told(tx)] == [IncidentOpened]
        with pytest.raises(NotFound):
            actions.report(
                tx, replace(reporter, scope=Scope(PROGRAMME, partner_id=uuid4())), kind=IncidentKind.OTHER, details="x"
            )

    def test_a_volunteer_complains_about_a_shift_that_they_signed_up_for(self, tx: Session) -> None:
        """In whatever state; staff decides whether the partner sees it."""
        shift = make_shift(tx)
        person = make_sign_up(tx, shift, state="withdrawn").volunteer_id
        reporter = actions.Reporter(Scope(PROGRAMME, volunteer_id=person), person, shift.id, NOON)
        incident = actions.report(tx, reporter, kind=IncidentKind.COMPLAINT, details="没有人接待")
        assert (incident.opened_side, incident.shared_at, incident.opened_by) == ("volunteer", None, person)
        stranger = make_volunteer(tx).id
        reporter = replace(reporter, scope=Scope(PROGRAMME, volunteer_id=stranger), person_id=stranger)
        with pytest.raises(NotSignedUp):
            actions.report(tx, reporter, kind=IncidentKind.COMPLAINT, details="x")
