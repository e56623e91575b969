"""What can be done with sign-ups."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.listings.queries import lock_shift
from services.activities.listings.rules import require_not_cancelled
from services.activities.sign_ups import queries, rules
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import get_volunteer
from shared.audit import note

_ADD = text("""
    WITH added AS (
        INSERT INTO sign_up (programme_id, shift_id, volunteer_id, source, signed_up_at)
        SELECT :programme_id, shift_id, volunteer_id, 'import', :now
        FROM unnest(CAST(:shifts AS uuid[]), CAST(:volunteers AS uuid[])) AS p(shift_id, volunteer_id)
        ON CONFLICT (shift_id, volunteer_id) DO NOTHING RETURNING shift_id)
    UPDATE shift SET taken = taken + counted.places
    FROM (SELECT shift_id, count(*) AS places FROM added GROUP BY shift_id) counted WHERE shift.id = counted.shift_id
    RETURNING counted.places
""")


def sign_up(tx: Session, *, programme_id: UUID, shift_id: UUID, volunteer_id: UUID, now: datetime) -> SignUp:
    """Take a place on a shift; again changes nothing. Raises NotFound, ShiftCancelled, ShiftOver, ShiftFull."""
    get_volunteer(tx, programme_id=programme_id, volunteer_id=volunteer_id)
    shift = lock_shift(
        tx, programme_id=programme_id, shift_id=shift_id
    )  # Two for the last place must not both see it free.
    place = queries.find_place(tx, shift_id=shift_id, volunteer_id=volunteer_id)
    if place is not None:
        return place
    require_not_cancelled(shift.state)
    rules.require_before_end(shift.ends_at, now=now)
    rules.require_room(taken=shift.taken, capacity=shift.capacity)
    shift.taken += 1
    place = SignUp(
        programme_id=programme_id, shift_id=shift_id, volunteer_id=volunteer_id, source="self", signed_up_at=now
    )
    tx.add(place)
    tx.flush()
    return place


def add_places(tx: Session, *, programme_id: UUID, places: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    """Give people, as (shift, volunteer), the places that they are known to have had; those who have one keep it.

    History may exceed a shift's capacity: it is what happened.
    """
    columns = {
        "programme_id": programme_id,
        "shifts": [shift_id for shift_id, _ in places],
        "volunteers": [volunteer_id for _, volunteer_id in places],
        "now": now,
    }
    note(tx, "sign_up", (), added=sum(tx.scalars(_ADD, columns)))
