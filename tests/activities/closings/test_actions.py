from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence
from services.activities.closings import actions
from services.activities.closings.actions import Judgement
from services.activities.corrections import actions as corrections
from services.activities.corrections.actions import Decision
from services.activities.incidents.tables import Incident
from services.activities.listings.queries import find_unclosed
from services.activities.listings.tables import Shift
from services.activities.scans.tables import Scan
from services.activities.sign_ups.actions import add_places
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import lock_volunteers
from services.activities.volunteers.tables import Volunteer
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.events.activities import EvidenceClass
from shared.events.activities_claims import AttendanceMissed, MissedKind
from shared.events.activities_incidents import IncidentOpened
from shared.events.activities_sign_ups import SignUpNoShow
from shared.seen import ANYTHING
from tests.activities.racing import held
from tests.activities.told import told
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

ONE = at(13)


@pytest.fixture
def tx(tx: Session) -> Session:
    """Begin with no shifts to close: other tests leave theirs."""
    actions.close_shifts(tx, now=datetime(2100, 1, 1, tzinfo=UTC), limit=100_000)
    return tx


def state_of(tx: Session, shift: Shift, volunteer_id: UUID) -> str:
    rows = select(SignUp.state).where(SignUp.shift_id == shift.id, SignUp.volunteer_id == volunteer_id)
    return tx.scalars(rows).one()


def states(tx: Session, shift: Shift) -> list[str]:
    return list(tx.scalars(select(SignUp.state).where(SignUp.shift_id == shift.id).order_by(SignUp.id)))


def missed(tx: Session, programme_id: UUID = PROGRAMME) -> list[AttendanceMissed]:
    return [fact for fact in told(tx, programme_id) if isinstance(fact, AttendanceMissed)]


class TestClose:
    def test_each_place_comes_to_what_was_recorded(self, tx: Session) -> None:
        """Who was settled attended; who was not scanned, in or out, was missed, and that is told with a deadline."""
        shift = make_shift(tx)
        expected = make_sign_up(tx, shift)
        there = make_attendance(tx, shift)
        settled = make_settled(tx, shift)
        make_sign_up(tx, shift, state="withdrawn")

        assert actions.close_shifts(tx, now=ONE) == 1

        assert states(tx, shift) == ["missed", "missed", "attended", "withdrawn"]
        tx.refresh(shift)
        assert (shift.concluded_at, shift.taken) == (ONE, 3)
        by_person = {fact.volunteer_id: fact for fact in missed(tx)}
        assert by_person == {
            person: AttendanceMissed(
                programme_id=PROGRAMME, sign_up_id=fact.sign_up_id, shift_id=shift.id, listing_id=shift.listing_id,
                partner_id=shift.partner_id, volunteer_id=person, service_on=FIRST_OF_JUNE, kind=kind,
                claim_until=datetime(2022, 6, 10, 16, tzinfo=UTC),
            )
            for person, kind in (
                (expected.volunteer_id, MissedKind.NO_CHECK_IN), (there.volunteer_id, MissedKind.NO_CHECK_OUT),
            )
            for fact in (by_person[person],)
        }  # fmt: skip
        assert settled.volunteer_id not in by_person

    def test_an_hour_after_the_end_and_not_before(self, tx: Session) -> None:
        """Late scans are in by then."""
        shift = make_shift(tx)
        make_sign_up(tx, shift)
        assert actions.close_shifts(tx, now=ONE - timedelta(seconds=1)) == 0
        assert states(tx, shift) == ["confirmed"]
        assert actions.close_shifts(tx, now=ONE) == 1

    def test_each_shift_is_closed_once(self, tx: Session) -> None:
        """The timer may run twice, or a day late."""
        shift = make_shift(tx)
        make_sign_up(tx, shift)
        day_later = ONE + timedelta(days=1)

        assert [actions.close_shifts(tx, now=now) for now in (day_later, day_later, ONE)] == [1, 0, 0]

        assert len(missed(tx)) == 1
        tx.refresh(shift)
        assert shift.concluded_at == day_later

    def test_an_outage_is_made_up_for_batch_by_batch(self, tx: Session) -> None:
        """What ended first comes first."""
        late, early = make_shift(tx, ends_at=NOON + timedelta(minutes=1)), make_shift(tx)
        make_shift(tx, ends_at=NOON + timedelta(minutes=2))
        now = at(20)
        assert actions.close_shifts(tx, now=now, limit=1) == 1
        tx.refresh(late)
        tx.refresh(early)
        assert (early.concluded_at, late.concluded_at) == (now, None)
        assert [actions.close_shifts(tx, now=now, limit=5) for _ in range(2)] == [2, 0]
        assert find_unclosed(tx, ended_before=now, limit=5) == []

    def test_a_shift_that_nobody_attended_is_not_held(self, tx: Session) -> None:
        """Whether it was run a person says."""
        shift = make_shift(tx)
        make_sign_up(tx, shift)
        actions.close_shifts(tx, now=ONE)
        tx.refresh(shift)
        assert shift.state == "open"

    def test_nobody_is_missed_on_a_shift_that_was_called_off(self, tx: Session) -> None:
        """It is closed all the same, so that it is not looked at again."""
        shift = make_shift(tx, state="cancelled", cancelled_because="台风")
        make_sign_up(tx, shift)
        assert actions.close_shifts(tx, now=ONE) == 1
        assert (states(tx, shift), missed(tx)) == (["confirmed"], [])

    def test_who_was_taken_back_is_not_asked_to_claim(self, tx: Session) -> None:
        """A reviewer has decided already."""
        shift = make_shift(tx)
        record = make_settled(tx, shift)
        decision = Decision(PROGRAMME, record.id, ANYTHING, "误报", REVIEWER, NOON)
        corrections.void(tx, decision)

        actions.close_shifts(tx, now=ONE)

        assert (states(tx, shift), missed(tx)) == (["missed"], [])


class TestSignals:
    def scanned(self, tx: Session, shift: Shift, person: Volunteer, came: datetime, left: datetime) -> None:
        make_sign_up(tx, shift, volunteer=person)
        for way, instant in (("in", came), ("out", left)):
            tx.add(Scan(shift_id=shift.id, volunteer_id=person.id, way=way, step=1, scanned_at=instant))
        tx.flush()

    def signals(self, tx: Session) -> list[tuple[str, UUID]]:
        rows = select(Incident.subject_type, Incident.subject_id).where(Incident.kind == "fraud_signal")
        return [(row[0], row[1]) for row in tx.execute(rows.where(Incident.programme_id == PROGRAMME))]

    def test_scans_of_many_in_the_same_seconds_are_a_signal(self, tx: Session) -> None:
        """About the shift, once; it does not keep anybody from their hours."""
        shift, other = make_shift(tx), make_shift(tx)
        for _ in range(5):
            self.scanned(tx, shift, make_volunteer(tx), NINE, NOON)
        for _ in range(4):
            self.scanned(tx, other, make_volunteer(tx), NINE, NOON)

        actions.close_shifts(tx, now=ONE)

        assert self.signals(tx) == [("shift", shift.id)]
        [told_of] = [fact for fact in told(tx) if isinstance(fact, IncidentOpened)]
        assert (told_of.partner_id, told_of.volunteer_id) == (shift.partner_id, None)

    def test_one_person_on_two_activities_is_a_signal(self, tx: Session) -> None:
        """Once, whether both shifts are closed together or one after the other."""
        person = make_volunteer(tx)
        early = make_shift(tx)
        late = make_shift(tx, starts_at=at(10), ends_at=at(13))
        self.scanned(tx, early, person, NINE, NOON)
        self.scanned(tx, late, person, at(10), at(13))
        assert actions.close_shifts(tx, now=ONE) == 1
        assert self.signals(tx) == [("volunteer", person.id)]

        assert actions.close_shifts(tx, now=at(14)) == 1

        assert self.signals(tx) == [("volunteer", person.id)]

    def test_one_shift_after_the_other_is_none(self, tx: Session) -> None:
        """A full day of service."""
        person = make_volunteer(tx)
        self.scanned(tx, make_shift(tx), person, NINE, NOON)
        self.scanned(tx, make_shift(tx, starts_at=at(12), ends_at=at(13)), person, at(12), at(13))
        actions.close_shifts(tx, now=at(14))
        assert self.signals(tx) == []


class TestAfterwards:
    def test_what_is_settled_later_is_attended(self, tx: Session) -> None:
        """By a correction, whoever was missed; the places that are counted stay as many."""
        shift = make_shift(tx)
        record = make_attendance(tx, shift)
        actions.close_shifts(tx, now=ONE)
        assert states(tx, shift) == ["missed"]

        decision = Decision(PROGRAMME, record.id, ANYTHING, "机构更正", REVIEWER, at(20))
        corrections.correct(tx, decision, Presence(NINE, NOON, EvidenceClass.ATTESTED))

        assert states(tx, shift) == ["attended"]
        tx.refresh(shift)
        assert (shift.state, shift.taken) == ("held", 1)

    def test_people_who_are_brought_in_later_are_decided_of_too(self, tx: Session) -> None:
        """A sheet of attendance may come when its shifts are closed."""
        shift = make_shift(tx)
        actions.close_shifts(tx, now=ONE)
        tx.refresh(shift)
        came, missing = make_volunteer(tx), make_volunteer(tx)
        places = [(shift.id, came.id), (shift.id, missing.id)]
        add_places(tx, programme_id=PROGRAMME, places=places, now=at(20))
        make_settled(tx, shift, volunteer_id=came.id)

        assert actions.close_shifts(tx, now=at(21)) == 1

        assert (state_of(tx, shift, came.id), state_of(tx, shift, missing.id)) == ("attended", "missed")
        assert [fact.volunteer_id for fact in missed(tx)] == [missing.id]


class TestJudge:
    @pytest.fixture
    def closed(self, tx: Session) -> Shift:
        shift = make_shift(tx)
        make_sign_up(tx, shift)
        make_settled(tx, shift)
        actions.close_shifts(tx, now=ONE)
        return shift

    def judgement(self, tx: Session, shift: Shift, *, partner_id: UUID | None = None) -> Judgement:
        people = list(tx.scalars(select(SignUp.volunteer_id).where(SignUp.shift_id == shift.id)))
        return Judgement(PROGRAMME, partner_id, shift.id, people, "没有来", at(14))

    def test_somebody_says_who_did_not_come(self, tx: Session, closed: Shift) -> None:
        """Of those who were missed alone; again changes nothing; it is told."""
        judgement = self.judgement(tx, closed, partner_id=closed.partner_id)

        assert [len(actions.mark_no_shows(tx, judgement)) for _ in range(2)] == [1, 0]
        assert states(tx, closed) == ["no_show", "attended"]
        assert [type(fact) for fact in told(tx)][-1:] == [SignUpNoShow]

    def test_nobody_is_judged_before_the_shift_is_closed(self, tx: Session) -> None:
        """They may still come."""
        shift = make_shift(tx)
        make_sign_up(tx, shift)
        assert actions.mark_no_shows(tx, self.judgement(tx, shift)) == []
        assert states(tx, shift) == ["confirmed"]

    def test_another_partners_shift_is_unknown(self, tx: Session, closed: Shift) -> None:
        """As is another programme's."""
        with pytest.raises(NotFound):
            actions.mark_no_shows(tx, self.judgement(tx, closed, partner_id=uuid4()))


class TestAtOnce:
    def closing(self, database: Database, results: list[int]) -> Callable[[], None]:
        def close() -> None:
            with database.transaction() as tx:
                results.append(actions.close_shifts(tx, now=ONE, limit=100_000))

        return close

    def test_who_is_being_settled_is_waited_for(self, database: Database, programme: UUID) -> None:
        """Nobody is missed whose attendance is on its way."""
        with database.transaction() as tx:
            shift = make_shift(tx, programme_id=programme)
            place = make_sign_up(tx, shift)

        def serve(tx: Session) -> None:
            lock_volunteers(tx, [place.volunteer_id])
            make_settled(tx, tx.get_one(Shift, shift.id), volunteer_id=place.volunteer_id)

        results: list[int] = []
        with held(database, serve) as start:
            waiting = start(self.closing(database, results))
        waiting.result()

        with database.transaction() as tx:
            assert states(tx, shift) == ["attended"]
            assert missed(tx, programme) == []

    def test_two_that_close_at_once_close_once(self, database: Database, programme: UUID) -> None:
        """The second finds it done."""
        with database.transaction() as tx:
            shift = make_shift(tx, programme_id=programme)
            make_sign_up(tx, shift)

        results: list[int] = []
        with held(database, lambda tx: actions.close_shifts(tx, now=ONE, limit=100_000)) as start:
            waiting = start(self.closing(database, results))
        waiting.result()

        assert results == [0]
        with database.transaction() as tx:
            assert len(missed(tx, programme)) == 1
