"""What can be done with eligibility. Services that are settled already are decided again by a task."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.eligibility import queries, rules
from services.activities.eligibility.rules import Interval
from services.activities.eligibility.tables import Eligibility
from services.activities.volunteers.queries import lock_volunteer
from shared import bus
from shared.audit import Change, note
from shared.seen import Seen

PEOPLE_A_TASK: Final = 1_000
revise_eligibility = bus.Task("activities.revise_eligibility")

_RECORD = text("""
    INSERT INTO eligibility AS e (volunteer_id, programme_id, version, reason, recorded_by, recorded_at)
    SELECT volunteer_id, :programme_id, 1, :reason, :by, :now FROM unnest(CAST(:people AS uuid[])) AS p(volunteer_id)
    ORDER BY volunteer_id
    ON CONFLICT (volunteer_id) DO UPDATE SET version = e.version + 1, reason = excluded.reason,
        recorded_by = excluded.recorded_by, recorded_at = excluded.recorded_at
""")
_CLEAR = text("DELETE FROM eligible_interval WHERE volunteer_id = ANY(CAST(:people AS uuid[]))")
_CLEAR_OVERLAPPING = text("""
    DELETE FROM eligible_interval i
    USING unnest(CAST(:people AS uuid[]), CAST(:froms AS date[]), CAST(:untils AS date[])) AS n(person, since, until)
    WHERE i.volunteer_id = n.person AND i.during && daterange(n.since, n.until)
""")
_ADD = text("""
    INSERT INTO eligible_interval (volunteer_id, during)
    SELECT person, daterange(since, until)
    FROM unnest(CAST(:people AS uuid[]), CAST(:froms AS date[]), CAST(:untils AS date[])) AS n(person, since, until)
""")


@dataclass(frozen=True, slots=True)
class Record:
    """Who says when people are employed, why, and when they say so."""

    programme_id: UUID
    reason: str
    by: UUID
    at: datetime


def record(tx: Session, told: Record, *, volunteer_id: UUID, intervals: Sequence[Interval], seen: Seen) -> None:
    """Replace all that is recorded of one person's employment; none at all makes them eligible on every date.

    Raises NotFound, ChangedSince, BadIntervals.
    """
    ordered = rules.require_apart(intervals)
    volunteer = lock_volunteer(tx, programme_id=told.programme_id, volunteer_id=volunteer_id)
    seen.require(queries.eligibility_of(tx, volunteer))
    replace_all(tx, told, {volunteer_id: ordered})


def replace_all(tx: Session, told: Record, intervals: Mapping[UUID, Sequence[Interval]]) -> None:
    """Replace all that is recorded of people whose locks the caller holds."""
    tx.execute(_CLEAR, {"people": list(intervals)})
    _write(tx, told, [(person, each) for person, found in intervals.items() for each in found], people=intervals)


def take_over(tx: Session, told: Record, intervals: Mapping[UUID, Interval]) -> None:
    """Record one interval of each of many, with a few statements; it takes the place of those that it overlaps.

    The caller holds the locks of those who were registered before.
    """
    if intervals:
        tx.execute(_CLEAR_OVERLAPPING, _columns(list(intervals.items())))
        _write(tx, told, list(intervals.items()), people=intervals)


def _write(tx: Session, told: Record, intervals: Sequence[tuple[UUID, Interval]], *, people: Collection[UUID]) -> None:
    said = {"programme_id": told.programme_id, "reason": told.reason, "by": told.by, "now": told.at}
    tx.execute(_RECORD, said | {"people": list(people)})
    tx.execute(_ADD, _columns(intervals))
    shown: dict[UUID, list[str]] = {person: [] for person in people}
    for person, each in intervals:
        shown[person].append(f"{each.since or ''}/{each.until or ''}")
    changes = (Change(person, {}, {"intervals": ", ".join(found)}) for person, found in shown.items())
    note(tx, Eligibility.__tablename__, changes, changed=len(shown))
    _have_revised(tx, told.programme_id, sorted(people))


def _have_revised(tx: Session, programme_id: UUID, people: Sequence[UUID]) -> None:
    """Have what is settled of these people decided again, a thousand people a time."""
    parts = [people[start : start + PEOPLE_A_TASK] for start in range(0, len(people), PEOPLE_A_TASK)]
    calls = [[",".join(str(person) for person in part)] for part in parts]
    bus.task_all(tx, revise_eligibility, calls, programme_id=programme_id)


def _columns(intervals: Sequence[tuple[UUID, Interval]]) -> dict[str, object]:
    return {
        "people": [person for person, _ in intervals],
        "froms": [each.since for _, each in intervals],
        "untils": [each.until for _, each in intervals],
    }
