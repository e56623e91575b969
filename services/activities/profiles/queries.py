"""Reads of profiles; whoever decides on one holds the person's lock."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.profiles.tables import Profile
from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among


def find_profiles(tx: Session, volunteer_ids: Collection[UUID]) -> dict[UUID, Profile]:
    """Return the profiles of those of the people who have one."""
    rows = select(Profile).where(among(Profile.volunteer_id, volunteer_ids))
    return {row.volunteer_id: row for row in tx.scalars(rows.execution_options(populate_existing=True))}


def profile_of(tx: Session, volunteer: Volunteer) -> Profile:
    """Return a person's profile; of who has none yet an empty one, of version 0, which is not kept."""
    found = find_profiles(tx, [volunteer.id]).get(volunteer.id)
    return found or Profile(
        volunteer_id=volunteer.id, programme_id=volunteer.programme_id, version=0,
        department=None, city=None, languages=[], skills=[],
    )  # fmt: skip
