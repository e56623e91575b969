"""Reads and locks of proposals."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer

from services.activities.checklists.rules import Mode
from services.activities.proposals import rules
from services.activities.proposals.rules import COUNTED, State
from services.activities.proposals.tables import Proposal, ProposalVersion
from services.activities.rounds.tables import Round
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

PROPOSALS = KeysetList(
    key=(Proposal.id,),
    sorts={"submitted_at": Sort(Proposal.submitted_at, null_as="'infinity'::timestamptz")},
    filters={
        "state": equal(Proposal.state, "In this state.", takes=State),
        "partner_id": equal(Proposal.partner_id, "Of this partner."),
        "round_id": equal(Proposal.round_id, "Of this round."),
        "reviewer_id": equal(Proposal.reviewer_id, "Reviewed, or last reviewed, by this person."),
        "series_id": equal(Proposal.series_id, "Of this series."),
        "mode": equal(Proposal.mode, "Of this mode.", takes=Mode),
        "submitted_from": since(Proposal.submitted_at, "Submitted last at this instant or later."),
        "submitted_until": until(Proposal.submitted_at, "Submitted last before this instant."),
    },
    default_sort="-id",
)


class Alike(NamedTuple):
    """A proposal whose text is like another's, and by how much."""

    proposal: Proposal
    percent: int


def proposals_of(programme_id: UUID, partner_scope: UUID | None) -> Select[Proposal]:
    """Say which proposals a caller of a programme may see: all, or one partner's."""
    rows = select(Proposal).where(Proposal.programme_id == programme_id)
    return rows if partner_scope is None else rows.where(Proposal.partner_id == partner_scope)


def listed(programme_id: UUID, partner_scope: UUID | None) -> Select[Proposal]:
    """Say the same for lists, which show nothing of what a proposal says but its title."""
    return proposals_of(programme_id, partner_scope).options(defer(Proposal.content), defer(Proposal.likeness))


def get_proposal(tx: Session, *, programme_id: UUID, proposal_id: UUID, partner_id: UUID | None) -> Proposal:
    """Return a proposal; `partner_id` limits it to one partner's. Raises NotFound."""
    proposal = tx.scalars(proposals_of(programme_id, partner_id).where(Proposal.id == proposal_id)).first()
    if proposal is None:
        raise NotFound(proposal_id=proposal_id)
    return proposal


def lock_proposal(tx: Session, *, programme_id: UUID, proposal_id: UUID, partner_id: UUID | None = None) -> Proposal:
    """Lock a proposal; `partner_id` limits it to one partner's. Raises NotFound."""
    rows = proposals_of(programme_id, partner_id).where(Proposal.id == proposal_id)
    proposal = tx.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True)).first()
    if proposal is None:
        raise NotFound(proposal_id=proposal_id)
    return proposal


def lock_proposals(tx: Session, *, programme_id: UUID, proposal_ids: Collection[UUID]) -> dict[UUID, Proposal]:
    """Lock those of the proposals that exist, in order of id."""
    rows = select(Proposal).where(Proposal.programme_id == programme_id, among(Proposal.id, proposal_ids))
    rows = rows.order_by(Proposal.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    return {proposal.id: proposal for proposal in tx.scalars(rows)}


def find_round(tx: Session, *, programme_id: UUID, round_id: UUID) -> Round | None:
    """Return a round of the programme."""
    found = tx.get(Round, round_id)
    return found if found is not None and found.programme_id == programme_id else None


def get_round(tx: Session, round_id: UUID) -> Round:
    """Return the round of a proposal."""
    return tx.get_one(Round, round_id)


def hold_round(tx: Session, round_id: UUID) -> Round:
    """Return the round of a proposal, and let nobody move or cancel it before the end of this transaction."""
    rows = select(Round).where(Round.id == round_id).with_for_update(read=True)
    return tx.scalars(rows.execution_options(populate_existing=True)).one()


def deadlines_of(found: Round) -> rules.Deadlines:
    """Return when a round takes proposals."""
    return rules.Deadlines(found.opens_at, found.closes_at, found.review_by, found.state == "cancelled")


def lock_numbers(tx: Session, round_id: UUID) -> int:
    """Let one at a time number proposals of a round; return the last number."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"proposal numbers of {round_id}", 0))))
    rows = select(func.coalesce(func.max(Proposal.number), 0)).where(Proposal.round_id == round_id)
    return tx.scalars(rows).one()


def count_submitted(tx: Session, *, round_id: UUID, partner_id: UUID) -> int:
    """Count what a partner has in a round that counts against its quota."""
    rows = select(func.count()).where(Proposal.round_id == round_id, Proposal.partner_id == partner_id)
    return tx.scalars(rows.where(Proposal.state.in_(COUNTED))).one()


def find_alike(
    tx: Session, proposal: Proposal, *, partner_id: UUID | None, before: datetime, limit: int = rules.MOST_ALIKE
) -> list[Alike]:
    """Return what was submitted of late with a text like a proposal's, likest first; others of its series are not."""
    tx.execute(select(func.set_config("pg_trgm.similarity_threshold", str(rules.ALIKE_PERCENT / 100), True)))  # noqa: FBT003  SQL's own.
    likeness = func.similarity(Proposal.likeness, proposal.likeness)
    rows = (
        select(Proposal, likeness)
        .where(
            Proposal.programme_id == proposal.programme_id,
            Proposal.likeness.bool_op("%")(proposal.likeness),
            Proposal.id != proposal.id,
            Proposal.series_id != proposal.series_id,
            Proposal.state.not_in((State.DRAFT, State.WITHDRAWN)),
            Proposal.submitted_at >= before - rules.ALIKE_WITHIN,
        )
        .order_by(likeness.desc(), Proposal.id)
        .limit(limit)
    )
    if partner_id is not None:
        rows = rows.where(Proposal.partner_id == partner_id)
    return [Alike(found, int(share * 100)) for found, share in tx.execute(rows)]


def find_by_external(tx: Session, *, programme_id: UUID, references: Collection[str]) -> dict[str, Proposal]:
    """Return those of the proposals that sheets have brought, by what a sheet calls them."""
    rows = select(Proposal).where(Proposal.programme_id == programme_id, among(Proposal.external_reference, references))
    return {str(proposal.external_reference): proposal for proposal in tx.scalars(rows)}


def find_rounds(tx: Session, *, programme_id: UUID, numbers: Collection[int]) -> dict[int, Round]:
    """Return those of the rounds that exist, by number."""
    rows = select(Round).where(Round.programme_id == programme_id, among(Round.number, numbers))
    return {found.number: found for found in tx.scalars(rows)}


def hold_rounds(tx: Session, *, programme_id: UUID, numbers: Collection[int]) -> None:
    """Let nobody move or cancel these rounds before the end of this transaction; in order of id."""
    rows = select(Round.id).where(Round.programme_id == programme_id, among(Round.number, numbers))
    tx.execute(rows.order_by(Round.id).with_for_update(read=True))


def count_by_partner(tx: Session, round_ids: Collection[UUID]) -> dict[tuple[UUID, UUID], int]:
    """Count what counts against a quota, by round and partner."""
    rows = select(Proposal.round_id, Proposal.partner_id, func.count()).group_by(Proposal.round_id, Proposal.partner_id)
    rows = rows.where(among(Proposal.round_id, round_ids), Proposal.state.in_(COUNTED))
    return {(row[0], row[1]): row[2] for row in tx.execute(rows)}


def lock_external(tx: Session, *, programme_id: UUID) -> None:
    """Let one sheet at a time bring proposals into a programme: two must not both find a reference free."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"proposal references of {programme_id}", 0))))


def list_versions(tx: Session, proposal_id: UUID) -> Sequence[ProposalVersion]:
    """Return every version of a proposal that was submitted, in order."""
    rows = select(ProposalVersion).where(ProposalVersion.proposal_id == proposal_id)
    return tx.scalars(rows.order_by(ProposalVersion.number)).all()


def lock_overdue(tx: Session, *, now: datetime, limit: int) -> Sequence[Proposal]:
    """Lock what waits for its partner past the round's review deadline; what others hold is passed over."""
    rows = (
        select(Proposal)
        .join(Round, Proposal.round_id == Round.id)
        .where(Proposal.state.in_(rules.WITH_PARTNER), Round.review_by <= now)
        .order_by(Proposal.id)
        .limit(limit)
        .with_for_update(key_share=True, of=Proposal, skip_locked=True)
    )
    return tx.scalars(rows.execution_options(populate_existing=True)).all()
