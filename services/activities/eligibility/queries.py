"""Reads of eligibility; whoever decides on it holds the person's lock."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.activities.eligibility.rules import Interval
from services.activities.eligibility.tables import Eligibility, EligibleInterval
from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among
from shared.database.packed import dates, uuids

Pair = tuple[UUID, date]  # Of a volunteer and a date of service.

_INELIGIBLE = text("""
    SELECT volunteer_id, day FROM unnest(CAST(:people AS uuid[]), CAST(:days AS date[])) AS p(volunteer_id, day)
    WHERE EXISTS (SELECT 1 FROM eligible_interval i WHERE i.volunteer_id = p.volunteer_id)
        AND NOT EXISTS (SELECT 1 FROM eligible_interval i WHERE i.volunteer_id = p.volunteer_id AND i.during @> p.day)
""")


def are_eligible(tx: Session, pairs: Collection[Pair]) -> dict[Pair, bool]:
    """Say of each (volunteer, date of service) whether that service may be matched; one statement for all."""
    asked = list(pairs)
    people, days = uuids(person for person, _ in asked), dates([day for _, day in asked])
    found = {(row.volunteer_id, row.day) for row in tx.execute(_INELIGIBLE, {"people": people, "days": days})}
    return {pair: pair not in found for pair in asked}


def find_intervals(tx: Session, volunteer_ids: Collection[UUID]) -> dict[UUID, list[Interval]]:
    """Return the intervals of those of the people of whom any are recorded, in order."""
    rows = select(EligibleInterval.volunteer_id, EligibleInterval.during)
    rows = rows.where(among(EligibleInterval.volunteer_id, volunteer_ids)).order_by(EligibleInterval.during)
    found: dict[UUID, list[Interval]] = {}
    for volunteer_id, during in tx.execute(rows):
        found.setdefault(volunteer_id, []).append(Interval(during.lower, during.upper))
    return found


def find_recorded(tx: Session, volunteer_ids: Collection[UUID]) -> dict[UUID, Eligibility]:
    """Return who said last when those people are employed, and why."""
    rows = select(Eligibility).where(among(Eligibility.volunteer_id, volunteer_ids))
    return {row.volunteer_id: row for row in tx.scalars(rows.execution_options(populate_existing=True))}


def eligibility_of(tx: Session, volunteer: Volunteer) -> Eligibility:
    """Return what is recorded of a person; of whom nothing is an empty record, of version 0, which is not kept."""
    found = find_recorded(tx, [volunteer.id]).get(volunteer.id)
    return found or Eligibility(volunteer_id=volunteer.id, programme_id=volunteer.programme_id, version=0)
