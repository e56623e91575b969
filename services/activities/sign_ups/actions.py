"""What can be done with sign-ups."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.listings.queries import lock_shift
from services.activities.listings.rules import require_not_cancelled
from services.activities.sign_ups import queries, rules
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.queries import lock_volunteer
from shared.audit import Change, note

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

# Shifts before their places, as `sign_up` does; the person's lock is held.
_AHEAD = text("""
    SELECT shift.id FROM shift WHERE id IN (
        SELECT shift_id FROM sign_up WHERE volunteer_id = :volunteer_id AND withdrawn_at IS NULL)
        AND ends_at > :over_at AND id <> ALL(CAST(:attended AS uuid[]))
    ORDER BY id FOR NO KEY UPDATE
""")
_WITHDRAW = text("""
    WITH withdrawn AS (
        UPDATE sign_up SET withdrawn_at = :now
        WHERE volunteer_id = :volunteer_id AND shift_id = ANY(CAST(:shifts AS uuid[])) AND withdrawn_at IS NULL
        RETURNING id, shift_id)
    UPDATE shift SET taken = taken - 1 FROM withdrawn WHERE shift.id = withdrawn.shift_id
    RETURNING withdrawn.id AS place_id, shift.id AS shift_id, shift.taken
""")


def sign_up(tx: Session, *, programme_id: UUID, shift_id: UUID, volunteer_id: UUID, now: datetime) -> SignUp:
    """Take a place on a shift; again changes nothing. Raises NotFound, ShiftCancelled, ShiftOver, ShiftFull."""
    lock_volunteer(tx, programme_id=programme_id, volunteer_id=volunteer_id)
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


def withdraw_ahead(
    tx: Session, *, volunteer_id: UUID, attended: Collection[UUID], over_at: datetime, now: datetime
) -> int:
    """Give back a person's places on shifts that end after `over_at`, but those `attended`; return how many.

    The caller holds the person's lock.
    """
    ahead = {"volunteer_id": volunteer_id, "over_at": over_at, "attended": sorted(attended)}
    shifts = tx.scalars(_AHEAD, ahead).all()
    columns = {"volunteer_id": volunteer_id, "shifts": list(shifts), "now": now}
    places = tx.execute(_WITHDRAW, columns).all()
    given_back = (Change(row.place_id, {"withdrawn_at": None}, {"withdrawn_at": now}) for row in places)
    note(tx, "sign_up", given_back, withdrawn=len(places))
    freed = (Change(row.shift_id, {"taken": row.taken + 1}, {"taken": row.taken}) for row in places)
    note(tx, "shift", freed, changed=len(places))
    return len(places)
