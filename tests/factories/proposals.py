"""Factories of proposals: one that passes the checklist, with what a test is about put in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.checklists.rules import Content, Mode, PlannedShift, Position
from services.activities.proposals import actions, rules
from services.activities.proposals.actions import By
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.reviews import actions as reviews
from services.activities.reviews.actions import Reviewer
from services.activities.reviews.rules import HANDBOOK, Answers, Decision, Mark, Marked, Reason, Verdict
from services.activities.rounds.tables import Round
from shared.seen import ANYTHING
from tests.factories.activities import NINE, PROGRAMME, REVIEWER, make_partner, make_round

MEMBER = UUID("01800000-0000-7000-8000-00000000000c")
DAY = timedelta(days=1)
LATER = NINE + 14 * DAY  # After the publish time of the factories' round.
SHIFT = PlannedShift(LATER, LATER + timedelta(hours=3), capacity=20, minimum=5)
CONTENT = Content(
    title="社区净滩行动",
    mode=Mode.ON_SITE,
    description="和社区居民一起清理海滩上的塑料垃圾，分类称重并记录数据，帮助孩子们认识海洋保护。",
    city="厦门",
    place="环岛路沙滩",
    positions=(Position("清理员", 20, ("体力", "分类")),),
    shifts=(SHIFT,),
    risks="烈日和湿滑的礁石",
    insurance="主办方为每位志愿者购买意外险",
    safeguards="现场配备急救包和安全员",
    briefing="开始前十五分钟现场讲解",
)
ALL_WELL = Answers(HANDBOOK.version, tuple(Marked(item.code, Mark.YES) for item in HANDBOOK.items))
VERDICTS = {
    State.CHANGES_REQUESTED: Verdict(Decision.CHANGES_REQUESTED, "请补充", requests=(("risks", "写明潮汐"),)),
    State.APPROVED: Verdict(Decision.APPROVED, answers=ALL_WELL),
    State.REJECTED: Verdict(Decision.REJECTED, "与另一方案重复", reasons=(Reason.DUPLICATE,)),
}


def make_content(**overrides: Any) -> Content:
    return replace(CONTENT, **overrides)


def by(proposal: Proposal, *, at: datetime = NINE) -> By:
    """Act as a member of the proposal's partner."""
    return By(proposal.programme_id, MEMBER, proposal.partner_id, at)


def reviewer(programme_id: UUID = PROGRAMME, *, at: datetime = NINE, person_id: UUID = REVIEWER) -> Reviewer:
    """Act as a reviewer who is of no partner."""
    return Reviewer(programme_id, person_id, None, at)


def make_proposal(
    tx: Session, *, state: State = State.DRAFT, call: Round | None = None, partner_id: UUID | None = None,
    at: datetime = NINE, **overrides: Any,
) -> Proposal:  # fmt: skip
    """Make a proposal that came to this state as proposals do, in a round and of a partner of its own unless given."""
    programme_id = call.programme_id if call else overrides.pop("programme_id", PROGRAMME)
    call = call or make_round(tx, programme_id=programme_id)
    partner_id = partner_id or make_partner(tx, programme_id=programme_id).id
    content = overrides.pop("content", None) or make_content(**overrides)
    member = By(programme_id, MEMBER, partner_id, at)
    proposal = actions.draft(tx, member, partner_id=partner_id, round_id=call.id, content=content)
    _lead(tx, proposal, state, at)
    tx.flush()
    return proposal


def _lead(tx: Session, proposal: Proposal, state: State, at: datetime) -> None:
    member, judge = by(proposal, at=at), reviewer(proposal.programme_id, at=at)
    if state is State.WITHDRAWN:
        actions.withdraw(tx, member, proposal.id, because="撤回", seen=ANYTHING)
    elif state is State.EXPIRED:
        proposal.state, proposal.ended_at, proposal.ended_because = State.EXPIRED, at, "review_deadline"
    elif state is not State.DRAFT:
        actions.submit(tx, member, proposal.id, seen=ANYTHING)
        if state is not State.SUBMITTED:
            reviews.claim(tx, judge, proposal.id)
        if state in VERDICTS:
            reviews.decide(tx, judge, proposal.id, VERDICTS[state], seen=ANYTHING)


def do(tx: Session, proposal: Proposal, command: rules.Command, *, at: datetime = NINE) -> None:
    """Carry a command out as whoever gives it does."""
    member, judge = by(proposal, at=at), reviewer(proposal.programme_id, at=at)
    decisions = {
        rules.Command.REQUEST_CHANGES: State.CHANGES_REQUESTED,
        rules.Command.APPROVE: State.APPROVED,
        rules.Command.REJECT: State.REJECTED,
    }
    if command in decisions:
        reviews.decide(tx, judge, proposal.id, VERDICTS[decisions[command]], seen=ANYTHING)
        return
    ways: dict[rules.Command, Callable[[], object]] = {
        rules.Command.EDIT: lambda: actions.edit(tx, member, proposal.id, make_content(risks="台风"), seen=ANYTHING),
        rules.Command.SUBMIT: lambda: actions.submit(tx, member, proposal.id, seen=ANYTHING),
        rules.Command.WITHDRAW: lambda: actions.withdraw(tx, member, proposal.id, because="撤回", seen=ANYTHING),
        rules.Command.CLAIM: lambda: reviews.claim(tx, judge, proposal.id),
        rules.Command.RELEASE: lambda: reviews.release(tx, programme_id=proposal.programme_id, proposal_id=proposal.id),
    }
    ways[command]()
