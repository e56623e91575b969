"""Reads and locks of reviews, what waits to be published, and how a round stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.reviews.rules import Tally
from services.activities.reviews.tables import ProposalComment, ProposalDecision
from services.activities.rounds.tables import Round
from shared.errors import NotFound

_COUNTED = ("submitted", "in_review", "changes_requested", "approved", "rejected", "withdrawn", "expired")
_BOARD = text(f"""
    SELECT partner_id, {", ".join(f"count(*) FILTER (WHERE state = '{state}') AS {state}" for state in _COUNTED)},
        count(listing_id) AS published,
        min(submitted_at) FILTER (WHERE state IN ('submitted', 'in_review')) AS oldest_waiting_at
    FROM proposal WHERE round_id = :round_id AND submissions > 0
    GROUP BY GROUPING SETS ((), (partner_id)) ORDER BY partner_id NULLS FIRST
""")  # noqa: S608  Words of ours.
_REVIEW_TIME = text("""
    SELECT count(*) AS decisions,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY d.decided_at - d.submitted_at) AS waits
    FROM proposal_decision d JOIN proposal p ON p.id = d.proposal_id WHERE p.round_id = :round_id
""")


_ROUNDS = text("""
    SELECT count(*) AS rounds, CAST(coalesce(sum(target), 0) AS bigint) AS target FROM round
    WHERE programme_id = :programme_id AND (state IN ('open', 'closed', 'published')
            OR (state = 'planned' AND opens_at <= :now))
        AND opens_at >= :since AND opens_at < :until
""")
_SUMMED = text(f"""
    SELECT {", ".join(f"count(*) FILTER (WHERE p.state = '{state}') AS {state}" for state in _COUNTED)},
        count(p.listing_id) AS published,
        min(p.submitted_at) FILTER (WHERE p.state IN ('submitted', 'in_review')) AS oldest_waiting_at
    FROM proposal p JOIN round r ON r.id = p.round_id
    WHERE r.programme_id = :programme_id AND r.opens_at >= :since AND r.opens_at < :until AND p.submissions > 0
""")  # noqa: S608  As above.


@dataclass(frozen=True, slots=True)
class Board:
    """How a round stands: as a whole, by partner, and how long decisions took, in whole minutes."""

    round: Round
    whole: Tally
    partners: dict[UUID, Tally]
    decisions: int
    median_minutes: int | None
    ninth_minutes: int | None  # Nine decisions of ten took no longer.


def get_board(tx: Session, *, programme_id: UUID, round_id: UUID) -> Board:
    """Count a round's proposals, drafts left out. Raises NotFound."""
    found = tx.get(Round, round_id)
    if found is None or found.programme_id != programme_id:
        raise NotFound(round_id=round_id)
    tallies = {row.partner_id: _tally(row) for row in tx.execute(_BOARD, {"round_id": round_id})}
    whole = tallies.pop(None, Tally())
    times = tx.execute(_REVIEW_TIME, {"round_id": round_id}).one()
    median, ninth = (int(each.total_seconds()) // 60 for each in times.waits) if times.waits else (None, None)
    return Board(found, whole, tallies, times.decisions, median, ninth)


@dataclass(frozen=True, slots=True)
class Sum:
    """How the rounds of a time stand together: those that have opened, their targets, and what was proposed in them."""

    rounds: int
    target: int
    whole: Tally


def sum_boards(tx: Session, *, programme_id: UUID, since: datetime, until: datetime, now: datetime) -> Sum:
    """Count the rounds that have opened within [since, until), and the proposals made for them, drafts left out."""
    values = {"programme_id": programme_id, "since": since, "until": until}
    opened = tx.execute(_ROUNDS, values | {"now": now}).one()
    return Sum(opened.rounds, opened.target, _tally(tx.execute(_SUMMED, values).one()))


def _tally(row: Any) -> Tally:  # noqa: ANN401  A row.
    counts = {state: getattr(row, state) for state in _COUNTED}
    return Tally(**counts, published=row.published, oldest_waiting_at=row.oldest_waiting_at)


def list_decisions(tx: Session, proposal_id: UUID) -> Sequence[ProposalDecision]:
    """Return every decision about a proposal, in order."""
    rows = select(ProposalDecision).where(ProposalDecision.proposal_id == proposal_id)
    return tx.scalars(rows.order_by(ProposalDecision.id)).all()


def list_comments(tx: Session, proposal_id: UUID) -> Sequence[ProposalComment]:
    """Return what was said about a proposal, in order."""
    rows = select(ProposalComment).where(ProposalComment.proposal_id == proposal_id)
    return tx.scalars(rows.order_by(ProposalComment.id)).all()


def count_comments(tx: Session, proposal_id: UUID) -> int:
    """Count what was said about a proposal, which the caller has locked."""
    rows = select(func.count()).where(ProposalComment.proposal_id == proposal_id)
    return tx.scalars(rows).one()


def list_programmes_due(tx: Session, *, now: datetime) -> Sequence[UUID]:
    """Return the programmes in which something approved is to be published by now."""
    rows = select(Proposal.programme_id).join(Round, Proposal.round_id == Round.id).distinct()
    return tx.scalars(rows.where(*_due(now)).order_by(Proposal.programme_id)).all()


def lock_due(tx: Session, *, programme_id: UUID, now: datetime, limit: int) -> Sequence[tuple[Proposal, int]]:
    """Lock what is approved and to be published by now, with the number of its round, in order of id."""
    rows = (
        select(Proposal, Round.number)
        .join(Round, Proposal.round_id == Round.id)
        .where(Proposal.programme_id == programme_id, *_due(now))
        .order_by(Proposal.id)
        .limit(limit)
        .with_for_update(key_share=True, of=Proposal)
    )
    return [(row[0], row[1]) for row in tx.execute(rows.execution_options(populate_existing=True))]


def _due(now: datetime) -> tuple[Any, ...]:
    return Proposal.state == State.APPROVED, Proposal.listing_id.is_(None), Round.publish_at <= now
