from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from services.activities.partners.rules import (
    NoAgreement,
    PartnerBarred,
    PartnerPaused,
    QuotaUsedUp,
    UnknownPartner,
)
from services.activities.partners.tables import PartnerPause, PartnerStanding
from services.activities.proposals import actions, queries, rules
from services.activities.proposals.actions import By
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.rounds.actions import cancel_round
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities_proposals import ProposalSubmitted
from shared.seen import ANYTHING, Seen, tag_of
from shared.zones import UnknownTimezone
from tests.activities.proposed import emitted
from tests.activities.racing import held
from tests.factories.activities import NINE, PROGRAMME, make_partner, make_round
from tests.factories.proposals import CONTENT, DAY, MEMBER, by, make_content, make_proposal

SECOND = timedelta(seconds=1)


def submit(tx: Session, proposal: Proposal, by_: By | None = None) -> Proposal:
    return actions.submit(tx, by_ or by(proposal), proposal.id, seen=ANYTHING)


def stand(tx: Session, proposal: Proposal, standing: str, quota: int | None = None) -> None:
    tx.add(
        PartnerStanding(
            partner_id=proposal.partner_id, programme_id=PROGRAMME, standing=standing, weekly_quota=quota,
            cause=None, effective_at=NINE, version=1,
        )
    )  # fmt: skip
    tx.flush()


class TestDraft:
    def test_drafts_are_numbered_in_their_round(self, tx: Session) -> None:
        """Whoever's they are; another round counts anew. Nothing is told of a draft."""
        call, other = make_round(tx), make_round(tx, number=2, opens_at=NINE + 7 * DAY)
        made = [make_proposal(tx, call=each) for each in (call, call, other)]

        assert [each.number for each in made] == [1, 2, 1]
        assert (made[0].state, made[0].title, made[0].content) == (State.DRAFT, CONTENT.title, CONTENT)
        assert (made[0].drafted_by, made[0].drafted_at, made[0].submissions) == (MEMBER, NINE, 0)
        assert emitted(tx) == []

    def test_only_of_a_known_partner_in_a_round_of_the_programme(self, tx: Session) -> None:
        """Another programme's look as if they did not exist."""
        call, partner, elsewhere = make_round(tx), make_partner(tx), uuid4()
        foreign, there = make_partner(tx, programme_id=elsewhere), make_round(tx, programme_id=elsewhere)
        wrong = make_content(timezone="Mars/Olympus")
        staff = By(PROGRAMME, MEMBER, None, NINE)
        for partner_id, round_id, content, refusal in (
            (uuid4(), call.id, CONTENT, UnknownPartner),
            (foreign.id, call.id, CONTENT, UnknownPartner),
            (partner.id, there.id, CONTENT, rules.UnknownRound),
            (partner.id, call.id, wrong, UnknownTimezone),
        ):
            with pytest.raises(refusal):
                actions.draft(tx, staff, partner_id=partner_id, round_id=round_id, content=content)

    def test_a_draft_may_be_unfit_and_is_edited_on_a_reading(self, tx: Session) -> None:
        """What is read back is what was written, under the tag that the writer was told."""
        proposal = make_proposal(tx, content=make_content(risks="", shifts=()))
        read = Seen.of(proposal)
        tx.expire_all()
        assert read.tags == (tag_of(proposal),)

        actions.edit(tx, by(proposal), proposal.id, make_content(title="种树活动"), seen=read)
        with pytest.raises(ChangedSince):
            actions.edit(tx, by(proposal), proposal.id, CONTENT, seen=read)

        assert (proposal.title, proposal.content.risks) == ("种树活动", CONTENT.risks)

    def test_two_at_once_do_not_share_a_number(self, database: Database, programme: UUID) -> None:
        """The second waits and takes the next."""
        with database.transaction() as tx:
            call = make_round(tx, programme_id=programme)
            partner = make_partner(tx, programme_id=programme)

        def begin(tx: Session) -> Proposal:
            return make_proposal(tx, call=call, partner_id=partner.id)

        def begin_too() -> int:
            with database.transaction() as tx:
                return begin(tx).number

        with held(database, begin) as start:
            second = start(begin_too)
        assert second.result() == 2


class TestSubmit:
    def test_a_version_is_kept_and_told(self, tx: Session) -> None:
        """With the warnings that there were; the partner's own, not on behalf."""
        proposal = make_proposal(tx, content=make_content(briefing=""))

        submit(tx, proposal)

        assert (proposal.state, proposal.submissions, proposal.submitted_at) == (State.SUBMITTED, 1, NINE)
        [version] = queries.list_versions(tx, proposal.id)
        assert (version.number, version.content, version.findings) == (
            1, proposal.content, [["briefing", "no_briefing"]],
        )  # fmt: skip
        assert (version.submitted_by, version.is_on_behalf) == (MEMBER, False)
        assert emitted(tx) == [
            ProposalSubmitted(
                programme_id=PROGRAMME, proposal_id=proposal.id, partner_id=proposal.partner_id,
                round_id=proposal.round_id, submission=1, is_on_behalf=False, submitted_at=NINE,
            )
        ]  # fmt: skip

    def test_an_operators_submission_is_marked(self, tx: Session) -> None:
        """On the version and in the event."""
        proposal = make_proposal(tx)
        submit(tx, proposal, By(PROGRAMME, uuid4(), None, NINE))
        assert queries.list_versions(tx, proposal.id)[0].is_on_behalf
        [told] = emitted(tx)
        assert isinstance(told, ProposalSubmitted)
        assert told.is_on_behalf

    def test_blocking_findings_refuse_and_leave_nothing(self, tx: Session) -> None:
        """Neither version nor event."""
        proposal = make_proposal(tx, content=make_content(risks=""))
        with pytest.raises(rules.HasFindings):
            submit(tx, proposal)
        assert (proposal.state, queries.list_versions(tx, proposal.id), emitted(tx)) == (State.DRAFT, [], [])

    def test_what_was_sent_back_comes_again_as_the_next_version(self, tx: Session) -> None:
        """The first stays as it was; after the round has closed, until the review deadline."""
        call = make_round(tx)
        proposal = make_proposal(tx, state=State.CHANGES_REQUESTED, call=call)
        actions.edit(tx, by(proposal), proposal.id, make_content(risks="潮汐"), seen=ANYTHING)

        submit(tx, proposal, by(proposal, at=call.review_by - SECOND))

        first, second = queries.list_versions(tx, proposal.id)
        assert (first.content.risks, second.content.risks) == (CONTENT.risks, "潮汐")
        assert (proposal.submissions, proposal.submitted_at) == (2, call.review_by - SECOND)

    def test_not_out_of_time(self, tx: Session) -> None:
        """A draft when the round has closed; what was sent back at the review deadline."""
        call = make_round(tx)
        draft = make_proposal(tx, call=call)
        back = make_proposal(tx, state=State.CHANGES_REQUESTED, call=call, title="种树活动")
        with pytest.raises(rules.SubmissionClosed):
            submit(tx, draft, by(draft, at=call.closes_at))
        with pytest.raises(rules.SubmissionClosed):
            submit(tx, back, by(back, at=call.review_by))

    def test_the_partners_standing_agreement_and_pause_decide(self, tx: Session) -> None:
        """By the local day of the submission."""
        call = make_round(tx)
        barred, paused = (make_proposal(tx, call=call) for _ in range(2))
        stand(tx, barred, "suspended")
        pause = PartnerPause(
            partner_id=paused.partner_id, programme_id=PROGRAMME, paused_from=date(2022, 6, 1),
            paused_until=date(2022, 6, 2), version=1,
        )  # fmt: skip
        tx.add(pause)
        late = make_proposal(tx, call=call, partner_id=make_partner(tx, since=date(2022, 6, 2)).id)
        for proposal, refusal in ((barred, PartnerBarred), (paused, PartnerPaused), (late, NoAgreement)):
            with pytest.raises(refusal):
                submit(tx, proposal)
        for proposal in (paused, late):
            assert submit(tx, proposal, by(proposal, at=NINE + DAY)).state == State.SUBMITTED

    def test_a_quota_counts_what_was_handed_in(self, tx: Session) -> None:
        """Drafts and what was withdrawn do not count, a rejected one does; what comes again is counted once."""
        call, partner_id = make_round(tx), make_partner(tx).id
        back = make_proposal(tx, state=State.CHANGES_REQUESTED, call=call, partner_id=partner_id, title="甲方案活动")
        for state in (State.DRAFT, State.WITHDRAWN, State.REJECTED):
            make_proposal(tx, state=state, call=call, partner_id=partner_id, title=f"方案{state}")
        stand(tx, back, "notice", quota=3)
        third, fourth = (make_proposal(tx, call=call, partner_id=partner_id, title=f"新方案{n}") for n in range(2))

        submit(tx, third)
        with pytest.raises(QuotaUsedUp):
            submit(tx, fourth)
        assert submit(tx, back).submissions == 2
        actions.withdraw(tx, by(third), third.id, because="改期", seen=ANYTHING)
        assert submit(tx, fourth).state == State.SUBMITTED

    def test_two_at_once_share_a_quota(self, database: Database, programme: UUID) -> None:
        """The second waits for the first, and is one too many."""
        with database.transaction() as tx:
            call = make_round(tx, programme_id=programme)
            partner_id = make_partner(tx, programme_id=programme).id
            first, second = (make_proposal(tx, call=call, partner_id=partner_id) for _ in range(2))
            tx.add(
                PartnerStanding(
                    partner_id=partner_id, programme_id=programme, standing="notice", weekly_quota=1, cause=None,
                    effective_at=NINE, version=1,
                )
            )  # fmt: skip

        def submit_too() -> Proposal:
            with database.transaction() as tx:
                return submit(tx, second)

        with held(database, lambda tx: submit(tx, first)) as start:
            waiting = start(submit_too)
        assert waiting.result() == "quota_used_up"

    def test_only_within_ones_own(self, tx: Session) -> None:
        """Another partner's, another programme's and none look the same."""
        proposal = make_proposal(tx)
        for whose in (replace(by(proposal), partner_id=uuid4()), replace(by(proposal), programme_id=uuid4())):
            with pytest.raises(NotFound):
                submit(tx, proposal, whose)
            with pytest.raises(NotFound):
                actions.edit(tx, whose, proposal.id, CONTENT, seen=ANYTHING)
            with pytest.raises(NotFound):
                actions.withdraw(tx, whose, proposal.id, because="x", seen=ANYTHING)
            with pytest.raises(NotFound):
                actions.clone(tx, whose, proposal.id, round_id=proposal.round_id)


class TestAlike:
    def test_what_was_proposed_already_is_found(self, tx: Session) -> None:
        """Chinese text too, in whatever locale the database is; it warns, and submits."""
        call = make_round(tx)
        first = make_proposal(tx, state=State.SUBMITTED, call=call)
        other = make_proposal(
            tx, state=State.SUBMITTED, call=call, title="编织毛线帽子",
            description="为山区的孩子们编织过冬的帽子和围巾，志愿者在家完成后统一邮寄，由老师代为发放到每个孩子手里。",
        )  # fmt: skip
        again = make_proposal(tx, call=call, title="社区净滩行动（第二场）")

        [found] = queries.find_alike(tx, again, partner_id=None, before=NINE)

        assert (found.proposal, 60 <= found.percent < 100) == (first, True)
        assert queries.find_alike(tx, other, partner_id=None, before=NINE) == []
        assert queries.find_alike(tx, again, partner_id=again.partner_id, before=NINE) == []  # Another partner's.
        submit(tx, again)
        assert queries.list_versions(tx, again.id)[0].findings == [["description", "similar_to_earlier"]]

    def test_drafts_and_what_was_withdrawn_are_no_proposals_yet(self, tx: Session) -> None:
        """Nor is what was submitted half a year ago, to the second."""
        call = make_round(tx)
        for state in (State.DRAFT, State.WITHDRAWN):
            make_proposal(tx, state=state, call=call)
        old = make_proposal(tx, state=State.SUBMITTED, call=call)
        new = make_proposal(tx, call=call)

        limit = NINE + rules.ALIKE_WITHIN
        assert [each.proposal for each in queries.find_alike(tx, new, partner_id=None, before=limit)] == [old]
        assert queries.find_alike(tx, new, partner_id=None, before=limit + SECOND) == []

    def test_a_clone_in_a_series_is_no_duplicate(self, tx: Session) -> None:
        """It is the next week's, its shifts as much later as the round's publish time."""
        call = make_round(tx)
        week = make_round(tx, number=2, opens_at=NINE + 7 * DAY)
        first = make_proposal(tx, state=State.APPROVED, call=call)

        copy = actions.clone(tx, by(first, at=NINE + 7 * DAY), first.id, round_id=week.id)
        third = actions.clone(tx, by(first, at=NINE + 7 * DAY), copy.id, round_id=week.id)

        assert (copy.state, copy.series_id, copy.cloned_from, copy.round_id) == (
            State.DRAFT, first.id, first.id, week.id,
        )  # fmt: skip
        assert (first.series_id, third.series_id, third.cloned_from) == (first.id, first.id, copy.id)
        assert copy.content == rules.moved(CONTENT, days=7)
        assert actions.findings_of(tx, copy, now=NINE + 7 * DAY) == []
        assert submit(tx, copy, by(copy, at=NINE + 7 * DAY)).submissions == 1

    def test_not_into_a_round_that_is_over(self, tx: Session) -> None:
        """Nor into one that there is not."""
        call = make_round(tx)
        first = make_proposal(tx, state=State.SUBMITTED, call=call)
        with pytest.raises(rules.SubmissionClosed):
            actions.clone(tx, by(first, at=call.closes_at), first.id, round_id=call.id)
        with pytest.raises(rules.UnknownRound):
            actions.clone(tx, by(first), first.id, round_id=uuid4())


def test_of_what_is_decided_nothing_is_found_any_more(tx: Session) -> None:
    """Its shifts will be in the past one day; that is no fault of a proposal."""
    proposal = make_proposal(tx, state=State.SUBMITTED)
    late = NINE + 30 * DAY
    assert [each.code for each in actions.findings_of(tx, proposal, now=late)] == ["shift_in_the_past"]
    proposal.state, proposal.decided_at = State.REJECTED, NINE
    assert actions.findings_of(tx, proposal, now=late) == []


def test_a_round_is_not_moved_while_something_is_handed_in(database: Database, programme: UUID) -> None:
    """Whoever cancels it waits for the submission, which then was in time."""
    with database.transaction() as tx:
        call = make_round(tx, programme_id=programme, state="open")
        proposal = make_proposal(tx, call=call)

    def cancel() -> str:
        with database.transaction() as tx:
            return cancel_round(
                tx, programme_id=programme, round_id=call.id, because="停办", seen=ANYTHING, now=NINE
            ).state

    with held(database, lambda tx: submit(tx, proposal)) as start:
        second = start(cancel)
    assert second.result() == "cancelled"
    with database.transaction() as tx:
        assert tx.get_one(Proposal, proposal.id).state == State.SUBMITTED
