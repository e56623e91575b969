"""Declaring a draw before anybody has signed up, and holding it."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.draws import queries, rules
from services.activities.draws.tables import Draw
from services.activities.listings.queries import lock_shift
from services.activities.listings.rules import ShiftCommand, next_state
from services.activities.listings.tables import Shift
from services.activities.sign_ups.actions import offer_free
from shared import bus
from shared.audit import Change, note
from shared.database.packed import integers, uuids
from shared.events.activities_shifts import ShiftDrawn
from shared.seen import Seen

MOST_AT_ONCE: Final = 100
_PLACE = text("""
    UPDATE sign_up SET drawn_place = p.place
    FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS int[])) AS p(id, place) WHERE sign_up.id = p.id
    RETURNING sign_up.id, drawn_place
""")


@dataclass(frozen=True, slots=True)
class Declaration:
    """Somebody has the places of a shift drawn at an instant; `partner_id` limits it to that partner's."""

    programme_id: UUID
    shift_id: UUID
    partner_id: UUID | None
    seen: Seen
    draws_at: datetime
    at: datetime


def declare(tx: Session, declaration: Declaration) -> Draw:
    """Have places drawn among all who sign up until then, rather than given to who comes first.

    Raises NotFound, ChangedSince, ShiftCancelled, ShiftHasAttendance, AlreadySignedUp, BadShift.
    """
    shift = lock_shift(
        tx, programme_id=declaration.programme_id, shift_id=declaration.shift_id, partner_id=declaration.partner_id
    )
    declaration.seen.require(shift)
    next_state(shift.state, ShiftCommand.RESCHEDULE)  # It is to come, and nobody is there.
    rules.require_nobody(has_sign_ups=queries.has_sign_ups(tx, shift.id) or shift.awaits_draw)
    rules.require_draw(declaration.draws_at, starts_at=shift.starts_at, now=declaration.at)
    seed = secrets.token_hex(rules.SEED_BYTES)
    draw = Draw(
        shift_id=shift.id, draws_at=declaration.draws_at, commitment=rules.commitment_of(seed), seed=seed
    )  # fmt: skip
    shift.awaits_draw = True
    tx.add(draw)
    tx.flush()
    return draw


def require_after_draw(tx: Session, shift: Shift, *, starts_at: datetime, now: datetime) -> None:
    """Refuse to move a shift to before its draw, or so near that nobody could answer. Raises BadShift."""
    draw = queries.find_draw(tx, shift.id) if shift.awaits_draw else None
    if draw is not None and draw.draws_at > now:
        rules.require_draw(draw.draws_at, starts_at=starts_at, now=now)


def hold_due(tx: Session, *, now: datetime) -> int:
    """Hold the draws that are due, each once, and return how many: the first are offered places, the others wait."""
    shifts = queries.lock_due(tx, now=now, limit=MOST_AT_ONCE)
    for shift in shifts:
        _hold(tx, shift, now=now)
    offer_free(tx, [shift.id for shift in shifts], now=now)
    return len(shifts)


def _hold(tx: Session, shift: Shift, *, now: datetime) -> None:
    draw = queries.find_draw(tx, shift.id)
    assert draw is not None  # noqa: S101  It was found by it.
    order = rules.drawn(draw.seed, queries.list_entries(tx, shift.id))
    places = list(range(1, len(order) + 1))
    placed = tx.execute(_PLACE, {"ids": uuids(order), "places": integers(places)}).all()
    note(tx, "sign_up", (Change(i, {"drawn_place": None}, {"drawn_place": n}) for i, n in placed), drawn=len(placed))
    draw.drawn_at, draw.entries, shift.awaits_draw = now, len(order), False
    tx.flush()
    bus.emit(tx, _fact(shift, draw, len(order), now))


def _fact(shift: Shift, draw: Draw, entries: int, now: datetime) -> ShiftDrawn:
    return ShiftDrawn(
        programme_id=shift.programme_id, shift_id=shift.id, listing_id=shift.listing_id, partner_id=shift.partner_id,
        starts_at=shift.starts_at, ends_at=shift.ends_at, at=now, commitment=draw.commitment, seed=draw.seed,
        entries=entries,
    )  # fmt: skip
