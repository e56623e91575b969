"""When two records of one person may become one. Source: DOMAIN.md sections 4 and 10, "same person twice"."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, Invalid, Title


class Outcome(StrEnum):
    """What became of a proposal to merge."""

    APPROVED = "approved"
    DECLINED = "declined"


class SameRecord(Invalid):
    """A record cannot be merged into itself."""

    code = "same_record"
    title = Title(zh="请选择两条不同的记录", en="Choose two different records")


class MergeProposed(Conflict):
    """There is an open proposal about this record already."""

    code = "merge_proposed"
    title = Title(zh="该记录已有待审批的合并申请", en="A merge of this record is proposed already")


class MergeDecided(Conflict):
    """The proposal was decided; it stays so."""

    code = "merge_decided"
    title = Title(zh="该合并申请已有结论", en="This merge was decided already")


class OwnMergeApproved(Conflict):
    """Whoever proposes a merge does not approve it."""

    code = "own_merge_approved"
    title = Title(zh="合并须由另一人审批", en="Another person has to approve a merge")


class MergeBlocked(Conflict):
    """On some shifts both records stand so that a person has to decide first; `shifts` says why, by shift."""

    code = "merge_blocked"
    title = Title(zh="请先处理两条记录都涉及的场次", en="Settle first what both records have on the same shifts")


class Block(StrEnum):
    """Why a shift stands against a merge."""

    OPEN_SIGN_UP = "open_sign_up"  # The one that goes is signed up, and the one that stays was or is: withdraw it.
    OPEN_CLAIM = "open_claim"  # A claim for the one that goes waits, and the one that stays is or was signed up.
    OPEN_WORK = "open_work"  # Work of the one that goes is not accepted yet, and the one that stays signed up as well.
    VOIDED = "voided"  # The one that stays was voided, and the one that goes counts: void that, or let both be.
    UNDER_WAY = "under_way"  # Somebody has come and can still check out.


def require_two(kept_id: UUID, merged_id: UUID) -> None:
    """Refuse to merge a record into itself. Raises SameRecord."""
    if kept_id == merged_id:
        raise SameRecord(field="merged_id")


def require_open(outcome: str | None) -> None:
    """Refuse to decide what was decided. Raises MergeDecided."""
    if outcome is not None:
        raise MergeDecided(outcome=outcome)


def require_another(*, maker_id: UUID, approver_id: UUID) -> None:
    """Refuse to approve one's own proposal. Raises OwnMergeApproved."""
    if maker_id == approver_id:
        raise OwnMergeApproved


@dataclass(frozen=True, slots=True)
class Served:
    """What one record has on a shift: `state` as attendance has it, and the whole minutes that were counted, if any."""

    state: str
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def length(self) -> float:
        """How long it was, in seconds; 0 before it is settled."""
        if self.started_at is None or self.ended_at is None:
            return 0
        return (self.ended_at - self.started_at).total_seconds()


def is_longer(merged: Served, kept: Served) -> bool:
    """Say whether the service of the record that goes is the one to keep, on a shift where both served.

    They are one person, who was there once: the longer of the two counts, of equal ones that of the record that stays.
    """
    return merged.state == "settled" and (kept.state == "checked_in" or merged.length > kept.length)


def blocks(
    *, pending: Collection[UUID], claimed: Collection[UUID], owed: Collection[UUID], signed_up: Collection[UUID],
    served: Mapping[UUID, tuple[Served, Served]], under_way: Collection[UUID],
) -> dict[UUID, Block]:  # fmt: skip
    """Return the shifts that stand against a merge, with the reason.

    `pending` are shifts for which the record that goes is signed up, `claimed` those on which a claim for it waits,
    `owed` those for which it owes work of which nothing is decided, `signed_up` those on which the one that stays has
    any sign-up; `served` says of shifts that both came to what each has, the one that stays first.
    """
    found = {shift_id: Block.OPEN_WORK for shift_id in owed if shift_id in signed_up}
    found |= {shift_id: Block.OPEN_CLAIM for shift_id in claimed if shift_id in signed_up}
    found |= {shift_id: Block.OPEN_SIGN_UP for shift_id in pending if shift_id in signed_up}
    for shift_id, (kept, merged) in served.items():
        if kept.state == "voided" and merged.state == "settled":
            found[shift_id] = Block.VOIDED
    return found | dict.fromkeys(under_way, Block.UNDER_WAY)


def require_clear(found: Mapping[UUID, Block]) -> None:
    """Refuse a merge that something stands against. Raises MergeBlocked."""
    if found:
        raise MergeBlocked(shifts={str(shift_id): block.value for shift_id, block in sorted(found.items())})
