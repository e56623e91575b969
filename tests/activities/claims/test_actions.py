from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.actions import Presence
from services.activities.attendance.rules import BadTimes, InTheFuture
from services.activities.attendance.tables import Attendance
from services.activities.claims import actions, queries, rules
from services.activities.claims.actions import Answer, Claimant
from services.activities.claims.rules import Cause, Command, Said, Side
from services.activities.claims.tables import Claim
from services.activities.corrections import actions as corrections
from services.activities.corrections.actions import Decision
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.rules import Interval
from services.activities.listings.tables import Shift
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities import AttendanceSettled, EvidenceClass
from shared.events.activities_claims import (
    AttendanceClaimConfirmed,
    AttendanceClaimed,
    AttendanceClaimExpired,
    AttendanceClaimRejected,
    ClaimSide,
    MissedKind,
)
from shared.events.activities_shifts import ShiftHeld
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
    make_claim,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)

NOW, HOST, SECOND_REVIEWER = at(14), uuid4(), uuid4()
WEDNESDAY_AFTER, FRIDAY_AFTER = (datetime(2022, 6, day, 16, tzinfo=UTC) for day in (8, 10))
PARTNER = Claimant(PROGRAMME, HOST, Side.PARTNER, None, NOW)


@pytest.fixture
def tx(tx: Session) -> Session:
    """Begin with no claims that wait: other tests leave theirs."""
    later = datetime(2100, 1, 1, tzinfo=UTC)
    actions.pass_on(tx, now=later, limit=10_000)
    actions.expire(tx, now=later, limit=10_000)
    return tx


def said(volunteer_id: UUID, came: datetime | None = NINE, left: datetime = NOON) -> Said:
    return Said(volunteer_id, came, left, Cause.PHONE, "手机没电", None)


def missed(tx: Session, shift: Shift | None = None, **overrides: Any) -> SignUp:
    """Make somebody who was missed on a shift that is closed."""
    return make_sign_up(tx, shift or make_shift(tx, concluded_at=at(13)), state="missed", **overrides)


def shift_of(tx: Session, row: SignUp | Claim) -> Shift:
    return tx.get_one(Shift, row.shift_id)


def claim_own(tx: Session, place: SignUp, *, now: datetime = NOW, **times: Any) -> Claim:
    claimant = Claimant(place.programme_id, place.volunteer_id, Side.VOLUNTEER, None, now)
    return actions.claim_own(tx, claimant, shift_id=place.shift_id, said=said(place.volunteer_id, **times))


def host(claim: Claim, *, now: datetime = NOW) -> Answer:
    return Answer(Scope(claim.programme_id, partner_id=claim.partner_id), claim.id, HOST, Side.PARTNER, now)


def volunteer(claim: Claim, *, now: datetime = NOW) -> Answer:
    scope = Scope(claim.programme_id, volunteer_id=claim.volunteer_id)
    return Answer(scope, claim.id, claim.volunteer_id, Side.VOLUNTEER, now)


def reviewer(claim: Claim, *, by: UUID = REVIEWER, now: datetime = NOW) -> Answer:
    return Answer(Scope(claim.programme_id), claim.id, by, None, now)


def decide(tx: Session, claim: Claim, command: Command, *, by: UUID = REVIEWER, now: datetime = NOW) -> Claim:
    return actions.decide(tx, reviewer(claim, by=by, now=now), command=command, reason="看过照片", seen=ANYTHING)


def attendance_of(tx: Session, claim: Claim) -> Attendance:
    rows = select(Attendance).where(Attendance.shift_id == claim.shift_id)
    rows = rows.where(Attendance.volunteer_id == claim.volunteer_id).execution_options(populate_existing=True)
    return tx.scalars(rows).one()


def place_state(tx: Session, claim: Claim) -> str:
    return tx.scalars(select(SignUp.state).where(SignUp.id == claim.sign_up_id)).one()


def kinds(tx: Session, programme_id: UUID = PROGRAMME) -> list[type]:
    return [type(fact) for fact in told(tx, programme_id)]


class TestClaim:
    def test_a_volunteer_claims_and_the_partner_is_asked(self, tx: Session) -> None:
        """Nothing is settled by it; the same again changes nothing."""
        place = missed(tx)

        claim = claim_own(tx, place)
        again = claim_own(tx, place, now=NOW + timedelta(hours=1))

        assert again is claim
        assert (claim.kind, claim.side, claim.state, claim.review) == ("no_check_in", "volunteer", "open", None)
        assert (claim.answer_until, claim.decide_until) == (WEDNESDAY_AFTER, FRIDAY_AFTER)
        assert told(tx) == [
            AttendanceClaimed(
                programme_id=PROGRAMME, claim_id=claim.id, sign_up_id=place.id, shift_id=place.shift_id,
                listing_id=claim.listing_id, partner_id=claim.partner_id, volunteer_id=place.volunteer_id,
                kind=MissedKind.NO_CHECK_IN, claimed_by=ClaimSide.VOLUNTEER, at=NOW,
                answer_until=WEDNESDAY_AFTER, decide_until=FRIDAY_AFTER,
            )
        ]  # fmt: skip
        assert place_state(tx, claim) == "missed"

    def test_who_checked_in_claims_the_end_alone(self, tx: Session) -> None:
        """The check-in that was recorded counts, whatever is said of it."""
        shift = make_shift(tx, concluded_at=at(13))
        place = missed(tx, shift)
        make_attendance(tx, shift, volunteer_id=place.volunteer_id, checked_in_at=at(9, 10))

        claim = claim_own(tx, place, came=None)

        assert (claim.kind, claim.checked_in_at, claim.checked_out_at) == ("no_check_out", at(9, 10), NOON)

    def test_a_partner_claims_for_many(self, tx: Session) -> None:
        """Each by themselves: who cannot be claimed for does not stand in the way of the others."""
        shift = make_shift(tx, concluded_at=at(13))
        first, second, attended = missed(tx, shift), missed(tx, shift), make_sign_up(tx, shift, state="attended")
        stranger = make_volunteer(tx)
        people = (first, second, attended, first)

        outcomes = actions.claim_many(
            tx, PARTNER, shift_id=shift.id, said=[*(said(each.volunteer_id) for each in people), said(stranger.id)]
        )

        claims = [each for each in outcomes if isinstance(each, Claim)]
        refusals = [type(each) for each in outcomes if not isinstance(each, Claim)]
        assert [claim.sign_up_id for claim in claims] == [first.id, second.id, first.id]
        assert claims[0] is claims[2]
        assert refusals == [rules.NothingMissed, NotSignedUp]
        assert kinds(tx) == [AttendanceClaimed] * 2
        assert {claim.side for claim in claims} == {"partner"}

    def test_a_place_has_one_claim(self, tx: Session) -> None:
        """Other times, or the other side's word, are no second one: they are an answer."""
        place = missed(tx)
        claim_own(tx, place)
        with pytest.raises(rules.ClaimExists):
            claim_own(tx, place, left=at(11))
        (outcome,) = actions.claim_many(tx, PARTNER, shift_id=place.shift_id, said=[said(place.volunteer_id)])
        assert isinstance(outcome, rules.ClaimExists)

    @pytest.mark.parametrize(
        ("times", "refusal"),
        [
            ({"came": None}, BadTimes),
            ({"came": NOON, "left": NINE}, BadTimes),
            ({"came": at(12), "left": at(13)}, BadTimes),
            ({"left": at(15)}, InTheFuture),
        ],
        ids=["no arrival", "negative", "after the shift", "future"],
    )
    def test_impossible_times_are_refused(self, tx: Session, times: dict[str, Any], refusal: type[Exception]) -> None:
        """Nothing is written, nothing told."""
        place = missed(tx)
        with pytest.raises(refusal):
            claim_own(tx, place, **times)
        assert (told(tx), tx.scalars(select(Claim).where(Claim.sign_up_id == place.id)).all()) == ([], [])

    def test_after_its_time_nothing_is_claimed(self, tx: Session) -> None:
        """The last instant is in time, and leaves two working days for the answer."""
        place = missed(tx)
        with pytest.raises(rules.ClaimTooLate):
            claim_own(tx, place, now=FRIDAY_AFTER)
        late = claim_own(tx, place, now=FRIDAY_AFTER - timedelta(seconds=1))
        assert late.answer_until == datetime(2022, 6, 14, 16, tzinfo=UTC)

    def test_others_shifts_and_programmes_are_unknown(self, tx: Session) -> None:
        """Nobody claims for people of another partner."""
        place = missed(tx)
        for claimant in (replace(PARTNER, partner_id=uuid4()), replace(PARTNER, programme_id=uuid4())):
            with pytest.raises(NotFound):
                actions.claim_many(tx, claimant, shift_id=place.shift_id, said=[said(place.volunteer_id)])


class TestConfirm:
    def test_two_keys_settle_the_attendance(self, tx: Session) -> None:
        """As claimed, clipped to the shift; the place is attended, the shift held; again changes nothing."""
        place = missed(tx)
        claim = claim_own(tx, place, came=at(8), left=at(12, 30))

        for _ in range(2):
            actions.confirm(tx, host(claim))

        record = attendance_of(tx, claim)
        assert (claim.state, claim.review, claim.answered_by) == ("confirmed", None, HOST)
        assert (record.state, record.version, record.evidence) == ("settled", 1, "claimed")
        assert (record.started_at, record.ended_at, record.service_minutes) == (NINE, NOON, 180)
        assert place_state(tx, claim) == "attended"
        shift = shift_of(tx, claim)
        tx.refresh(shift)
        assert (shift.state, shift.taken) == ("held", 1)
        assert kinds(tx) == [AttendanceClaimed, AttendanceSettled, ShiftHeld, AttendanceClaimConfirmed]
        last = told(tx)[-1]
        assert isinstance(last, AttendanceClaimConfirmed)
        assert last.confirmed_by == ClaimSide.PARTNER

    def test_a_confirmed_end_is_the_partners_word(self, tx: Session) -> None:
        """Evidence `attested`; the attendance that was there is settled."""
        shift = make_shift(tx, concluded_at=at(13))
        place = missed(tx, shift)
        there = make_attendance(tx, shift, volunteer_id=place.volunteer_id)
        claim = claim_own(tx, place, came=None, left=at(11))

        actions.confirm(tx, host(claim))

        record = attendance_of(tx, claim)
        assert (record.id, record.state, record.evidence, record.service_minutes) == (
            there.id, "settled", "attested", 120,
        )  # fmt: skip

    def test_a_volunteer_confirms_what_the_partner_claims(self, tx: Session) -> None:
        """The other way round it takes two keys as well."""
        place = missed(tx)
        (claim,) = actions.claim_many(tx, PARTNER, shift_id=place.shift_id, said=[said(place.volunteer_id)])
        assert isinstance(claim, Claim)
        with pytest.raises(rules.OwnClaim):
            actions.confirm(tx, host(claim))

        actions.confirm(tx, volunteer(claim))

        assert attendance_of(tx, claim).evidence == "claimed"

    def test_a_no_show_is_appealed_by_a_claim(self, tx: Session) -> None:
        """The partner may have been wrong, and say so."""
        place = make_sign_up(tx, make_shift(tx, concluded_at=at(13)), state="no_show")
        claim = claim_own(tx, place)
        actions.confirm(tx, host(claim))
        assert place_state(tx, claim) == "attended"

    def test_a_partner_of_many_other_words_needs_a_reviewer(self, tx: Session) -> None:
        """Confirmed, and not settled: beyond 30 % of a month's minutes below `scanned`."""
        place = missed(tx)
        shift = shift_of(tx, place)
        other = make_shift(tx, partner_id=shift.partner_id, ends_at=NINE + timedelta(hours=24))
        for evidence in (EvidenceClass.SCANNED, EvidenceClass.CLAIMED):
            record = make_attendance(tx, other)
            presence = Presence(NINE, NINE + timedelta(hours=12), evidence)
            settlement = attendance.Settlement(
                record.id, record.volunteer_id, other, 1, presence, "made", REVIEWER, NOON
            )
            attendance.settle(tx, [settlement])
        claim = claim_own(tx, place)

        actions.confirm(tx, host(claim))

        assert (claim.state, claim.review, place_state(tx, claim)) == ("confirmed", "gate", "missed")
        assert AttendanceClaimConfirmed not in kinds(tx)
        decide(tx, claim, Command.UPHOLD)
        assert (claim.state, attendance_of(tx, claim).evidence) == ("upheld", "manual")

    def test_what_is_matched_of_it_is_a_matter_of_eligibility(self, tx: Session) -> None:
        """As of every service: somebody who had left served, and nothing of it becomes money."""
        claim = claim_own(tx, missed(tx))
        letter = eligibility.Record(PROGRAMME, "letter", REVIEWER, NOON)
        eligibility.take_over(tx, letter, {claim.volunteer_id: Interval(date(2020, 1, 1), claim.service_on)})

        actions.confirm(tx, host(claim))

        record = attendance_of(tx, claim)
        assert (record.state, record.service_minutes, record.matchable_minutes) == ("settled", 180, 0)

    def test_what_was_settled_otherwise_is_not_settled_again(self, tx: Session) -> None:
        """A correction came first."""
        shift = make_shift(tx, concluded_at=at(13))
        place = missed(tx, shift)
        record = make_attendance(tx, shift, volunteer_id=place.volunteer_id)
        claim = claim_own(tx, place, came=None)
        decision = Decision(PROGRAMME, record.id, ANYTHING, "机构更正", REVIEWER, NOW)
        corrections.correct(tx, decision, Presence(NINE, at(10), EvidenceClass.ATTESTED))

        with pytest.raises(rules.NothingMissed):
            actions.confirm(tx, host(claim))

    def test_an_answer_comes_in_time(self, tx: Session) -> None:
        """Until the end it does, also when the reviewers have it; at the end it does not."""
        claim = claim_own(tx, missed(tx))
        actions.pass_on(tx, now=WEDNESDAY_AFTER, limit=10)
        with pytest.raises(rules.ClaimTooLate):
            actions.confirm(tx, host(claim, now=FRIDAY_AFTER))
        actions.confirm(tx, host(claim, now=FRIDAY_AFTER - timedelta(seconds=1)))
        assert claim.state == "confirmed"

    def test_others_claims_are_unknown(self, tx: Session) -> None:
        """Another partner's member, another volunteer, another programme."""
        claim = claim_own(tx, missed(tx))
        for scope in (Scope(PROGRAMME, partner_id=uuid4()), Scope(PROGRAMME, volunteer_id=uuid4()), Scope(uuid4())):
            with pytest.raises(NotFound):
                actions.confirm(tx, replace(host(claim), scope=scope))


class TestReview:
    def objected(self, tx: Session) -> Claim:
        claim = claim_own(tx, missed(tx))
        return actions.object_to(tx, host(claim), objection="没有看到他")

    def test_an_objection_goes_to_a_reviewer(self, tx: Session) -> None:
        """Again changes nothing; confirming afterwards is too late."""
        claim = self.objected(tx)
        actions.object_to(tx, host(claim), objection="再次")

        assert (claim.state, claim.review, claim.objection) == ("objected", "objected", "没有看到他")
        with pytest.raises(rules.ClaimSettled):
            actions.confirm(tx, host(claim))

    def test_a_reviewer_upholds_on_the_evidence(self, tx: Session) -> None:
        """Evidence `manual`, with the reason."""
        claim = decide(tx, self.objected(tx), Command.UPHOLD)

        record = attendance_of(tx, claim)
        assert (claim.state, claim.review, claim.decision_reason) == ("upheld", None, "看过照片")
        assert (record.evidence, record.service_minutes, place_state(tx, claim)) == ("manual", 180, "attended")
        last = told(tx)[-1]
        assert isinstance(last, AttendanceClaimConfirmed)
        assert last.confirmed_by == ClaimSide.REVIEWER

    def test_a_reviewer_rejects_and_it_is_told(self, tx: Session) -> None:
        """Nothing is settled."""
        claim = decide(tx, self.objected(tx), Command.REJECT)
        assert (claim.state, claim.decided_by, place_state(tx, claim)) == ("rejected", REVIEWER, "missed")
        assert kinds(tx) == [AttendanceClaimed, AttendanceClaimRejected]

    def test_a_reviewer_does_not_forestall_the_other_side(self, tx: Session) -> None:
        """An open claim is the other side's until its answer is overdue."""
        claim = claim_own(tx, missed(tx))
        with pytest.raises(rules.NotForReview):
            decide(tx, claim, Command.UPHOLD)
        actions.pass_on(tx, now=WEDNESDAY_AFTER, limit=10)
        assert decide(tx, claim, Command.UPHOLD, now=WEDNESDAY_AFTER).state == "upheld"

    def test_a_reviewer_decides_in_time_and_on_what_was_read(self, tx: Session) -> None:
        """And is none of those whom it is about."""
        claim = self.objected(tx)
        with pytest.raises(rules.ClaimTooLate):
            decide(tx, claim, Command.UPHOLD, now=FRIDAY_AFTER)
        for by in (claim.volunteer_id, HOST):
            with pytest.raises(rules.OwnClaim):
                decide(tx, claim, Command.UPHOLD, by=by)
        with pytest.raises(ChangedSince):
            actions.decide(tx, reviewer(claim), command=Command.UPHOLD, reason="看过", seen=Seen(tags=("x",)))

    def test_an_appeal_is_decided_by_another_reviewer(self, tx: Session) -> None:
        """Once; until then the claim stands rejected."""
        claim = decide(tx, self.objected(tx), Command.REJECT)
        actions.appeal(tx, volunteer(claim), words="有照片")
        assert (claim.state, claim.review) == ("rejected", "appeal")
        with pytest.raises(rules.SameReviewer):
            decide(tx, claim, Command.UPHOLD)

        late = FRIDAY_AFTER + timedelta(days=30)  # An appeal has no end: it is a person's to decide.
        decide(tx, claim, Command.REJECT, by=SECOND_REVIEWER, now=late)

        assert (claim.state, claim.review, claim.decided_by, claim.first_decided_by) == (
            "rejected", None, SECOND_REVIEWER, REVIEWER,
        )  # fmt: skip
        with pytest.raises(rules.AppealedOnce):
            actions.appeal(tx, volunteer(claim), words="再次")

    def test_an_appeal_that_is_upheld_settles(self, tx: Session) -> None:
        """As a reviewer's word."""
        claim = decide(tx, self.objected(tx), Command.REJECT)
        actions.appeal(tx, volunteer(claim), words="有照片")
        decide(tx, claim, Command.UPHOLD, by=SECOND_REVIEWER)
        assert (claim.state, place_state(tx, claim)) == ("upheld", "attended")

    def test_an_appeal_comes_within_five_working_days(self, tx: Session) -> None:
        """After the decision, of 1 June."""
        claim = decide(tx, self.objected(tx), Command.REJECT)
        with pytest.raises(rules.ClaimTooLate):
            actions.appeal(tx, volunteer(claim, now=WEDNESDAY_AFTER), words="有照片")
        actions.appeal(tx, volunteer(claim, now=WEDNESDAY_AFTER - timedelta(seconds=1)), words="有照片")

    def test_what_holds_is_not_appealed(self, tx: Session) -> None:
        """Nor what is still open."""
        claim = claim_own(tx, missed(tx))
        with pytest.raises(rules.ClaimSettled):
            actions.appeal(tx, volunteer(claim), words="快点")
        actions.confirm(tx, host(claim))
        with pytest.raises(rules.ClaimSettled):
            actions.appeal(tx, host(claim), words="不对")


class TestTimers:
    def test_unanswered_claims_go_to_the_reviewers_and_then_end(self, tx: Session) -> None:
        """Run twice, and late: no timer settles anything."""
        claim = claim_own(tx, missed(tx))
        just_before = WEDNESDAY_AFTER - timedelta(seconds=1)
        assert [actions.pass_on(tx, now=now, limit=9) for now in (just_before, WEDNESDAY_AFTER, FRIDAY_AFTER)] == [
            0, 1, 0,
        ]  # fmt: skip
        assert (claim.state, claim.review) == ("open", "unanswered")

        ends = (FRIDAY_AFTER - timedelta(seconds=1), FRIDAY_AFTER, FRIDAY_AFTER + timedelta(days=9))
        assert [actions.expire(tx, now=now, limit=9) for now in ends] == [0, 1, 0]

        assert (claim.state, claim.review, claim.decided_at) == ("expired", None, FRIDAY_AFTER)
        assert kinds(tx) == [AttendanceClaimed, AttendanceClaimExpired]
        assert place_state(tx, claim) == "missed"

    def test_what_nobody_decided_ends_too(self, tx: Session) -> None:
        """An objection that no reviewer looked at; it can be appealed from then on."""
        claim = claim_own(tx, missed(tx))
        actions.object_to(tx, host(claim), objection="没有看到")
        assert actions.expire(tx, now=FRIDAY_AFTER, limit=9) == 1
        actions.appeal(tx, volunteer(claim, now=FRIDAY_AFTER), words="没有人看")
        assert actions.expire(tx, now=FRIDAY_AFTER + timedelta(days=99), limit=9) == 0
        assert decide(tx, claim, Command.UPHOLD, now=FRIDAY_AFTER).state == "upheld"

    def test_an_outage_over_both_ends_leaves_the_reviewers_their_look(self, tx: Session) -> None:
        """In one run a claim is passed on and ended; the appeal is what is left."""
        claim = claim_own(tx, missed(tx))
        assert (actions.pass_on(tx, now=FRIDAY_AFTER, limit=9), actions.expire(tx, now=FRIDAY_AFTER, limit=9)) == (1, 1)
        assert claim.state == "expired"

    def test_a_run_has_a_limit(self, tx: Session) -> None:
        """The next one goes on."""
        shift = make_shift(tx, concluded_at=at(13))
        for _ in range(3):
            claim_own(tx, missed(tx, shift))
        assert [actions.pass_on(tx, now=WEDNESDAY_AFTER, limit=2) for _ in range(3)] == [2, 1, 0]


class TestFigures:
    def test_what_was_missed_adds_up(self, tx: Session) -> None:
        """By partner: recovered, settled otherwise, rejected, expired, open, unclaimed."""
        shift = make_shift(tx, concluded_at=at(13))
        upheld, rejected, expired, _ = (claim_own(tx, missed(tx, shift)) for _ in range(4))
        confirmed, _ = claim_own(tx, missed(tx, shift)), missed(tx, shift)
        actions.confirm(tx, host(confirmed))
        for claim, command in ((upheld, Command.UPHOLD), (rejected, Command.REJECT)):
            actions.object_to(tx, host(claim), objection="没有")
            decide(tx, claim, command)
        actions.object_to(tx, host(expired), objection="没有")
        actions.expire(tx, now=FRIDAY_AFTER, limit=9)
        make_sign_up(tx, shift, state="attended", ended_at=at(15))
        make_sign_up(tx, shift, state="attended", ended_at=at(13))

        (row,) = queries.list_recovery(tx, Scope(PROGRAMME), since=date(2022, 6, 1), until=date(2022, 6, 2))

        assert row._asdict() == {
            "partner_id": shift.partner_id, "missed": 7, "recovered": 2, "settled_otherwise": 1, "rejected": 1,
            "expired": 1, "open": 1, "unclaimed": 1,
        }  # fmt: skip
        for scope, since in ((Scope(PROGRAMME, partner_id=uuid4()), 1), (Scope(uuid4()), 1), (Scope(PROGRAMME), 2)):
            assert queries.list_recovery(tx, scope, since=date(2022, 6, since), until=date(2022, 6, 3)) == []

    def test_what_is_not_scanned_is_summed_by_month(self, tx: Session) -> None:
        """With what a reviewer's look depends on."""
        shift = make_shift(tx, concluded_at=at(13))
        make_settled(tx, shift)
        actions.confirm(tx, host(claim_own(tx, missed(tx, shift))))
        july = make_shift(tx, partner_id=shift.partner_id, service_on=date(2022, 7, 1))
        make_settled(tx, july, left=at(10))

        rows = queries.list_evidence(tx, Scope(PROGRAMME), since=date(2022, 6, 1), until=date(2022, 8, 1))

        assert [tuple(row) for row in rows] == [
            (shift.partner_id, date(2022, 6, 1), 360, 180), (shift.partner_id, date(2022, 7, 1), 60, 0),
        ]  # fmt: skip
        assert queries.sum_evidence(tx, partner_id=shift.partner_id, day=date(2022, 6, 30)) == (360, 180)
        assert queries.sum_evidence(tx, partner_id=uuid4(), day=date(2022, 6, 30)) == (0, 0)


def test_the_words_about_who_is_erased_are_emptied(tx: Session) -> None:
    """By whomever they are; what was decided stays."""
    claim = claim_own(tx, missed(tx))
    actions.object_to(tx, host(claim), objection="没有看到")
    other = claim_own(tx, missed(tx))

    actions.forget_words_of(tx, volunteer_id=claim.volunteer_id)

    tx.refresh(claim)
    assert (claim.words, claim.objection, claim.state, other.words) == ("", None, "objected", "手机没电")


class TestAtOnce:
    @pytest.fixture
    def claim(self, database: Database, programme: UUID) -> Claim:
        with database.transaction() as tx:
            place = missed(tx, make_shift(tx, programme_id=programme, concluded_at=at(13)))
            return make_claim(tx, place, shift=shift_of(tx, place))

    def run(self, database: Database, act: Callable[[Session], Claim]) -> Callable[[], str]:
        def go() -> str:
            with database.transaction() as tx:
                return act(tx).state

        return go

    def test_two_taps_are_one_confirmation(self, database: Database, claim: Claim, programme: UUID) -> None:
        """Settled once."""
        confirm = self.run(database, lambda tx: actions.confirm(tx, host(claim)))
        assert at_once(confirm, confirm) == ["confirmed", "confirmed"]
        with database.transaction() as tx:
            assert kinds(tx, programme) == [AttendanceSettled, ShiftHeld, AttendanceClaimConfirmed]

    def test_of_a_yes_and_a_no_one_wins(self, database: Database, claim: Claim) -> None:
        """Whoever is second is told."""
        with held(database, lambda tx: actions.object_to(tx, host(claim), objection="没有")) as start:
            waiting = start(self.run(database, lambda tx: actions.confirm(tx, host(claim))))
        assert waiting.result() == "claim_settled"

    def test_the_timer_passes_over_what_is_being_answered(self, database: Database, claim: Claim) -> None:
        """And finds it answered the next time."""
        confirmed: list[str] = []

        def confirm(tx: Session) -> None:
            confirmed.append(actions.confirm(tx, host(claim)).state)
            tx.flush()
            with database.apart() as other:
                actions.pass_on(other, now=FRIDAY_AFTER, limit=1_000)
                assert other.get_one(Claim, claim.id).review is None
                other.rollback()

        with database.transaction() as tx:
            confirm(tx)
        with database.transaction() as tx:
            actions.pass_on(tx, now=FRIDAY_AFTER, limit=1_000)
            assert (tx.get_one(Claim, claim.id).state, confirmed) == ("confirmed", ["confirmed"])

    def test_a_claim_made_twice_at_once_is_one(self, database: Database, programme: UUID) -> None:
        """Two devices."""
        with database.transaction() as tx:
            place = missed(tx, make_shift(tx, programme_id=programme, concluded_at=at(13)))

        def claim() -> UUID:
            with database.transaction() as tx:
                return claim_own(tx, place).id

        first, second = at_once(claim, claim)
        assert first == second
