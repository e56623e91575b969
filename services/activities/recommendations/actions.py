"""Recommending work to somebody; nothing is written."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.eligibility.queries import find_intervals
from services.activities.kits.queries import find_blocking
from services.activities.profiles.queries import profile_of
from services.activities.recommendations import queries, rules
from services.activities.recommendations.rules import Bounds, Choice, Leanings
from services.activities.sign_ups.queries import find_states_of
from services.activities.volunteers.queries import get_volunteer
from services.activities.volunteers.tables import Volunteer


def recommend(tx: Session, *, programme_id: UUID, volunteer_id: UUID, is_personal: bool, now: datetime) -> list[Choice]:
    """Return what is recommended to somebody, best first; what they cannot take is not among it. Raises NotFound.

    Unless it `is_personal`, nothing that is known of them speaks for anything: PIPL article 24 wants that choice.
    """
    volunteer = get_volunteer(tx, programme_id=programme_id, volunteer_id=volunteer_id)
    offers = queries.list_offers(tx, programme_id=programme_id, now=now)
    person = _leanings(tx, volunteer) if is_personal else Leanings()
    return rules.best(offers, person, _bounds(tx, volunteer_id, now), now=now)


def _leanings(tx: Session, volunteer: Volunteer) -> Leanings:
    profile = profile_of(tx, volunteer)
    visits = queries.list_visits(tx, volunteer_id=volunteer.id)
    return rules.leanings(visits, city=profile.city, skills=profile.skills)


def _bounds(tx: Session, volunteer_id: UUID, now: datetime) -> Bounds:
    return Bounds(
        known=find_states_of(tx, volunteer_id=volunteer_id).keys(),
        busy=queries.list_busy(tx, volunteer_id=volunteer_id, now=now),
        employed=find_intervals(tx, [volunteer_id]).get(volunteer_id, []),
        gets_no_kit=volunteer_id in find_blocking(tx, volunteer_ids=[volunteer_id], now=now),
    )
