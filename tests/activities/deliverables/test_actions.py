from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.closings import actions as closings
from services.activities.deliverables import actions, queries, rules
from services.activities.deliverables.actions import Work
from services.activities.deliverables.rules import Command
from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.listings.tables import Shift
from services.activities.sign_ups.actions import add_places
from services.activities.sign_ups.tables import SignUp
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.events.activities_claims import AttendanceMissed
from shared.events.activities_deliverables import (
    DeliverableDue,
    DeliverableOverdue,
    DeliverableSubmitted,
    OfDeliverable,
)
from tests.activities.racing import at_once, held
from tests.activities.told import emitted_of
from tests.factories.activities import (
    NOON,
    PROGRAMME,
    at,
    make_attendance,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)
from tests.factories.deliverables import DUE, make_deliverable, make_submitted, make_work_shift

LONG_AGO = datetime(2021, 1, 4, 1, tzinfo=UTC)  # Before everything that other tests leave.
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def tx(tx: Session) -> Session:
    """Begin with nothing that waits for a timer: other tests leave theirs."""
    while actions.owe(tx, now=LATER, limit=10_000):
        pass
    actions.lapse(tx, now=LATER, limit=10_000)
    return tx


def rows_of(tx: Session, shift: Shift) -> list[Deliverable]:
    rows = select(Deliverable).where(Deliverable.shift_id == shift.id).order_by(Deliverable.id)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def facts(tx: Session, row: Deliverable) -> list[OfDeliverable]:
    return [each for each in emitted_of(tx, OfDeliverable, row.programme_id) if each.deliverable_id == row.id]


def work(row: Deliverable, *, digest: bytes = b"one", now: datetime = NOON, pieces: int = 3) -> Work:
    scope = Scope(row.programme_id, volunteer_id=row.volunteer_id)
    return Work(scope, row.volunteer_id, row.id, pieces, "说明", digest, now)


def state_of(tx: Session, row: Deliverable) -> str:
    tx.refresh(row)
    return row.state


class TestOwe:
    def test_each_place_owes_when_its_shift_is_over(self, tx: Session) -> None:
        """By the terms of the shift, until three working days later; told once, however often the timer runs."""
        shift = make_work_shift(tx, minutes_per_piece=45)
        place = make_sign_up(tx, shift)
        make_sign_up(tx, shift, state="withdrawn")
        make_sign_up(tx, shift, state="waitlisted")

        assert actions.owe(tx, now=NOON - timedelta(microseconds=1)) == 0
        assert [actions.owe(tx, now=NOON) for _ in range(2)] == [1, 0]

        [row] = rows_of(tx, shift)
        assert (row.sign_up_id, row.state, row.minutes_per_piece) == (place.id, "due", 45)
        assert row.due_until == row.waits_until == DUE == datetime(2022, 6, 6, 16, tzinfo=UTC)
        [fact] = facts(tx, row)
        assert fact == DeliverableDue(
            programme_id=PROGRAMME, deliverable_id=row.id, sign_up_id=place.id, shift_id=shift.id,
            listing_id=shift.listing_id, partner_id=shift.partner_id, volunteer_id=place.volunteer_id, at=NOON,
            due_until=DUE,
        )  # fmt: skip

    def test_other_work_owes_nothing(self, tx: Session) -> None:
        """Who was on site has handed in nothing."""
        make_sign_up(tx, make_shift(tx))
        assert actions.owe(tx, now=at(14)) == 0

    def test_who_was_scanned_owes_as_well(self, tx: Session) -> None:
        """Their service stands; what of it is matched depends on the work."""
        shift = make_work_shift(tx)
        make_settled(tx, shift)
        closings.close_shifts(tx, now=at(14), limit=10_000)
        assert actions.owe(tx, now=at(14)) == 1
        assert len(rows_of(tx, shift)) == 1

    def test_weeks_of_outage_are_made_up_for_batch_by_batch(self, tx: Session) -> None:
        """Everything that was missed is made, the oldest first, and nobody is overdue the moment they are told."""
        shifts = [make_work_shift(tx, starts_at=at(9 - n), ends_at=at(12 - n)) for n in range(3)]
        for shift in shifts:
            make_sign_up(tx, shift)
        back = NOON + timedelta(weeks=3)

        assert actions.owe(tx, now=back, limit=2) == 2
        assert [len(rows_of(tx, shift)) for shift in shifts] == [0, 1, 1]
        assert [actions.owe(tx, now=back, limit=2) for _ in range(2)] == [1, 0]

        [row] = rows_of(tx, shifts[0])
        assert row.due_until == datetime(2022, 6, 27, 16, tzinfo=UTC)
        assert actions.lapse(tx, now=back, limit=99) == 0

    def test_days_are_those_of_the_listing(self, tx: Session) -> None:
        """In Kiritimati it is Thursday already."""
        shift = make_work_shift(tx, timezone="Pacific/Kiritimati")
        make_sign_up(tx, shift)
        actions.owe(tx, now=NOON)
        assert rows_of(tx, shift)[0].due_until == datetime(2022, 6, 6, 10, tzinfo=UTC)

    def test_a_place_that_a_sheet_adds_later_owes_too(self, tx: Session) -> None:
        """The shift is looked at again, and what was there owes once."""
        shift = make_work_shift(tx)
        make_sign_up(tx, shift)
        actions.owe(tx, now=NOON)
        late = make_volunteer(tx)
        add_places(tx, programme_id=PROGRAMME, places=[(shift.id, late.id)], now=at(15))

        assert actions.owe(tx, now=at(15)) == 1
        assert [row.volunteer_id == late.id for row in rows_of(tx, shift)] == [False, True]


class TestClosing:
    def test_nobody_misses_a_scan_of_what_is_handed_in(self, tx: Session) -> None:
        """The work decides of the place; who was scanned was there."""
        shift = make_work_shift(tx)
        waiting, came = make_sign_up(tx, shift), make_sign_up(tx, shift)
        make_attendance(tx, shift, volunteer_id=came.volunteer_id)
        served = make_settled(tx, shift)

        closings.close_shifts(tx, now=at(14), limit=10_000)

        states = dict(tx.execute(select(SignUp.volunteer_id, SignUp.state).where(SignUp.shift_id == shift.id)).all())
        assert states == {
            waiting.volunteer_id: "confirmed", came.volunteer_id: "confirmed", served.volunteer_id: "attended",
        }  # fmt: skip
        assert [fact for fact in emitted_of(tx, AttendanceMissed) if fact.shift_id == shift.id] == []
        assert (served.service_minutes, served.matchable_minutes, served.agreed_minutes) == (180, 0, 0)


class TestHandIn:
    def test_the_partner_is_asked(self, tx: Session) -> None:
        """For five working days; the same again changes nothing."""
        row = make_deliverable(tx)

        submission, is_new = actions.hand_in(tx, work(row))
        again, is_new_again = actions.hand_in(tx, work(row, now=at(13)))

        assert (is_new, is_new_again, again.id) == (True, False, submission.id)
        assert (row.state, row.submissions, row.pieces, row.waits_until) == (
            "submitted", 1, 3, datetime(2022, 6, 8, 16, tzinfo=UTC),
        )  # fmt: skip
        [fact] = facts(tx, row)
        assert isinstance(fact, DeliverableSubmitted)
        assert (fact.submission, fact.pieces, fact.answer_until) == (1, 3, row.waits_until)

    def test_other_work_is_not_put_in_its_place(self, tx: Session) -> None:
        """What the partner looks at stays, until it asks for more."""
        row = make_submitted(tx)
        with pytest.raises(rules.DeliverableClosed):
            actions.hand_in(tx, work(row, digest=b"two"))

    @pytest.mark.parametrize("now", [DUE - timedelta(seconds=1), DUE + timedelta(days=1)])
    def test_what_is_overdue_can_still_be_handed_in(self, tx: Session, now: datetime) -> None:
        """Told or not."""
        row = make_deliverable(tx)
        actions.lapse(tx, now=now, limit=99)
        assert row.state == ("due" if now < DUE else "overdue")
        actions.hand_in(tx, work(row, now=now))
        assert state_of(tx, row) == "submitted"

    def test_a_revision_is_something_else(self, tx: Session) -> None:
        """A retry of the first that comes late is told so, and uses nothing up."""
        row = make_deliverable(tx)
        actions.hand_in(tx, work(row))
        standing = actions.lock(tx, [row])[row.id]
        actions.answer(standing, actions.Answer(Command.REQUEST_REVISION, uuid4(), at(13), "请改"))

        with pytest.raises(rules.UnchangedSubmission):
            actions.hand_in(tx, work(row, now=at(14)))
        submission, is_new = actions.hand_in(tx, work(row, digest=b"two", now=at(14), pieces=2))

        assert (is_new, submission.number, row.pieces, row.revisions) == (True, 2, 2, 1)
        first, second = queries.list_submissions(tx, row.id)
        assert (first.answer, first.reason, second.answer) == ("revision_requested", "请改", None)

    @pytest.mark.parametrize("place", ["excused", "cancelled_by_host", "missed"])
    def test_who_has_no_place_any_more_owes_nothing(self, tx: Session, place: str) -> None:
        """There is nothing to hand in for."""
        shift = make_work_shift(tx)
        row = make_deliverable(tx, shift=shift, place=make_sign_up(tx, shift, state=place))
        with pytest.raises(rules.NothingOwed):
            actions.hand_in(tx, work(row))

    def test_one_hands_in_ones_own(self, tx: Session) -> None:
        """And not in another programme."""
        row = make_deliverable(tx)
        for scope in (Scope(PROGRAMME, volunteer_id=uuid4()), Scope(uuid4(), volunteer_id=row.volunteer_id)):
            with pytest.raises(NotFound):
                actions.hand_in(tx, Work(scope, row.volunteer_id, row.id, 1, "", b"x", NOON))


class TestLapse:
    def test_what_does_not_come_is_overdue(self, tx: Session) -> None:
        """From the instant on, and told once; it is abandoned five working days after that."""
        row = make_deliverable(tx)
        assert [actions.lapse(tx, now=now, limit=99) for now in (DUE - timedelta(microseconds=1), DUE, DUE)] == [
            0,
            1,
            0,
        ]
        assert (row.state, row.waits_until) == ("overdue", datetime(2022, 6, 14, 16, tzinfo=UTC))
        [fact] = facts(tx, row)
        assert isinstance(fact, DeliverableOverdue)
        assert (fact.at, fact.submit_until) == (DUE, row.waits_until)

    def test_a_revision_is_overdue_as_well(self, tx: Session) -> None:
        """By its own date."""
        row = make_submitted(tx, state="revision_requested", revisions=1, waits_until=DUE)
        assert (actions.lapse(tx, now=DUE, limit=99), row.state) == (1, "overdue")

    def test_weeks_later_there_are_five_days_left(self, tx: Session) -> None:
        """Who could hand nothing in while we were away still can."""
        row = make_deliverable(tx)
        actions.lapse(tx, now=datetime(2022, 7, 4, 1, tzinfo=UTC), limit=99)
        assert row.waits_until == datetime(2022, 7, 11, 16, tzinfo=UTC)

    def test_a_place_that_is_gone_owes_nothing(self, tx: Session) -> None:
        """Nothing is told of it."""
        shift = make_work_shift(tx)
        row = make_deliverable(tx, shift=shift, place=make_sign_up(tx, shift, state="excused"))
        assert (actions.lapse(tx, now=DUE, limit=99), row.state, row.waits_until) == (1, "released", None)
        assert facts(tx, row) == []

    def test_a_run_has_a_limit(self, tx: Session) -> None:
        """The next one goes on."""
        for _ in range(3):
            make_deliverable(tx)
        assert [actions.lapse(tx, now=DUE, limit=2) for _ in range(3)] == [2, 1, 0]


def test_what_somebody_wrote_is_emptied(tx: Session) -> None:
    """And what was said of it; what was decided stays, and others' words."""
    row, other = make_submitted(tx), make_submitted(tx)
    actions.forget_words_of(tx, volunteer_id=row.volunteer_id)
    tx.expire_all()
    notes = {each.deliverable_id: (each.note, each.digest) for each in tx.scalars(select(Submission))}
    assert (notes[row.id], notes[other.id], row.state) == (("", None), ("第一版", b"digest"), "submitted")


def test_work_goes_over_with_its_place(tx: Session) -> None:
    """To the record that stays; where that has a place of its own, each keeps its own."""
    gone, stays = make_volunteer(tx), make_volunteer(tx)
    shift = make_work_shift(tx)
    row = make_submitted(tx, shift=shift, place=make_sign_up(tx, shift, volunteer=stays), volunteer_id=gone.id)
    kept_back = make_submitted(tx, shift=shift, place=make_sign_up(tx, shift, volunteer=gone))

    actions.hand_over(tx, kept_id=stays.id, merged_id=gone.id)

    tx.expire_all()
    assert (row.volunteer_id, kept_back.volunteer_id) == (stays.id, gone.id)
    assert [each.volunteer_id for each in queries.list_submissions(tx, row.id)] == [stays.id]
    assert queries.find_open(tx, volunteer_id=gone.id) == {shift.id}


class TestAtOnce:
    @pytest.fixture
    def row(self, database: Database, programme: UUID) -> Deliverable:
        with database.transaction() as tx:
            return make_deliverable(tx, programme_id=programme)

    def test_two_taps_hand_in_once(self, database: Database, row: Deliverable) -> None:
        """The same files: one submission, which both are shown."""

        def send() -> tuple[UUID, bool]:
            with database.transaction() as tx:
                submission, is_new = actions.hand_in(tx, work(row))
                return submission.id, is_new

        outcomes: list[Any] = at_once(send, send)
        assert outcomes[0][0] == outcomes[1][0]
        assert sorted(is_new for _, is_new in outcomes) == [False, True]

    def test_two_timers_owe_once(self, database: Database, programme: UUID) -> None:
        """One waits for the other, and finds nothing left to do."""
        with database.transaction() as tx:
            shift = make_work_shift(
                tx, programme_id=programme, starts_at=LONG_AGO, ends_at=LONG_AGO + timedelta(hours=1)
            )
            make_sign_up(tx, shift)

        def run() -> int:
            with database.transaction() as tx:
                return actions.owe(tx, now=LONG_AGO + timedelta(hours=1))

        assert sum(int(each) for each in at_once(run, run)) == 1
        with database.transaction() as tx:
            assert len(rows_of(tx, shift)) == 1

    def test_what_is_handed_in_at_the_last_moment_is_not_overdue(self, database: Database, row: Deliverable) -> None:
        """The timer passes over what somebody holds, and finds it handed in the next time."""
        with held(database, lambda tx: actions.hand_in(tx, work(row, now=DUE))), database.apart() as other:
            actions.lapse(other, now=DUE, limit=10_000)
            assert other.get_one(Deliverable, row.id).state == "due"
            other.rollback()
        with database.transaction() as tx:
            actions.lapse(tx, now=DUE, limit=10_000)
            assert tx.get_one(Deliverable, row.id).state == "submitted"
