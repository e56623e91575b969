"""What can be done with two records of one person: somebody proposes to merge them, another approves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, arrive, settle
from services.activities.attendance.queries import find_under_way, list_attendance_of
from services.activities.attendance.tables import Attendance
from services.activities.calendar_feeds import actions as calendar_feeds
from services.activities.check_ins.actions import forget_attempts_of
from services.activities.check_ins.rules import WINDOW
from services.activities.claims import actions as claims
from services.activities.claims.queries import find_undecided
from services.activities.deliverables import actions as deliverables
from services.activities.deliverables.queries import find_open
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.queries import find_intervals
from services.activities.eligibility.rules import united
from services.activities.kits import actions as kits
from services.activities.listings.queries import shifts_by_id
from services.activities.listings.tables import Shift
from services.activities.merges import queries, rules
from services.activities.merges.rules import Outcome, Served
from services.activities.merges.tables import Merge
from services.activities.profiles import actions as profiles
from services.activities.rosters import actions as rosters
from services.activities.scans import actions as scans
from services.activities.sign_ups import actions as sign_ups
from services.activities.sign_ups.queries import find_states_of
from services.activities.sign_ups.rules import PENDING
from services.activities.volunteers.actions import point_to
from services.activities.volunteers.queries import lock_both, lock_volunteers
from shared import bus
from shared.events.activities import EvidenceClass, VolunteerMerged
from shared.ids import new_id
from shared.seen import Seen

MERGED = "two records of one person were merged"
MOST = 100_000  # Attendances of one person; nobody has as many.


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides about a proposed merge, on which reading of it, and when."""

    programme_id: UUID
    merge_id: UUID
    seen: Seen
    by: UUID
    at: datetime


def propose(
    tx: Session, *, programme_id: UUID, kept_id: UUID, merged_id: UUID, reason: str, by: UUID, now: datetime
) -> Merge:
    """Say that two records are one person's; nothing happens to them before another person approves it.

    Raises NotFound, SameRecord, MergeProposed.
    """
    rules.require_two(kept_id, merged_id)
    lock_both(tx, programme_id=programme_id, volunteer_ids=(kept_id, merged_id))
    if queries.find_standing(tx, merged_id=merged_id) is not None:
        raise rules.MergeProposed
    merge = Merge(
        id=new_id(), programme_id=programme_id, kept_id=kept_id, merged_id=merged_id, reason=reason, maker_id=by,
        proposed_at=now,
    )  # fmt: skip
    tx.add(merge)
    tx.flush()
    return merge


def decline(tx: Session, decision: Decision, *, because: str) -> Merge:
    """Let two records be two; whoever proposed it may take it back so. Raises NotFound, ChangedSince, MergeDecided."""
    merge = queries.lock_merge(tx, programme_id=decision.programme_id, merge_id=decision.merge_id)
    decision.seen.require(merge)
    rules.require_open(merge.outcome)
    merge.declined_because = because
    return _decided(tx, merge, decision, Outcome.DECLINED)


def approve(tx: Session, decision: Decision) -> Merge:
    """Merge one record into the other: what it has goes over, and it is left as a pointer that can do nothing.

    Both are locked in order of id, as everybody does, before the proposal. Everything that was settled is told anew, by
    the record that stays, so that the books follow; minutes are those of the union of all intervals.
    Raises NotFound, ChangedSince, MergeDecided, OwnMergeApproved, MergeBlocked.
    """
    merge = queries.get_merge(tx, programme_id=decision.programme_id, merge_id=decision.merge_id)
    records = merge.kept_id, merge.merged_id
    lock_volunteers(tx, records)
    merge = queries.lock_merge(tx, programme_id=decision.programme_id, merge_id=decision.merge_id)
    decision.seen.require(merge)
    rules.require_open(merge.outcome)
    rules.require_another(maker_id=merge.maker_id, approver_id=decision.by)
    lock_both(tx, programme_id=merge.programme_id, volunteer_ids=records)  # Still held: are both still there?
    both = _both(tx, merge)
    _require_clear(tx, merge, both, now=decision.at)
    _decided(tx, merge, decision, Outcome.APPROVED)
    _unite(tx, merge, decision)
    _hand_over(tx, merge, both, decision)
    point_to(tx, merge.merged_id, kept_id=merge.kept_id, now=decision.at)
    told = VolunteerMerged(
        programme_id=merge.programme_id, volunteer_id=merge.merged_id, merged_into=merge.kept_id, merged_at=decision.at
    )
    bus.emit(tx, told)
    return merge


def _decided(tx: Session, merge: Merge, decision: Decision, outcome: Outcome) -> Merge:
    merge.outcome, merge.decider_id, merge.decided_at = outcome, decision.by, decision.at
    tx.flush()
    return merge


@dataclass(frozen=True, slots=True)
class _Both:
    """What the two records have, by shift."""

    kept: Mapping[UUID, Attendance]
    merged: Mapping[UUID, Attendance]

    @property
    def common(self) -> set[UUID]:
        """The shifts that both came to."""
        return self.kept.keys() & self.merged.keys()

    @property
    def settled(self) -> list[UUID]:
        """The shifts that the record that goes has served on; who never left, or was there in error, has not."""
        return [shift_id for shift_id, row in self.merged.items() if row.state == "settled"]


def _both(tx: Session, merge: Merge) -> _Both:
    kept, merged = (
        {row.shift_id: row for row in list_attendance_of(tx, volunteer_id=person, limit=MOST)}
        for person in (merge.kept_id, merge.merged_id)
    )
    return _Both(kept, merged)


def _require_clear(tx: Session, merge: Merge, both: _Both, *, now: datetime) -> None:
    """Refuse a merge that something on a shift stands against. Raises MergeBlocked."""
    kept, merged = (find_states_of(tx, volunteer_id=person) for person in (merge.kept_id, merge.merged_id))
    coming = (find_under_way(tx, volunteer_id=each, over_at=now - WINDOW) for each in (merge.kept_id, merge.merged_id))
    found = rules.blocks(
        pending=[shift_id for shift_id, state in merged.items() if state in PENDING],
        claimed=find_undecided(tx, volunteer_id=merge.merged_id),
        owed=find_open(tx, volunteer_id=merge.merged_id),
        signed_up=kept,
        served={shift_id: (_served(both.kept[shift_id]), _served(both.merged[shift_id])) for shift_id in both.common},
        under_way=[each.shift_id for each in coming if each is not None],
    )
    rules.require_clear(found)


def _served(row: Attendance) -> Served:
    return Served(row.state, row.started_at, row.ended_at)


def _unite(tx: Session, merge: Merge, decision: Decision) -> None:
    """Put together what is known of the person: the profile, and the dates that are recorded of either."""
    profiles.unite(tx, kept_id=merge.kept_id, merged_id=merge.merged_id, by=decision.by, now=decision.at)
    known = find_intervals(tx, [merge.kept_id, merge.merged_id])
    kept, merged = known.get(merge.kept_id, []), known.get(merge.merged_id, [])
    together = united([*kept, *merged])
    if together != kept:
        told = eligibility.Record(merge.programme_id, MERGED, decision.by, decision.at)
        eligibility.replace_all(tx, told, {merge.kept_id: together})


def _hand_over(tx: Session, merge: Merge, both: _Both, decision: Decision) -> None:
    """Let sign-ups, scans, walk-ins, claims, work and attendances be the other record's, settled anew."""
    kept_id, merged_id = merge.kept_id, merge.merged_id
    sign_ups.hand_over(tx, kept_id=kept_id, merged_id=merged_id, attended=both.settled, now=decision.at)
    handing_over = (
        calendar_feeds.hand_over, kits.hand_over, scans.hand_over, rosters.hand_over, claims.hand_over,
        deliverables.hand_over,
    )  # fmt: skip
    for hand_over in handing_over:
        hand_over(tx, kept_id=kept_id, merged_id=merged_id)
    forget_attempts_of(tx, volunteer_id=merged_id)
    shifts = shifts_by_id(tx, both.merged.keys())
    never_left = [row for shift_id, row in both.merged.items() if row.version == 0 and shift_id not in both.kept]
    arrivals = [(shifts[row.shift_id], kept_id, row.checked_in_at) for row in never_left]
    settlements: list[Settlement] = []
    for shift_id, row in both.merged.items():
        kept = both.kept.get(shift_id)
        if kept is None and row.version > 0:
            settlements.append(_again(row, kept_id, decision, shifts))
        elif row.state != "voided":
            settlements.append(_taken_back(row, decision, shifts))
            if kept is not None and rules.is_longer(_served(row), _served(kept)):
                settlements.append(_again(kept, kept_id, decision, shifts, presence=_presence(row)))
    settle(tx, settlements)
    if arrivals:
        arrive(tx, arrivals)


def _again(
    row: Attendance, person: UUID, decision: Decision, shifts: Mapping[UUID, Shift], *,
    presence: Presence | None = None,
) -> Settlement:  # fmt: skip
    return Settlement(
        row.id, person, shifts[row.shift_id], row.version + 1, presence or _presence(row), MERGED, decision.by,
        decision.at, voided=row.state == "voided", known=row,
    )  # fmt: skip


def _taken_back(row: Attendance, decision: Decision, shifts: Mapping[UUID, Shift]) -> Settlement:
    return Settlement(
        row.id, row.volunteer_id, shifts[row.shift_id], row.version + 1, _presence(row), MERGED, decision.by,
        decision.at, voided=True, known=row,
    )  # fmt: skip


def _presence(row: Attendance) -> Presence:
    """Return when somebody was there; of who never checked out, nothing but that they came."""
    evidence = EvidenceClass(row.evidence) if row.evidence else EvidenceClass.MANUAL
    return Presence(row.checked_in_at, row.checked_out_at or row.checked_in_at, evidence)
