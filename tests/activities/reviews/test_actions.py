from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.checklists.rules import Deliverable, Mode, Position
from services.activities.listings.tables import Listing, ListingWords, Shift
from services.activities.proposals import actions as proposals
from services.activities.proposals.rules import State, WrongProposalState
from services.activities.proposals.tables import Proposal
from services.activities.reviews import actions, queries, rules
from services.activities.reviews.rules import Reason, Tally
from services.activities.rounds.tables import Round
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities_proposals import ProposalApproved, ProposalChangesRequested, ProposalRejected
from shared.seen import ANYTHING, Seen
from tests.activities.proposed import emitted
from tests.activities.racing import at_once, held
from tests.factories.activities import NINE, PROGRAMME, REVIEWER, make_listing, make_partner, make_round, make_skill
from tests.factories.proposals import ALL_WELL, CONTENT, DAY, SHIFT, VERDICTS, by, make_proposal, reviewer
from tests.shared.bus.running import counted

HOUR = timedelta(hours=1)


def decide(tx: Session, proposal: Proposal, state: State, **whose: Any) -> Proposal:
    who = reviewer(proposal.programme_id, **whose)
    return actions.decide(tx, who, proposal.id, VERDICTS[state], seen=ANYTHING)


class TestClaim:
    def test_one_reviewer_has_it(self, tx: Session) -> None:
        """Again changes nothing; another is told; who gives it back leaves it to others."""
        proposal = make_proposal(tx, state=State.SUBMITTED)

        for _ in range(2):
            actions.claim(tx, reviewer(), proposal.id)
        assert (proposal.state, proposal.reviewer_id) == (State.IN_REVIEW, REVIEWER)
        with pytest.raises(rules.AlreadyClaimed):
            actions.claim(tx, reviewer(person_id=uuid4()), proposal.id)

        for _ in range(2):
            actions.release(tx, programme_id=PROGRAMME, proposal_id=proposal.id)
        assert (proposal.state, proposal.reviewer_id) == (State.SUBMITTED, None)
        other = uuid4()
        assert actions.claim(tx, reviewer(person_id=other), proposal.id).reviewer_id == other

    def test_nobody_takes_their_own(self, tx: Session) -> None:
        """Neither as the partner's member nor as who handed it in."""
        proposal = make_proposal(tx, state=State.SUBMITTED)
        assert proposal.submitted_by is not None
        for who in (
            replace(reviewer(), partner_id=proposal.partner_id), reviewer(person_id=proposal.submitted_by),
        ):  # fmt: skip
            with pytest.raises(rules.OwnProposal):
                actions.claim(tx, who, proposal.id)
        with pytest.raises(NotFound):
            actions.claim(tx, reviewer(uuid4()), proposal.id)

    def test_two_at_once_do_not_both_have_it(self, database: Database, programme: UUID) -> None:
        """One is told that the other has it."""
        with database.transaction() as tx:
            proposal = make_proposal(tx, state=State.SUBMITTED, programme_id=programme)

        def take(person_id: UUID) -> UUID | None:
            with database.transaction() as tx:
                return actions.claim(tx, reviewer(programme, person_id=person_id), proposal.id).reviewer_id

        first, second = uuid4(), uuid4()
        outcomes = at_once(lambda: take(first), lambda: take(second))
        assert "already_claimed" in outcomes
        assert {first, second} & set(outcomes)


class TestDecide:
    def test_changes_are_requested_by_field(self, tx: Session) -> None:
        """The record keeps the version it was about, and how long it waited; the partner has it again."""
        proposal = make_proposal(tx, state=State.IN_REVIEW)

        decide(tx, proposal, State.CHANGES_REQUESTED, at=NINE + 90 * timedelta(seconds=1))

        assert (proposal.state, proposal.decided_at) == (State.CHANGES_REQUESTED, None)
        [record] = queries.list_decisions(tx, proposal.id)
        assert (record.submission, record.decision, record.requests, record.reasons) == (
            1, "changes_requested", [["risks", "写明潮汐"]], [],
        )  # fmt: skip
        assert (record.submitted_at, record.decided_by, record.answers) == (NINE, REVIEWER, None)
        told = emitted(tx)[-1]
        assert isinstance(told, ProposalChangesRequested)
        assert (told.submission, told.review_minutes, told.decision_id) == (1, 1, record.id)

    def test_an_approval_keeps_the_checklist(self, tx: Session) -> None:
        """Its version and every answer, and tells when it will be published."""
        call = make_round(tx)
        proposal = make_proposal(tx, state=State.IN_REVIEW, call=call)

        decide(tx, proposal, State.APPROVED, at=NINE + HOUR)

        assert (proposal.state, proposal.decided_at) == (State.APPROVED, NINE + HOUR)
        [record] = queries.list_decisions(tx, proposal.id)
        assert record.handbook_version == ALL_WELL.version
        assert record.answers == [[each.item, each.mark, each.remark] for each in ALL_WELL.marks]
        told = emitted(tx)[-1]
        assert told == ProposalApproved(
            programme_id=PROGRAMME, proposal_id=proposal.id, partner_id=proposal.partner_id, round_id=call.id,
            submission=1, submitted_at=NINE, decision_id=record.id, decided_at=NINE + HOUR, review_minutes=60,
            publish_at=call.publish_at,
        )  # fmt: skip

    def test_a_rejection_says_why(self, tx: Session) -> None:
        """By codes and in words."""
        proposal = make_proposal(tx, state=State.IN_REVIEW)
        decide(tx, proposal, State.REJECTED)
        [record] = queries.list_decisions(tx, proposal.id)
        assert (record.reasons, record.note) == ([Reason.DUPLICATE], "与另一方案重复")
        assert isinstance(emitted(tx)[-1], ProposalRejected)

    def test_on_what_was_read_and_taken(self, tx: Session) -> None:
        """Not on another version, nor on what another reviewer has."""
        proposal = make_proposal(tx, state=State.IN_REVIEW)
        with pytest.raises(ChangedSince):
            actions.decide(tx, reviewer(), proposal.id, VERDICTS[State.APPROVED], seen=Seen(("old",)))
        with pytest.raises(rules.NotYourReview):
            decide(tx, proposal, State.APPROVED, person_id=uuid4())
        assert queries.list_decisions(tx, proposal.id) == []

    def test_not_what_could_not_be_published_in_time(self, tx: Session) -> None:
        """It goes back to the partner, who moves the shift."""
        call = make_round(tx)
        proposal = make_proposal(tx, state=State.IN_REVIEW, call=call)
        with pytest.raises(rules.ShiftsOver):
            decide(tx, proposal, State.APPROVED, at=SHIFT.starts_at)
        assert decide(tx, proposal, State.CHANGES_REQUESTED, at=SHIFT.starts_at).state == State.CHANGES_REQUESTED

    def test_two_at_once_decide_once(self, database: Database, programme: UUID) -> None:
        """An approval and a rejection on one reading: the second is told that it has changed."""
        with database.transaction() as tx:
            proposal = make_proposal(tx, state=State.IN_REVIEW, programme_id=programme)
        seen = Seen.of(proposal)

        def judge(tx: Session, state: State) -> Proposal:
            return actions.decide(tx, reviewer(programme), proposal.id, VERDICTS[state], seen=seen)

        def reject() -> Proposal:
            with database.transaction() as tx:
                return judge(tx, State.REJECTED)

        with held(database, lambda tx: judge(tx, State.APPROVED)) as start:
            second = start(reject)
        assert second.result() == "precondition_failed"


class TestMany:
    def test_each_is_decided_for_itself(self, tx: Session) -> None:
        """What cannot be says why, and is left as it was; what nobody has taken is taken in passing."""
        call = make_round(tx)
        made = {
            state: make_proposal(tx, state=state, call=call, title=f"方案{state}")
            for state in (State.SUBMITTED, State.IN_REVIEW, State.DRAFT, State.REJECTED)
        }
        others = make_proposal(tx, state=State.SUBMITTED, call=call, title="他人审核")
        actions.claim(tx, reviewer(person_id=uuid4()), others.id)
        ids = [*(each.id for each in made.values()), others.id]

        found = actions.decide_many(tx, reviewer(), ids, VERDICTS[State.APPROVED])

        assert [each.proposal_id for each in found] == ids
        assert [each.refusal.code if each.refusal else each.state for each in found] == [
            "approved", "approved", "wrong_proposal_state", "wrong_proposal_state", "already_claimed",
        ]  # fmt: skip
        assert [made[State.DRAFT].state, made[State.REJECTED].state, others.state] == ["draft", "rejected", "in_review"]
        assert len(queries.list_decisions(tx, made[State.SUBMITTED].id)) == 1

    def test_many_take_no_more_statements_than_two(self, tx: Session) -> None:
        """A season of thousands is decided in lists of a hundred."""
        call, host = make_round(tx), make_partner(tx)
        made = [
            make_proposal(tx, state=State.SUBMITTED, call=call, partner_id=host.id, title=f"海滩清理 {number}").id
            for number in range(14)
        ]
        tx.expunge_all()

        def statements(ids: list[UUID]) -> int:
            with counted(tx.get_bind().engine) as seen:
                found = actions.decide_many(tx, reviewer(), ids, VERDICTS[State.APPROVED])
            assert [each.state for each in found] == ["approved"] * len(ids)
            return len(seen)

        assert statements(made[:2]) >= statements(made[2:])

    def test_what_is_refused_is_not_taken_in_passing(self, tx: Session) -> None:
        """It waits on, for whoever comes."""
        proposal = make_proposal(tx, state=State.SUBMITTED)
        [found] = actions.decide_many(tx, reviewer(at=SHIFT.starts_at), [proposal.id], VERDICTS[State.APPROVED])
        assert isinstance(found.refusal, rules.ShiftsOver)
        assert (proposal.state, proposal.reviewer_id) == (State.SUBMITTED, None)

    def test_a_verdict_that_does_not_hold_decides_nothing(self, tx: Session) -> None:
        """It is refused as a whole; so is a list with one that does not exist."""
        proposal = make_proposal(tx, state=State.SUBMITTED)
        with pytest.raises(NotFound):
            actions.decide_many(tx, reviewer(), [proposal.id, uuid4()], VERDICTS[State.APPROVED])
        with pytest.raises(rules.ReasonsNeeded):
            actions.decide_many(tx, reviewer(), [proposal.id], replace(VERDICTS[State.REJECTED], reasons=()))
        assert proposal.state == State.SUBMITTED


class TestComments:
    def test_both_sides_talk(self, tx: Session) -> None:
        """In order, each marked by its side and the version that there was."""
        proposal = make_proposal(tx)
        where: dict[str, Any] = {"programme_id": PROGRAMME, "proposal_id": proposal.id, "by": REVIEWER, "now": NINE}
        actions.comment(tx, **where, partner_id=proposal.partner_id, body="下雨怎么办？")
        proposals.submit(tx, by(proposal), proposal.id, seen=ANYTHING)
        actions.comment(tx, **where, partner_id=None, body="改到室内")

        said = queries.list_comments(tx, proposal.id)
        assert [(each.side, each.submission, each.body) for each in said] == [
            ("partner", 0, "下雨怎么办？"), ("operator", 1, "改到室内"),
        ]  # fmt: skip
        with pytest.raises(NotFound):
            actions.comment(tx, **where, partner_id=uuid4(), body="x")


class TestPublish:
    def listings(self, tx: Session, proposal: Proposal) -> list[Listing]:
        return list(tx.scalars(select(Listing).where(Listing.proposal_id == proposal.id)))

    def publish(self, tx: Session, at: Any) -> None:
        tx.flush()
        actions.publish_approved(tx, now=at)
        tx.expire_all()

    def test_what_passed_appears_at_the_rounds_publish_time(self, tx: Session) -> None:
        """To the second, once, with its shifts in order; the two know each other."""
        call = make_round(tx, number=12)
        second = replace(SHIFT, starts_at=SHIFT.starts_at + DAY, ends_at=SHIFT.ends_at + DAY)
        content = replace(CONTENT, shifts=(second, SHIFT))
        proposal = make_proposal(tx, state=State.APPROVED, call=call, content=content)
        rejected = make_proposal(tx, state=State.REJECTED, call=call, title="种树活动")

        self.publish(tx, call.publish_at - timedelta(seconds=1))
        assert self.listings(tx, proposal) == []
        for late in (timedelta(0), DAY):
            self.publish(tx, call.publish_at + late)

        [listing] = self.listings(tx, proposal)
        assert (listing.reference, listing.title, listing.partner_id) == (
            "R012-0001",
            CONTENT.title,
            proposal.partner_id,
        )
        assert (listing.mode, listing.city, listing.place, listing.description) == (
            "on_site", CONTENT.city, CONTENT.place, CONTENT.description,
        )  # fmt: skip
        assert (proposal.listing_id, proposal.published_at, listing.published_at) == (
            listing.id, call.publish_at, call.publish_at,
        )  # fmt: skip
        shifts = tx.scalars(select(Shift).where(Shift.listing_id == listing.id).order_by(Shift.number)).all()
        assert [(each.number, each.starts_at, each.capacity) for each in shifts] == [
            (1, SHIFT.starts_at, 20), (2, SHIFT.starts_at + DAY, 20),
        ]  # fmt: skip
        assert self.listings(tx, rejected) == []

    @pytest.mark.parametrize(
        ("mode", "work", "terms"),
        [
            (Mode.ONLINE, Deliverable("无错别字", 45), ("无错别字", 45)),
            (Mode.ONLINE, None, (None, None)),
            (Mode.ON_SITE, Deliverable("无错别字", 45), (None, None)),
        ],
    )
    def test_online_work_keeps_its_terms(
        self, tx: Session, mode: Mode, work: Deliverable | None, terms: tuple[str | None, int | None]
    ) -> None:
        """Who signs up reads by what it is accepted; other work is not handed in."""
        proposal = make_proposal(tx, state=State.APPROVED, mode=mode, deliverable=work)
        self.publish(tx, NINE + 10 * DAY)
        [listing] = self.listings(tx, proposal)
        assert (listing.criteria, listing.minutes_per_piece) == terms
        shift = tx.scalars(select(Shift).where(Shift.listing_id == listing.id)).one()
        assert (shift.minutes_per_piece, shift.owed_at) == (terms[1], None)

    def test_it_is_found_by_what_it_says_and_asks_for(self, tx: Session) -> None:
        """Skills by their codes, whatever a partner wrote that the catalogue knows; each once."""
        make_skill(tx, code="cleaning", title_zh="体力", title_en="Lifting")
        asked = (Position("清理员", 20, ("体力", "分类")), Position("记录员", 2, ("LIFTING ", " 分类")))
        proposal = make_proposal(tx, state=State.APPROVED, positions=asked)

        self.publish(tx, NINE + 10 * DAY)

        [listing] = self.listings(tx, proposal)
        assert listing.skills == ["cleaning", "分类"]
        words = tx.scalars(select(ListingWords.words).where(ListingWords.listing_id == listing.id)).one()
        assert all(f"'{pair}'" in words for pair in ("净滩", "厦门", "环岛", "塑料", "绿叶"))

    def test_what_passes_late_is_published_soon_after(self, tx: Session) -> None:
        """By the next run."""
        call = make_round(tx)
        proposal = make_proposal(tx, state=State.IN_REVIEW, call=call)
        self.publish(tx, call.publish_at)
        decide(tx, proposal, State.APPROVED, at=call.publish_at + HOUR)

        self.publish(tx, call.publish_at + 2 * HOUR)

        assert proposal.published_at == call.publish_at + 2 * HOUR

    def test_a_name_that_is_taken_gets_a_count(self, tx: Session) -> None:
        """A sheet may have used it; nothing is lost."""
        call = make_round(tx, number=3)
        for taken in ("R003-0001", "R003-0001-2"):
            make_listing(tx, reference=taken)
        proposal = make_proposal(tx, state=State.APPROVED, call=call)

        self.publish(tx, call.publish_at)

        assert [each.reference for each in self.listings(tx, proposal)] == ["R003-0001-3"]

    def test_two_timers_at_once_publish_once(self, database: Database, programme: UUID) -> None:
        """The second waits for the first, and finds nothing left."""
        with database.transaction() as tx:
            call = make_round(tx, programme_id=programme)
            proposal = make_proposal(tx, state=State.APPROVED, call=call)

        def publish_too() -> int:
            with database.transaction() as tx:
                return actions.publish_approved(tx, now=call.publish_at)

        with held(database, lambda tx: actions.publish_approved(tx, now=call.publish_at)) as start:
            second = start(publish_too)
        assert second.result() == 0
        with database.transaction() as tx:
            assert len(self.listings(tx, proposal)) == 1


class TestBoard:
    def make(self, tx: Session) -> tuple[Round, UUID, UUID]:
        call, one, two = make_round(tx, target=5), make_partner(tx).id, make_partner(tx).id
        for place, state in enumerate(State):
            make_proposal(tx, state=state, call=call, partner_id=one, title=f"方案{state}", at=NINE + place * HOUR)
        make_proposal(tx, state=State.APPROVED, call=call, partner_id=two, title="另一机构")
        week = make_round(tx, number=2, opens_at=NINE + 7 * DAY)
        make_proposal(
            tx, state=State.APPROVED, call=week, at=NINE + 7 * DAY, partner_id=two, content=self.later()
        )  # fmt: skip
        actions.publish_approved(tx, now=call.publish_at)
        tx.flush()
        return call, one, two

    def later(self) -> Any:
        shift = replace(SHIFT, starts_at=SHIFT.starts_at + 7 * DAY, ends_at=SHIFT.ends_at + 7 * DAY)
        return replace(CONTENT, shifts=(shift,))

    def test_a_round_is_counted_by_state_and_partner(self, tx: Session) -> None:
        """Drafts are not, nor another round; the oldest that waits for us is named."""
        call, one, two = self.make(tx)

        board = queries.get_board(tx, programme_id=PROGRAMME, round_id=call.id)

        own = Tally(
            submitted=1, in_review=1, changes_requested=1, approved=1, rejected=1, published=1,
            oldest_waiting_at=NINE + HOUR,
        )  # fmt: skip
        assert board.partners == {one: own, two: Tally(approved=1, published=1)}
        assert board.whole == replace(own, approved=2, published=2)
        assert (board.whole.pass_permille, rules.gap(board.whole, target=call.target)) == (667, 3)

    def test_review_time_is_measured(self, tx: Session) -> None:
        """Of every decision of the round: half took no longer than the median, nine of ten no longer than the other."""
        call = make_round(tx)
        for minutes in range(1, 11):
            proposal = make_proposal(tx, state=State.IN_REVIEW, call=call, title=f"方案第{minutes}号")
            decide(tx, proposal, State.REJECTED, at=NINE + minutes * timedelta(minutes=1))

        board = queries.get_board(tx, programme_id=PROGRAMME, round_id=call.id)

        assert (board.decisions, board.median_minutes, board.ninth_minutes) == (10, 5, 9)

    def test_an_empty_round_has_a_board(self, tx: Session) -> None:
        """Another programme's has none."""
        call = make_round(tx)
        board = queries.get_board(tx, programme_id=PROGRAMME, round_id=call.id)
        assert (board.whole, board.partners, board.decisions, board.median_minutes) == (Tally(), {}, 0, None)
        with pytest.raises(NotFound):
            queries.get_board(tx, programme_id=uuid4(), round_id=call.id)


def test_what_is_over_stays_over(tx: Session) -> None:
    """A decision is not decided again."""
    proposal = make_proposal(tx, state=State.APPROVED)
    with pytest.raises(WrongProposalState):
        decide(tx, proposal, State.REJECTED)
