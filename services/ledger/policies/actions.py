"""What can be done with policy versions: one person proposes, another approves, nobody edits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.ledger.policies import queries, rules
from services.ledger.policies.tables import PolicyVersion
from shared.ids import new_id
from shared.seen import Seen

NO_OVERLAP = "policy_version_no_overlap"


@dataclass(frozen=True)
class Proposal:
    """What a policy version is to say; in force within `[effective_from, effective_until)`."""

    effective_from: datetime
    effective_until: datetime | None
    fen_per_hour: int
    step_minutes: int
    min_minutes: int
    max_minutes: int


def propose(tx: Session, proposal: Proposal, *, programme_id: UUID, maker_id: UUID, now: datetime) -> PolicyVersion:
    """Write down a policy version that takes effect once another person approves it.

    Raises PolicyPeriodEmpty, PolicyBoundsCrossed. Overlaps are refused at approval: proposals may compete.
    """
    rules.require_period(from_at=proposal.effective_from, until_at=proposal.effective_until)
    rules.require_bounds(min_minutes=proposal.min_minutes, max_minutes=proposal.max_minutes)
    version = PolicyVersion(
        id=new_id(),
        programme_id=programme_id,
        effective=Range(proposal.effective_from, proposal.effective_until, bounds="[)"),
        fen_per_hour=proposal.fen_per_hour,
        step_minutes=proposal.step_minutes,
        min_minutes=proposal.min_minutes,
        max_minutes=proposal.max_minutes,
        maker_id=maker_id,
        proposed_at=now,
    )
    tx.add(version)
    tx.flush()
    return version


def approve(
    tx: Session, version_id: UUID, *, programme_id: UUID, approver_id: UUID, seen: Seen, now: datetime
) -> PolicyVersion:
    """Put a proposed policy version in force, for good.

    Raises NotFound, ChangedSince, AlreadyApproved, OwnPolicyApproved, PolicyOverlap.
    """
    version = queries.lock_version(tx, version_id, programme_id=programme_id)
    seen.require(version)
    rules.require_approvable(maker_id=version.maker_id, approver_id=approver_id, approved_at=version.approved_at)
    other = queries.find_overlapping(tx, version)
    if other is not None:
        raise rules.PolicyOverlap(policy_version_id=other)
    version.approver_id, version.approved_at = approver_id, now
    try:
        tx.flush()
    except IntegrityError as error:
        if NO_OVERLAP not in str(error.orig):
            raise
        raise rules.PolicyOverlap from error  # Another was approved between our look and our write.
    return version
