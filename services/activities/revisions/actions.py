"""Settled services are decided again when it becomes known when somebody was employed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance.actions import Settlement, presence_of, settle
from services.activities.eligibility.queries import are_eligible, find_recorded
from services.activities.listings.queries import shifts_by_id
from services.activities.revisions import queries, rules
from services.activities.volunteers.queries import lock_volunteers

ELIGIBILITY = "eligibility on the date of service: "


def revise_eligibility(tx: Session, volunteer_ids: Collection[UUID], *, now: datetime) -> int:
    """Settle anew what is matched of people and may not be, or the other way round; return how many. Again: none.

    With the reason of whoever recorded it last, and in their name. A handful of statements for all of them.
    """
    lock_volunteers(tx, volunteer_ids)
    recorded = find_recorded(tx, volunteer_ids)
    settled = queries.list_settled(tx, recorded.keys())
    eligible = are_eligible(tx, {(row.volunteer_id, row.service_on) for row in settled})
    outdated = [
        row for row in settled
        if rules.is_outdated(
            service_minutes=row.service_minutes, matchable_minutes=row.matchable_minutes,
            is_eligible=eligible[row.volunteer_id, row.service_on], agreed_minutes=row.agreed_minutes,
        )
    ]  # fmt: skip
    shifts = shifts_by_id(tx, {row.shift_id for row in outdated})
    said = {row.volunteer_id: recorded[row.volunteer_id] for row in outdated}
    settle(
        tx,
        [
            Settlement(
                row.id, row.volunteer_id, shifts[row.shift_id], row.version + 1, presence_of(row),
                ELIGIBILITY + said[row.volunteer_id].reason, said[row.volunteer_id].recorded_by, now, known=row,
            )
            for row in outdated
        ],
    )  # fmt: skip
    return len(outdated)
