from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.acceptances import actions, rules
from services.activities.acceptances.actions import Judge
from services.activities.attendance.actions import Presence
from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.claims import queries as claims
from services.activities.corrections import actions as corrections
from services.activities.deliverables import actions as deliverables
from services.activities.deliverables.actions import Work
from services.activities.deliverables.queries import list_submissions
from services.activities.deliverables.rules import DeliverableClosed, NothingOwed, RevisionsUsedUp
from services.activities.deliverables.tables import Deliverable
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.rules import Interval
from services.activities.listings.tables import Shift
from services.activities.revisions.actions import revise_eligibility
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.actions import point_to
from services.activities.volunteers.rules import RecordMerged
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound, Refusal
from shared.events.activities import AttendanceRevised, AttendanceSettled, EvidenceClass
from shared.events.activities_deliverables import (
    DeliverableAbandoned,
    DeliverableAccepted,
    DeliverableRejected,
    DeliverableRevisionRequested,
    OfDeliverable,
)
from shared.seen import ANYTHING, Seen
from tests.activities.racing import at_once, held
from tests.activities.told import told
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_settled,
    make_sign_up,
    make_volunteer,
)
from tests.factories.deliverables import make_deliverable, make_submitted, make_work_shift

HOST, TWO, THREE = uuid4(), at(14), at(15)
SILENT = datetime(2022, 6, 8, 16, tzinfo=UTC)  # Five working days after the first of June.


@pytest.fixture
def tx(tx: Session) -> Session:
    """Begin with nothing that waits for the timer: other tests leave theirs."""
    while actions.end(tx, now=datetime(2100, 1, 1, tzinfo=UTC), limit=10_000):
        pass
    return tx


def host(row: Deliverable, *, by: UUID = HOST, now: datetime = TWO) -> Judge:
    return Judge(Scope(row.programme_id, partner_id=row.partner_id), by, now)


def accept(tx: Session, row: Deliverable, **more: Any) -> Deliverable:
    pieces, reason = more.pop("pieces", None), more.pop("reason", None)
    seen = more.pop("seen", ANYTHING)
    return actions.accept(tx, host(row, **more), row.id, pieces=pieces, reason=reason, seen=seen)


def ask_again(tx: Session, row: Deliverable, **more: Any) -> Deliverable:
    return actions.request_revision(tx, host(row, **more), row.id, reason="请改错别字", seen=ANYTHING)


def hand_in(tx: Session, row: Deliverable, digest: bytes, *, now: datetime = THREE) -> None:
    scope = Scope(row.programme_id, volunteer_id=row.volunteer_id)
    deliverables.hand_in(tx, Work(scope, row.volunteer_id, row.id, 3, "", digest, now))


def attendance_of(tx: Session, row: Deliverable) -> Attendance | None:
    rows = select(Attendance).where(Attendance.shift_id == row.shift_id, Attendance.volunteer_id == row.volunteer_id)
    return tx.scalars(rows.execution_options(populate_existing=True)).first()


def minutes_of(tx: Session, row: Deliverable) -> tuple[int, int] | None:
    found = attendance_of(tx, row)
    return None if found is None else (found.service_minutes, found.matchable_minutes)


def place_state(tx: Session, row: Deliverable) -> str:
    return tx.scalars(select(SignUp.state).where(SignUp.id == row.sign_up_id)).one()


def facts(tx: Session, programme_id: UUID = PROGRAMME) -> list[OfDeliverable]:
    return [each for each in told(tx, programme_id) if isinstance(each, OfDeliverable)]


def served(tx: Session, *, left: datetime = NOON, **more: Any) -> Deliverable:
    """Make work that was handed in by somebody who was scanned, from nine on."""
    shift = make_work_shift(tx, concluded_at=at(13), **more)
    place = make_sign_up(tx, shift, state="attended", ended_at=at(13))
    make_settled(tx, shift, volunteer_id=place.volunteer_id, left=left)
    return make_submitted(tx, shift=shift, place=place)


class TestAccept:
    def test_the_agreed_minutes_count_where_nobody_was_scanned(self, tx: Session) -> None:
        """From the start of the shift on, attested; the place was attended; again changes nothing."""
        row = make_submitted(tx)

        for _ in range(2):
            assert accept(tx, row).state == "accepted"

        found = attendance_of(tx, row)
        assert found is not None
        assert (found.started_at, found.ended_at, found.evidence) == (NINE, at(10, 30), "attested")
        assert (found.service_minutes, found.matchable_minutes, found.version, found.agreed_minutes) == (90, 90, 1, 90)
        assert (row.accepted_pieces, row.decided_by, row.is_by_silence, place_state(tx, row)) == (
            3, HOST, False, "attended",
        )  # fmt: skip
        [fact] = facts(tx)
        assert fact == DeliverableAccepted(
            programme_id=PROGRAMME, deliverable_id=row.id, sign_up_id=row.sign_up_id, shift_id=row.shift_id,
            listing_id=row.listing_id, partner_id=row.partner_id, volunteer_id=row.volunteer_id, at=at(14),
            submission=1, pieces=3, agreed_minutes=90, is_by_silence=False, is_partial=False,
        )  # fmt: skip

    def test_minutes_do_not_exceed_the_shift(self, tx: Session) -> None:
        """It is clipped, as all service is."""
        shift = make_work_shift(tx, minutes_per_piece=100)
        row = make_submitted(tx, shift=shift)
        accept(tx, row)
        assert minutes_of(tx, row) == (180, 180)

    def test_of_who_was_scanned_the_agreed_minutes_are_matched(self, tx: Session) -> None:
        """The service stays what it was, and is told again with what may become money."""
        row = served(tx)
        assert minutes_of(tx, row) == (180, 0)

        accept(tx, row)

        assert minutes_of(tx, row) == (180, 90)
        [settled, revised] = [each for each in told(tx) if isinstance(each, AttendanceSettled | AttendanceRevised)]
        assert [(each.service_minutes, each.matchable_minutes) for each in (settled, revised)] == [(180, 0), (180, 90)]
        assert (revised.version, revised.evidence) == (2, EvidenceClass.SCANNED)
        reason = tx.scalars(select(AttendanceVersion.reason).where(AttendanceVersion.version == 2)).all()
        assert f"deliverable {row.id}: accepted, 3" in reason

    def test_no_more_is_matched_than_was_served(self, tx: Session) -> None:
        """Half an hour's service with ninety agreed minutes is half an hour."""
        row = served(tx, left=at(9, 30))
        accept(tx, row)
        assert minutes_of(tx, row) == (30, 30)

    def test_who_checked_in_and_never_out_counts_by_the_piece(self, tx: Session) -> None:
        """The check-in alone says nothing of the minutes."""
        shift = make_work_shift(tx)
        place = make_sign_up(tx, shift)
        came = make_attendance(tx, shift, volunteer_id=place.volunteer_id, checked_in_at=at(9, 5))
        row = make_submitted(tx, shift=shift, place=place)
        accept(tx, row)
        found = attendance_of(tx, row)
        assert found is not None
        assert (found.id, found.version, found.service_minutes, found.matchable_minutes) == (came.id, 1, 90, 90)

    def test_some_pieces_are_accepted_with_a_reason(self, tx: Session) -> None:
        """Their minutes count."""
        row = make_submitted(tx)
        with pytest.raises(rules.PartNeedsReason):
            accept(tx, row, pieces=2)
        with pytest.raises(rules.BadPieces):
            accept(tx, row, pieces=4, reason="x")

        assert accept(tx, row, pieces=2, reason="一件有错").state == "partially_accepted"

        assert (minutes_of(tx, row), row.accepted_pieces) == ((60, 60), 2)
        [fact] = facts(tx)
        assert isinstance(fact, DeliverableAccepted)
        assert (fact.is_partial, fact.pieces, fact.agreed_minutes) == (True, 2, 60)
        [submission] = list_submissions(tx, row.id)
        assert (submission.answer, submission.reason, submission.answered_by) == (
            "partially_accepted",
            "一件有错",
            HOST,
        )

    def test_who_is_not_eligible_keeps_the_service(self, tx: Session) -> None:
        """Nothing of it is matched, and what becomes known later changes that within what was agreed."""
        row = served(tx)
        record = eligibility.Record(PROGRAMME, "离职", REVIEWER, at(13))
        eligibility.replace_all(tx, record, {row.volunteer_id: [Interval(date(2020, 1, 1), date(2022, 1, 1))]})
        accept(tx, row)
        assert minutes_of(tx, row) == (180, 0)

        eligibility.replace_all(tx, record, {row.volunteer_id: [Interval(date(2020, 1, 1), None)]})
        assert [revise_eligibility(tx, [row.volunteer_id], now=at(16)) for _ in range(2)] == [1, 0]
        assert minutes_of(tx, row) == (180, 90)

    def test_what_is_not_accepted_yet_is_no_case_of_eligibility(self, tx: Session) -> None:
        """It is matched to nothing because of the work, not because of the person."""
        row = served(tx)
        record = eligibility.Record(PROGRAMME, "在职", REVIEWER, at(13))
        eligibility.replace_all(tx, record, {row.volunteer_id: [Interval(date(2020, 1, 1), None)]})
        assert revise_eligibility(tx, [row.volunteer_id], now=at(16)) == 0

    def test_a_correction_keeps_what_was_agreed(self, tx: Session) -> None:
        """A reviewer says when somebody was there; how much of it is matched was decided by the piece."""
        row = served(tx)
        accept(tx, row)
        found = attendance_of(tx, row)
        assert found is not None
        decision = corrections.Decision(PROGRAMME, found.id, ANYTHING, "看过记录", REVIEWER, at(16))
        corrections.correct(tx, decision, Presence(NINE, at(10), EvidenceClass.MANUAL))
        assert minutes_of(tx, row) == (60, 60)
        corrections.correct(tx, decision, Presence(NINE, at(12), EvidenceClass.MANUAL))
        assert minutes_of(tx, row) == (180, 90)

    def test_what_a_reviewer_has_taken_back_stays_so(self, tx: Session) -> None:
        """The work is accepted; nothing is settled for it."""
        row = served(tx)
        found = attendance_of(tx, row)
        assert found is not None
        corrections.void(tx, corrections.Decision(PROGRAMME, found.id, ANYTHING, "代签", REVIEWER, at(13)))
        assert accept(tx, row).state == "accepted"
        assert (minutes_of(tx, row), found.state) == ((0, 0), "voided")

    def test_two_keys(self, tx: Session) -> None:
        """A partner's member who is the volunteer accepts nothing of their own, nor does another partner."""
        row = make_submitted(tx)
        with pytest.raises(rules.OwnDeliverable):
            accept(tx, row, by=row.volunteer_id)
        stranger = Judge(Scope(PROGRAMME, partner_id=uuid4()), HOST, NOON)
        with pytest.raises(NotFound):
            actions.accept(tx, stranger, row.id, pieces=None, reason=None, seen=ANYTHING)
        assert (row.state, facts(tx)) == ("submitted", [])

    def test_one_decides_on_what_one_has_read(self, tx: Session) -> None:
        """Who has read the first submission does not accept the second."""
        row = make_submitted(tx)
        seen = Seen.of(row)
        ask_again(tx, row)
        hand_in(tx, row, b"two")
        with pytest.raises(ChangedSince):
            accept(tx, row, seen=seen)

    @pytest.mark.parametrize("state", ["due", "overdue"])
    def test_nothing_is_accepted_that_was_not_handed_in(self, tx: Session, state: str) -> None:
        """Nor rejected, nor asked for again."""
        row = make_deliverable(tx, state=state)
        with pytest.raises(DeliverableClosed):
            accept(tx, row)
        with pytest.raises(DeliverableClosed):
            ask_again(tx, row)

    def test_a_place_that_is_gone_is_owed_nothing(self, tx: Session) -> None:
        """The host has called it off."""
        shift = make_work_shift(tx)
        row = make_submitted(tx, shift=shift, place=make_sign_up(tx, shift, state="cancelled_by_host"))
        with pytest.raises(NothingOwed):
            accept(tx, row)

    def test_a_merged_record_is_decided_of_no_more(self, tx: Session) -> None:
        """What it had went over, or was done twice."""
        row = make_submitted(tx)
        point_to(tx, row.volunteer_id, kept_id=make_volunteer(tx).id, now=NOON)
        with pytest.raises(RecordMerged):
            accept(tx, row)


class TestReject:
    def test_the_service_stays_and_nothing_is_matched(self, tx: Session) -> None:
        """DOMAIN.md section 10: deliverable rejected."""
        row = served(tx)
        actions.reject(tx, host(row), row.id, reason="与要求不符", seen=ANYTHING)
        assert (row.state, minutes_of(tx, row), place_state(tx, row)) == ("rejected", (180, 0), "attended")
        [fact] = facts(tx)
        assert isinstance(fact, DeliverableRejected)

    def test_who_was_not_scanned_has_no_minutes(self, tx: Session) -> None:
        """They did their part, and are not missed."""
        row = make_submitted(tx)
        actions.reject(tx, host(row), row.id, reason="与要求不符", seen=ANYTHING)
        assert (minutes_of(tx, row), place_state(tx, row)) == (None, "attended")
        [submission] = list_submissions(tx, row.id)
        assert (submission.answer, submission.reason) == ("rejected", "与要求不符")

    def test_what_is_recorded_of_it_later_is_not_matched(self, tx: Session) -> None:
        """A sheet, or the partner's roster, may still say that somebody was there."""
        row = make_submitted(tx)
        actions.reject(tx, host(row), row.id, reason="与要求不符", seen=ANYTHING)
        make_settled(tx, tx.get_one(Shift, row.shift_id), volunteer_id=row.volunteer_id)
        assert minutes_of(tx, row) == (180, 0)

    def test_a_decision_is_the_last(self, tx: Session) -> None:
        """Neither side changes it."""
        row = make_submitted(tx)
        accept(tx, row)
        with pytest.raises(DeliverableClosed):
            actions.reject(tx, host(row), row.id, reason="x", seen=ANYTHING)
        with pytest.raises(DeliverableClosed):
            accept(tx, row, pieces=2, reason="x")


class TestRevision:
    def test_work_is_asked_for_again_with_a_new_date(self, tx: Session) -> None:
        """Twice; the third answer is yes, in part, or no."""
        row = make_submitted(tx)

        ask_again(tx, row)
        assert (row.state, row.revisions, row.due_until) == (
            "revision_requested", 1, datetime(2022, 6, 6, 16, tzinfo=UTC),
        )  # fmt: skip
        assert row.waits_until == row.due_until
        hand_in(tx, row, b"two")
        ask_again(tx, row)
        hand_in(tx, row, b"three")
        with pytest.raises(RevisionsUsedUp):
            ask_again(tx, row)

        assert (row.state, row.revisions, row.submissions, row.decided_at) == ("submitted", 2, 3, None)
        asked = [each for each in facts(tx) if isinstance(each, DeliverableRevisionRequested)]
        assert [(each.submission, each.revisions) for each in asked] == [(1, 1), (2, 2)]
        assert accept(tx, row).accepted_pieces == 3

    def test_nobody_sends_their_own_work_back(self, tx: Session) -> None:
        """That would buy time."""
        row = make_submitted(tx)
        with pytest.raises(rules.OwnDeliverable):
            ask_again(tx, row, by=row.volunteer_id)


class TestMany:
    def test_each_is_accepted_for_itself(self, tx: Session) -> None:
        """What cannot be is told with its code, and keeps no other back; twice named is accepted once."""
        shift = make_work_shift(tx)
        good, revised, due = (make_submitted(tx, shift=shift) for _ in range(3))
        due.state, due.submissions, due.pieces = "due", 0, None
        ask_again(tx, revised)
        hand_in(tx, revised, b"two")
        own = make_submitted(tx, shift=shift, place=make_sign_up(tx, shift, volunteer=make_volunteer(tx, id=HOST)))
        asked = [(good.id, 1), (revised.id, 1), (due.id, 1), (own.id, 1), (good.id, 1), (revised.id, 2)]
        with pytest.raises(NotFound):
            actions.accept_many(tx, host(good), [*asked, (uuid4(), 1)])

        outcomes = actions.accept_many(tx, host(good), asked)

        codes = [each.code if isinstance(each, Refusal) else each.state for each in outcomes]
        assert codes == [
            "accepted", "submission_superseded", "submission_superseded", "own_deliverable", "accepted", "accepted",
        ]  # fmt: skip
        accepted = [each.deliverable_id for each in facts(tx) if isinstance(each, DeliverableAccepted)]
        assert accepted == [good.id, revised.id]
        assert [minutes_of(tx, each) for each in (good, revised, due, own)] == [(90, 90), (90, 90), None, None]

    def test_one_persons_shifts_are_shared_out(self, tx: Session) -> None:
        """Two works of one person at one time count once."""
        person = make_volunteer(tx)
        first, second = (make_work_shift(tx) for _ in range(2))
        one = make_submitted(tx, shift=first, place=make_sign_up(tx, first, volunteer=person))
        two = make_submitted(tx, shift=second, place=make_sign_up(tx, second, volunteer=person))
        everywhere = Judge(Scope(PROGRAMME), HOST, at(14))
        actions.accept_many(tx, everywhere, [(one.id, 1), (two.id, 1)])
        assert sorted(minutes_of(tx, each) or () for each in (one, two)) == [(0, 0), (90, 90)]


class TestEnd:
    def test_silence_accepts_everything(self, tx: Session) -> None:
        """After five working days, to the instant; in nobody's name, and once."""
        row = make_submitted(tx, waits_until=SILENT)

        assert [actions.end(tx, now=now) for now in (SILENT - timedelta(microseconds=1), SILENT, SILENT)] == [0, 1, 0]

        tx.refresh(row)
        assert (row.state, row.accepted_pieces, row.is_by_silence, row.decided_by) == ("accepted", 3, True, None)
        assert (minutes_of(tx, row), place_state(tx, row)) == ((90, 90), "attended")
        [fact] = facts(tx)
        assert isinstance(fact, DeliverableAccepted)
        assert (fact.is_by_silence, fact.is_partial, fact.at) == (True, False, SILENT)
        [submission] = list_submissions(tx, row.id)
        assert (submission.answer, submission.answered_by) == ("accepted", None)

    def test_what_never_came_is_abandoned(self, tx: Session) -> None:
        """DOMAIN.md section 10: overdue. Who was not there was missed, and there is nothing to claim."""
        row = make_deliverable(tx, state="overdue", waits_until=SILENT)
        assert actions.end(tx, now=SILENT) == 1
        assert (row.state, place_state(tx, row), minutes_of(tx, row)) == ("abandoned", "missed", None)
        [fact] = facts(tx)
        assert isinstance(fact, DeliverableAbandoned)

    def test_who_was_scanned_keeps_the_service(self, tx: Session) -> None:
        """Nothing of it is matched."""
        row = served(tx)
        row.state, row.waits_until = "overdue", SILENT
        tx.flush()
        actions.end(tx, now=SILENT)
        assert (row.state, place_state(tx, row), minutes_of(tx, row)) == ("abandoned", "attended", (180, 0))

    def test_a_place_that_is_gone_is_released(self, tx: Session) -> None:
        """Excused, called off, or merged into a record that has the place as well."""
        shift = make_work_shift(tx)
        excused = make_submitted(tx, shift=shift, place=make_sign_up(tx, shift, state="excused"))
        merged = make_submitted(tx, shift=shift)
        point_to(tx, merged.volunteer_id, kept_id=make_volunteer(tx).id, now=NOON)
        actions.end(tx, now=datetime(2022, 7, 1, tzinfo=UTC))
        assert [row.state for row in (excused, merged)] == ["released", "released"]
        assert facts(tx) == []

    def test_weeks_are_made_up_for_batch_by_batch(self, tx: Session) -> None:
        """The oldest first."""
        rows = [make_submitted(tx, waits_until=SILENT + timedelta(days=n)) for n in range(3)]
        weeks = SILENT + timedelta(weeks=4)
        assert [actions.end(tx, now=weeks, limit=2) for _ in range(3)] == [2, 1, 0]
        assert {row.state for row in rows} == {"accepted"}


def test_what_is_accepted_by_piece_is_no_share_below_scanned(tx: Session) -> None:
    """Or each claim of a partner with online work would go to a reviewer; nor was anything missed."""
    row = make_submitted(tx)
    accept(tx, row)
    assert claims.sum_evidence(tx, partner_id=row.partner_id, day=date(2022, 6, 1)) == (0, 0)
    scope = Scope(PROGRAMME, partner_id=row.partner_id)
    dates = {"since": date(2022, 6, 1), "until": date(2022, 6, 2)}
    assert (claims.list_evidence(tx, scope, **dates), claims.list_recovery(tx, scope, **dates)) == ([], [])


class TestAtOnce:
    @pytest.fixture
    def row(self, database: Database, programme: UUID) -> Deliverable:
        with database.transaction() as tx:
            return make_submitted(tx, programme_id=programme, waits_until=SILENT)

    def run(self, database: Database, act: Callable[[Session], Deliverable]) -> Callable[[], str]:
        def go() -> str:
            with database.transaction() as tx:
                return act(tx).state

        return go

    def timer(self, database: Database) -> int:
        with database.transaction() as tx:
            return actions.end(tx, now=SILENT, limit=10_000)

    def test_a_word_before_the_silence_holds(self, database: Database, row: Deliverable) -> None:
        """The timer waits for who decides, and finds it decided."""
        with held(database, lambda tx: accept(tx, row, pieces=1, reason="两件有错", now=SILENT)) as start:
            waiting = start(lambda: self.timer(database))
        assert isinstance(waiting.result(), int)
        with database.transaction() as tx:
            found = tx.get_one(Deliverable, row.id)
            assert (found.state, found.accepted_pieces, found.is_by_silence) == ("partially_accepted", 1, False)
            assert minutes_of(tx, row) == (30, 30)
            assert len(facts(tx, row.programme_id)) == 1

    def test_a_word_after_the_silence_comes_too_late(self, database: Database, row: Deliverable) -> None:
        """Whoever would have sent it back is told; whoever accepts it is shown that it is."""
        with held(database, lambda tx: actions.end(tx, now=SILENT, limit=10_000)) as start:
            waiting = start(self.run(database, lambda tx: ask_again(tx, row, now=SILENT)))
        assert waiting.result() == "deliverable_closed"
        assert self.run(database, lambda tx: accept(tx, row, now=SILENT))() == "accepted"
        with database.transaction() as tx:
            assert [type(each) for each in facts(tx, row.programme_id)] == [DeliverableAccepted]

    def test_two_partners_accept_once(self, database: Database, row: Deliverable) -> None:
        """One settlement, one fact."""
        tap = self.run(database, lambda tx: accept(tx, row))
        assert at_once(tap, tap) == ["accepted", "accepted"]
        with database.transaction() as tx:
            kinds = [type(each) for each in told(tx, row.programme_id)]
        assert (kinds.count(AttendanceSettled), kinds.count(DeliverableAccepted)) == (1, 1)

    def test_two_timers_accept_once(self, database: Database, row: Deliverable) -> None:
        """One settlement, one fact."""
        at_once(lambda: self.timer(database), lambda: self.timer(database))
        with database.transaction() as tx:
            assert minutes_of(tx, row) == (90, 90)
            assert [type(each) for each in facts(tx, row.programme_id)] == [DeliverableAccepted]

    def test_what_is_sent_while_it_is_sent_back_is_told_so(self, database: Database, row: Deliverable) -> None:
        """The same files are no revision; others are the second submission, and nothing is lost."""

        def send(digest: bytes) -> str:
            with database.transaction() as tx:
                hand_in(tx, row, digest, now=at(16))
                return tx.get_one(Deliverable, row.id).state

        with held(database, lambda tx: ask_again(tx, row)) as start:
            waiting = start(lambda: send(b"digest"))
        assert waiting.result() == "unchanged_submission"
        assert send(b"another") == "submitted"
        with database.transaction() as tx:
            found = tx.get_one(Deliverable, row.id)
            assert (found.submissions, found.revisions) == (2, 1)

    def test_who_asks_again_has_seen_what_was_sent(self, database: Database, row: Deliverable) -> None:
        """A revision that arrives first is not answered by what was said of the version before."""
        with database.transaction() as tx:
            ask_again(tx, row)
            seen = Seen.of(tx.get_one(Deliverable, row.id))
        with held(database, lambda tx: hand_in(tx, row, b"two")) as start:
            waiting = start(self.run(database, lambda tx: accept(tx, row, seen=seen)))
        assert waiting.result() == "precondition_failed"
