"""What is claimed and recorded of a person before their two records become one."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.attendance.queries import list_attendance_of
from services.activities.claims import actions as claims
from services.activities.claims.actions import Answer, Claimant
from services.activities.claims.rules import Cause, Command, OwnClaim, Said, Side
from services.activities.claims.tables import Claim
from services.activities.incidents.tables import Incident
from services.activities.listings.tables import Shift
from services.activities.merges import actions
from services.activities.merges.actions import Decision
from services.activities.merges.rules import MergeBlocked
from services.activities.merges.tables import Merge
from services.activities.personal_data import actions as personal_data
from services.activities.rosters import actions as rosters
from services.activities.rosters.rules import State as WalkedIn
from services.activities.rosters.tables import WalkIn
from services.activities.sign_ups.queries import find_states_of
from services.activities.sign_ups.rules import NotSignedUp
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.rules import RecordMerged
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.seen import ANYTHING
from tests.activities.racing import held, outcome
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_claim,
    make_incident,
    make_merge,
    make_shift,
    make_sign_up,
    make_walk_in,
)

OTHER, HOST = UUID("01800000-0000-7000-8000-00000000000c"), uuid4()
NOW = at(14)


@pytest.fixture
def merge(tx: Session) -> Merge:
    return make_merge(tx)


@pytest.fixture
def shift(tx: Session) -> Shift:
    return make_shift(tx, concluded_at=at(13))


def approve(tx: Session, merge: Merge) -> None:
    tx.flush()
    actions.approve(tx, Decision(merge.programme_id, merge.id, ANYTHING, OTHER, NOW))
    tx.expire_all()


def missed(tx: Session, shift: Shift, volunteer_id: UUID, state: str = "missed") -> SignUp:
    return make_sign_up(tx, shift, volunteer=tx.get_one(Volunteer, volunteer_id), state=state, ended_at=NOON)


def claimed(tx: Session, shift: Shift, volunteer_id: UUID, **values: object) -> Claim:
    return make_claim(tx, missed(tx, shift, volunteer_id), shift=shift, **values)


def host(claim: Claim, by: UUID = HOST) -> Answer:
    return Answer(Scope(claim.programme_id, partner_id=claim.partner_id), claim.id, by, Side.PARTNER, NOW)


def attended(tx: Session, volunteer_id: UUID) -> list[tuple[UUID, str, int]]:
    rows = list_attendance_of(tx, volunteer_id=volunteer_id, limit=9)
    return [(row.shift_id, row.state, row.service_minutes) for row in rows]


class TestClaims:
    def test_a_claim_goes_over_with_its_sign_up(self, tx: Session, merge: Merge, shift: Shift) -> None:
        """And is answered and settled as the record that stays."""
        claim = claimed(tx, shift, merge.merged_id)

        approve(tx, merge)
        claims.confirm(tx, host(claim))

        assert (claim.volunteer_id, claim.state) == (merge.kept_id, "confirmed")
        assert attended(tx, merge.kept_id) == [(shift.id, "settled", 180)]
        assert attended(tx, merge.merged_id) == []
        assert find_states_of(tx, volunteer_id=merge.kept_id) == {shift.id: "attended"}

    def test_a_check_out_is_claimed_of_who_came_as_the_other_record(
        self, tx: Session, merge: Merge, shift: Shift
    ) -> None:
        """What never ended has gone over too, as another attendance."""
        claim = claimed(tx, shift, merge.merged_id, kind="no_check_out")
        make_attendance(tx, shift, volunteer_id=merge.merged_id)

        approve(tx, merge)
        claims.confirm(tx, host(claim))

        assert attended(tx, merge.kept_id) == [(shift.id, "settled", 180)]
        assert attended(tx, merge.merged_id) == [(shift.id, "voided", 0)]  # Still found, by the place that went over.

    def test_one_person_has_one_key(self, tx: Session, merge: Merge, shift: Shift) -> None:
        """Also if they are a member of the partner by the record that stays."""
        claim = claimed(tx, shift, merge.merged_id)
        approve(tx, merge)
        with pytest.raises(OwnClaim):
            claims.confirm(tx, host(claim, by=merge.kept_id))

    def test_a_claim_that_waits_stands_against_it_where_both_signed_up(
        self, tx: Session, merge: Merge, shift: Shift
    ) -> None:
        """Once it is decided it does not; it stays where it is, and nobody does anything with it any more."""
        claim = claimed(tx, shift, merge.merged_id)
        missed(tx, shift, merge.kept_id, state="withdrawn")
        with pytest.raises(MergeBlocked) as refused:
            approve(tx, merge)
        assert refused.value.facts["shifts"] == {str(shift.id): "open_claim"}
        claims.object_to(tx, host(claim), objection="没有看到")
        with pytest.raises(MergeBlocked):
            approve(tx, merge)
        reviewer = Answer(Scope(PROGRAMME), claim.id, REVIEWER, None, NOW)
        claims.decide(tx, reviewer, command=Command.REJECT, reason="无证据", seen=ANYTHING)

        approve(tx, merge)

        assert (claim.volunteer_id, claim.state) == (merge.merged_id, "rejected")
        own = Answer(Scope(PROGRAMME, volunteer_id=merge.merged_id), claim.id, merge.merged_id, Side.VOLUNTEER, NOW)
        with pytest.raises(RecordMerged) as merged:
            claims.appeal(tx, own, words="再看一次")
        assert merged.value.facts["merged_into"] == merge.kept_id

    def test_nothing_is_claimed_for_a_record_that_went(self, tx: Session, merge: Merge, shift: Shift) -> None:
        """It has a sign-up still, where both had one."""
        for person in (merge.kept_id, merge.merged_id):
            missed(tx, shift, person)
        approve(tx, merge)
        own = Claimant(PROGRAMME, merge.merged_id, Side.VOLUNTEER, None, NOW)
        with pytest.raises(NotSignedUp):
            claims.claim_own(
                tx, own, shift_id=shift.id, said=Said(merge.merged_id, NINE, NOON, Cause.PHONE, "没电", None)
            )


class TestWalkIns:
    def test_a_walk_in_is_answered_as_the_record_that_stays(self, tx: Session, merge: Merge) -> None:
        """The other one answers nothing any more."""
        shift = make_shift(tx)
        walk_in = make_walk_in(tx, shift, volunteer_id=merge.merged_id)

        approve(tx, merge)

        scopes = [Scope(PROGRAMME, volunteer_id=person) for person in (merge.merged_id, merge.kept_id)]
        with pytest.raises(NotFound):
            rosters.answer_walk_in(tx, scopes[0], walk_in_id=walk_in.id, answer=WalkedIn.CONFIRMED, now=NOW)
        rosters.answer_walk_in(tx, scopes[1], walk_in_id=walk_in.id, answer=WalkedIn.CONFIRMED, now=NOW)
        assert attended(tx, merge.kept_id) == [(shift.id, "settled", 180)]

    def test_some_walk_ins_stay(self, tx: Session, merge: Merge) -> None:
        """Where the other record has one, and where it has the partner's key: that would be both."""
        both, own = make_shift(tx), make_shift(tx)
        make_walk_in(tx, both, volunteer_id=merge.kept_id)
        left = [
            make_walk_in(tx, both, volunteer_id=merge.merged_id),
            make_walk_in(tx, own, volunteer_id=merge.merged_id, recorded_by=merge.kept_id),
        ]

        approve(tx, merge)

        for walk_in in left:
            assert tx.get_one(WalkIn, walk_in.id).volunteer_id == merge.merged_id
            scope = Scope(PROGRAMME)
            with pytest.raises(NotFound):
                rosters.answer_walk_in(tx, scope, walk_in_id=walk_in.id, answer=WalkedIn.CONFIRMED, now=NOW)


class TestPersonalData:
    @pytest.fixture
    def rows(self, tx: Session, merge: Merge, shift: Shift) -> tuple[Claim, WalkIn, Incident]:
        """Leave with the record that went what does not go over."""
        missed(tx, shift, merge.kept_id)
        claim = claimed(tx, shift, merge.merged_id, state="expired", decided_at=NOW)
        walk_in = make_walk_in(tx, make_shift(tx), volunteer_id=merge.merged_id, recorded_by=merge.kept_id)
        incident = make_incident(tx, shift=shift, opened_by=merge.merged_id, opened_side="volunteer")
        approve(tx, merge)
        return claim, walk_in, incident

    def test_an_export_has_them(self, tx: Session, merge: Merge, rows: tuple[Claim, WalkIn, Incident]) -> None:
        """By the record that stays."""
        found = personal_data.export(tx, personal_data.Request(PROGRAMME, merge.kept_id, REVIEWER, "asked", NOW))
        assert (found.claims, found.walk_ins, found.incidents) == tuple([row] for row in rows)

    def test_an_erasure_empties_their_words(
        self, tx: Session, merge: Merge, rows: tuple[Claim, WalkIn, Incident]
    ) -> None:
        """They are the person's, by whichever record."""
        personal_data.erase(tx, personal_data.Request(PROGRAMME, merge.kept_id, REVIEWER, "asked", at(20)))
        tx.expire_all()
        claim, _, incident = rows
        assert (claim.words, incident.details) == ("", "")


def test_an_answer_that_waits_for_a_merge_is_given_again(database: Database, programme: UUID) -> None:
    """It was about a record that is none any more; the second time it is about the other one."""
    with database.transaction() as tx:
        merge = make_merge(tx, programme_id=programme)
        claim = claimed(tx, make_shift(tx, programme_id=programme, concluded_at=at(13)), merge.merged_id)
        answer = host(claim)

    def confirm() -> str:
        with database.transaction() as tx:
            return claims.confirm(tx, answer).state

    with held(database, lambda tx: approve(tx, merge)) as start:
        waiting = start(confirm)

    assert (waiting.result(), outcome(confirm)) == ("record_merged", "confirmed")
