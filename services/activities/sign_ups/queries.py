"""Reads and locks of sign-ups."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select, text
from sqlalchemy.orm import Session

from services.activities.consents.rules import TERMS, Decision, Purpose
from services.activities.consents.tables import Consent
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.rules import PENDING, PLACED, NotSignedUp, State
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among
from shared.database.packed import uuids

_IDS = text("""
    SELECT id FROM sign_up JOIN unnest(CAST(:shifts AS uuid[]), CAST(:people AS uuid[]))
        AS given(shift_id, volunteer_id) USING (shift_id, volunteer_id)
""")


class Guest(NamedTuple):
    """One line of a roster: `number` is the place's on its shift, `display_name` None without consent."""

    number: int
    sign_up_id: UUID
    state: State
    volunteer_id: UUID
    display_name: str | None
    signed_up_at: datetime


class Moved(NamedTuple):
    """A sign-up whose state has changed, with its shift; `taken` is the shift's now, None where none were counted."""

    id: UUID
    programme_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    listing_id: UUID
    partner_id: UUID
    starts_at: datetime
    ends_at: datetime
    was: str
    was_ended_at: datetime | None
    taken: int
    places: int


def has_place() -> ColumnElement[bool]:
    """Say that a sign-up has a place: expected, or what became of it after the shift."""
    return SignUp.state.in_(sorted(PLACED))


def find_sign_up(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp | None:
    """Return how a person stands with a shift, whatever the state."""
    rows = select(SignUp).where(SignUp.shift_id == shift_id, SignUp.volunteer_id == volunteer_id)
    return tx.scalars(rows.execution_options(populate_existing=True)).first()


def find_states_of(tx: Session, *, volunteer_id: UUID) -> dict[UUID, str]:
    """Return how a person stands with every shift that they ever signed up for, by shift."""
    rows = select(SignUp.shift_id, SignUp.state).where(SignUp.volunteer_id == volunteer_id)
    return {row.shift_id: row.state for row in tx.execute(rows)}


def find_place(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp | None:
    """Return a person's place on a shift; who waits, is asked or has given it back has none."""
    rows = select(SignUp).where(SignUp.shift_id == shift_id, SignUp.volunteer_id == volunteer_id)
    return tx.scalars(rows.where(has_place())).first()


def lock_ahead(
    tx: Session, *, volunteer_id: UUID, attended: Collection[UUID], over_at: datetime
) -> Sequence[UUID]:  # fmt: skip
    """Lock the shifts that end after `over_at`, but those `attended`, with which a person is not done; return how.

    That is, the person's sign-ups. Shifts are locked in order of id; the person's lock is held.
    """
    pending = select(SignUp.shift_id).where(SignUp.volunteer_id == volunteer_id, SignUp.state.in_(sorted(PENDING)))
    shifts = select(Shift.id).where(Shift.id.in_(pending), Shift.ends_at > over_at, Shift.id.not_in(attended))
    locked = tx.scalars(shifts.order_by(Shift.id).with_for_update(key_share=True)).all()
    rows = select(SignUp.id).where(SignUp.volunteer_id == volunteer_id, among(SignUp.shift_id, locked))
    return tx.scalars(rows.where(SignUp.state.in_(sorted(PENDING)))).all()


def find_ids(tx: Session, places: Collection[tuple[UUID, UUID]]) -> list[UUID]:
    """Return the sign-ups of people, as (shift, volunteer), in whatever state."""
    columns = {"shifts": uuids(shift_id for shift_id, _ in places), "people": uuids(person for _, person in places)}
    return list(tx.scalars(_IDS, columns))


def require_place(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> SignUp:
    """Return a person's place on a shift, or the one that they had until the host called it off. Raises NotSignedUp."""
    place = find_sign_up(tx, shift_id=shift_id, volunteer_id=volunteer_id)
    if place is None or place.state not in PLACED | {State.CANCELLED_BY_HOST}:
        raise NotSignedUp(shift_id=shift_id)
    return place


def find_overlap(
    tx: Session, *, volunteer_id: UUID, shift: Shift, states: Collection[State]
) -> tuple[UUID, datetime, datetime] | None:  # fmt: skip
    """Return the first other shift, with its times, that overlaps and for which the person's sign-up is so."""
    rows = select(Shift.id, Shift.starts_at, Shift.ends_at).join(SignUp, SignUp.shift_id == Shift.id)
    rows = rows.where(SignUp.volunteer_id == volunteer_id, SignUp.state.in_(sorted(states)), Shift.id != shift.id)
    rows = rows.where(Shift.starts_at < shift.ends_at, Shift.ends_at > shift.starts_at)
    row = tx.execute(rows.order_by(Shift.starts_at, Shift.id).limit(1)).first()
    return None if row is None else (row.id, row.starts_at, row.ends_at)


class Next(NamedTuple):
    """Somebody whose turn it is to be offered a free place."""

    sign_up_id: UUID
    programme_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    starts_at: datetime
    ends_at: datetime


_NEXT = text("""
    SELECT id, programme_id, shift_id, listing_id, partner_id, starts_at, ends_at FROM (
        SELECT sign_up.id, shift.programme_id, shift_id, shift.listing_id, shift.partner_id, shift.starts_at,
            shift.ends_at, shift.capacity - shift.taken AS free,
            row_number() OVER (PARTITION BY shift_id ORDER BY drawn_place, signed_up_at, sign_up.id) AS place
        FROM shift JOIN sign_up ON sign_up.shift_id = shift.id AND sign_up.state = 'waitlisted'
        WHERE shift.id = ANY(CAST(:shifts AS uuid[])) AND shift.state IN ('open', 'go') AND NOT shift.awaits_draw
            AND shift.starts_at > :now) line
    WHERE place <= free ORDER BY shift_id, place
""")


def next_in_line(tx: Session, shift_ids: Collection[UUID], *, now: datetime) -> list[Next]:
    """Return those who are first in the lines of these shifts, as many as each has free places; they are locked."""
    return [Next(*row) for row in tx.execute(_NEXT, {"shifts": uuids(shift_ids), "now": now})]


def lock_expired(tx: Session, *, now: datetime, limit: int) -> Sequence[UUID]:
    """Lock the shifts of offers that nobody has answered, at most `limit`, and return these offers."""
    unanswered = SignUp.state == State.OFFERED, SignUp.offer_expires_at <= now
    some = select(SignUp.shift_id).where(*unanswered).order_by(SignUp.offer_expires_at).limit(limit)
    shifts = select(Shift.id).where(Shift.id.in_(some)).order_by(Shift.id)
    locked = tx.scalars(shifts.with_for_update(key_share=True)).all()
    return tx.scalars(select(SignUp.id).where(*unanswered, among(SignUp.shift_id, locked))).all()


def list_roster(tx: Session, *, shift_id: UUID) -> list[Guest]:
    """Return who has a place on a shift, by name only those who consent to that now."""
    found = tx.execute(select(rosters_of([shift_id]).subquery()).order_by("number"))
    return [guest_of(row[1:]) for row in found]


def guest_of(columns: Sequence[Any]) -> Guest:
    """Return a line of a roster as it was selected by `rosters_of`, but for the shift."""
    number, place_id, state, *rest = columns
    return Guest(number, place_id, State(state), *rest)


def rosters_of(shift_ids: Collection[UUID]) -> Select[Any]:
    """Select who has a place on these shifts: the shift's id, and what a `Guest` has.

    Sign-ups are numbered in the order in which they were made. One that was withdrawn, or waits, keeps its number, or
    everybody after it would be called differently from then on.
    """
    number = func.row_number().over(partition_by=SignUp.shift_id, order_by=SignUp.id).label("number")
    numbered = select(
        SignUp.shift_id, number, SignUp.id, SignUp.state, SignUp.volunteer_id, SignUp.signed_up_at
    ).where(among(SignUp.shift_id, shift_ids))  # fmt: skip
    place = numbered.subquery("place")
    allowed = _last_decision(place.c.volunteer_id)
    name = case((allowed.scalar_subquery().is_(True), Volunteer.display_name)).label("display_name")
    columns = (place.c.shift_id, place.c.number, place.c.id, place.c.state, place.c.volunteer_id)
    rows = select(*columns, name, place.c.signed_up_at).join(Volunteer, Volunteer.id == place.c.volunteer_id)
    return rows.where(place.c.state.in_(sorted(PLACED)), Volunteer.erased_at.is_(None))


def _last_decision(volunteer_id: Any) -> Select[bool]:  # noqa: ANN401  A column of whatever is selected from.
    """Select whether the person's last decision about rosters lets a partner see the name (`consents.rules.holds`)."""
    terms = TERMS[Purpose.PARTNER_ROSTER]
    holds = (Consent.decision == Decision.GIVEN) & (Consent.text_version >= terms.holds_since)
    rows = select(holds).where(Consent.volunteer_id == volunteer_id, Consent.purpose == Purpose.PARTNER_ROSTER)
    return rows.order_by(Consent.number.desc()).limit(1)


def list_places_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[Any]:
    """Return a person's places, withdrawn ones too, each with its shift and listing, oldest first."""
    rows = select(
        SignUp.id, SignUp.shift_id, SignUp.source, SignUp.signed_up_at, SignUp.state, SignUp.ended_at,
        SignUp.ended_because, SignUp.offer_expires_at, SignUp.drawn_place, Shift.starts_at, Shift.ends_at,
        Shift.service_on, Shift.partner_id, Listing.title, Listing.timezone,
    ).join(Shift, Shift.id == SignUp.shift_id).join(Listing, Listing.id == Shift.listing_id)  # fmt: skip
    return tx.execute(rows.where(SignUp.volunteer_id == volunteer_id).order_by(SignUp.id).limit(limit)).all()
