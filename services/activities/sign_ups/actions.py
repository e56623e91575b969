"""What can be done with sign-ups.

Whatever changes a sign-up's state ends in `move`, set-wise, and holds the lock of its shift. Where somebody takes a
place, that person's lock as well, taken before; who is offered one is not locked: what stands against it is looked for
when it is accepted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.listings.queries import lock_shifts_by_id
from services.activities.sign_ups import queries, rules
from services.activities.sign_ups.queries import Moved
from services.activities.sign_ups.rules import Command, State
from shared import bus
from shared.audit import Change, note
from shared.audit.trail import HIDDEN
from shared.database.packed import instants, texts, uuids
from shared.events.activities_shifts import ShiftPlacesFreed
from shared.events.activities_sign_ups import (
    OfSignUp,
    SignUpCancelled,
    SignUpConfirmed,
    SignUpExcused,
    SignUpLateWithdrawn,
    SignUpNoShow,
    SignUpOffered,
    SignUpOfferExpired,
    SignUpWaitlisted,
    SignUpWithdrawn,
)

_ADD = text("""
    WITH added AS (
        INSERT INTO sign_up (programme_id, shift_id, volunteer_id, source, signed_up_at)
        SELECT :programme_id, shift_id, volunteer_id, :source, :now
        FROM unnest(CAST(:shifts AS uuid[]), CAST(:volunteers AS uuid[])) AS p(shift_id, volunteer_id)
        ON CONFLICT (shift_id, volunteer_id) DO NOTHING RETURNING shift_id)
    UPDATE shift SET taken = taken + counted.places, concluded_at = NULL, owed_at = NULL
    FROM (SELECT shift_id, count(*) AS places FROM added GROUP BY shift_id) counted WHERE shift.id = counted.shift_id
    RETURNING counted.places
""")
_MOVE = text("""
    WITH moved AS (
        UPDATE sign_up SET state = :target, ended_at = CAST(:ended_at AS timestamptz), offer_expires_at = kept.until,
            ended_because = CAST(:because AS text),
            signed_up_at = coalesce(CAST(:signed_up_at AS timestamptz), signed_up_at),
            drawn_place = CASE WHEN CAST(:signed_up_at AS timestamptz) IS NULL THEN drawn_place END,
            moves = moves + 1, moved_at = :at
        FROM shift LEFT JOIN unnest(CAST(:kept_shifts AS uuid[]), CAST(:kept_until AS timestamptz[]))
            AS kept(shift_id, until) ON kept.shift_id = shift.id
        WHERE sign_up.id = ANY(CAST(:ids AS uuid[])) AND sign_up.state = ANY(CAST(:sources AS text[]))
            AND shift.id = sign_up.shift_id
        RETURNING sign_up.id, sign_up.programme_id, sign_up.shift_id, sign_up.volunteer_id, shift.listing_id,
            shift.partner_id, shift.starts_at, shift.ends_at, old.state AS was, old.ended_at AS was_ended_at),
    counted AS (
        UPDATE shift SET taken = taken + change.places FROM (
            SELECT shift_id, sum(CAST(:takes AS int) - CAST(was = ANY(CAST(:taking AS text[])) AS int)) AS places
            FROM moved GROUP BY shift_id) change
        WHERE shift.id = change.shift_id AND change.places <> 0 RETURNING shift.id, shift.taken, change.places)
    SELECT moved.*, counted.taken, coalesce(counted.places, 0) AS places
    FROM moved LEFT JOIN counted ON counted.id = moved.shift_id ORDER BY moved.id
""")
_CAP = text("""
    UPDATE sign_up SET offer_expires_at = :until
    WHERE shift_id = :shift_id AND state = 'offered' AND offer_expires_at > :until
    RETURNING id, old.offer_expires_at AS was
""")
_LOCK_SHIFTS = text("""
    SELECT id FROM shift WHERE id IN (SELECT shift_id FROM sign_up WHERE volunteer_id IN (:merged_id, :kept_id))
    ORDER BY id FOR NO KEY UPDATE
""")
_HAND_OVER = text("""
    UPDATE sign_up s SET volunteer_id = :kept_id WHERE volunteer_id = :merged_id
        AND NOT EXISTS (SELECT 1 FROM sign_up k WHERE k.volunteer_id = :kept_id AND k.shift_id = s.shift_id)
    RETURNING id
""")
_MISSED = text("""
    SELECT id FROM sign_up WHERE volunteer_id = :kept_id AND shift_id = ANY(CAST(:attended AS uuid[]))
        AND state = ANY(CAST(:states AS text[]))
""")
_FORGET_REASONS = text("""
    UPDATE sign_up SET ended_because = NULL WHERE volunteer_id = :volunteer_id AND ended_because IS NOT NULL
    RETURNING id
""")
MOST_EXPIRED: Final = 1_000
TELLS: Final[dict[State, type[OfSignUp]]] = {  # What attendance comes to is told by attendance.
    State.CONFIRMED: SignUpConfirmed,
    State.WAITLISTED: SignUpWaitlisted,
    State.OFFERED: SignUpOffered,
    State.OFFER_EXPIRED: SignUpOfferExpired,
    State.WITHDRAWN: SignUpWithdrawn,
    State.LATE_WITHDRAWN: SignUpLateWithdrawn,
    State.EXCUSED: SignUpExcused,
    State.NO_SHOW: SignUpNoShow,
    State.CANCELLED_BY_HOST: SignUpCancelled,
}


@dataclass(frozen=True, slots=True)
class Move:
    """What is done with sign-ups, when, and why; `because` is free text and goes when the person is erased."""

    command: Command
    at: datetime
    because: str | None = None
    kept_until: Mapping[UUID, datetime] = field(default_factory=dict)  # By shift, for what is offered.


def move(tx: Session, move: Move, sign_up_ids: Collection[UUID]) -> list[Moved]:
    """Do the same with many sign-ups, count their places anew and tell it; the caller holds their shifts' locks.

    Returns those that moved, in order of id, with the state that each was in: one in whose state this cannot be done
    stays as it is. Rows that the caller has read are to be refreshed.
    """
    if not sign_up_ids:
        return []
    found = tx.execute(_MOVE, _columns(move, sign_up_ids))
    moved = [Moved(*row) for row in found]
    _note(tx, move, moved)
    _tell(tx, move, moved)
    offer_free(tx, {each.shift_id for each in moved if each.places < 0}, now=move.at)
    return moved


def offer_free(tx: Session, shift_ids: Collection[UUID], *, now: datetime) -> None:
    """Offer the free places of shifts to those who are first in their lines; the caller holds the shifts' locks.

    Shortly before the start they are kept for nobody: it is told that there are some, and whoever is first has them.
    """
    turns = queries.next_in_line(tx, shift_ids, now=now) if shift_ids else []
    untils = {each.shift_id: rules.offer_until(starts_at=each.starts_at, now=now) for each in turns}
    kept = {shift_id: until for shift_id, until in untils.items() if until is not None}
    offered = [each.sign_up_id for each in turns if each.shift_id in kept]
    move(tx, Move(Command.OFFER, now, kept_until=kept), offered)
    open_to_all = {each.shift_id: each for each in turns if each.shift_id not in kept}
    bus.emit_all(tx, [_freed(each, now) for each in open_to_all.values()])


def expire_offers(tx: Session, *, now: datetime, limit: int = MOST_EXPIRED) -> int:
    """Give to the next in the line what was offered and not answered in time; return how many offers that were."""
    return len(move(tx, Move(Command.EXPIRE, now), queries.lock_expired(tx, now=now, limit=limit)))


def cap_offers(tx: Session, shift_id: UUID, *, until: datetime) -> None:
    """Let no offer of a shift that was moved outlast an instant; the caller holds the shift's lock."""
    capped = tx.execute(_CAP, {"shift_id": shift_id, "until": until}).all()
    changes = (Change(row.id, {"offer_expires_at": row.was}, {"offer_expires_at": until}) for row in capped)
    note(tx, "sign_up", changes, capped=len(capped))


def add_places(
    tx: Session, *, programme_id: UUID, places: Sequence[tuple[UUID, UUID]], now: datetime, source: str = "import"
) -> None:
    """Give people, as (shift, volunteer), the places that they are known to have had; those who have one keep it.

    History may exceed a shift's capacity: it is what happened, and nobody is told of it as if it were to come. A shift
    that was closed is closed anew, with them.
    """
    columns = {
        "programme_id": programme_id,
        "shifts": [shift_id for shift_id, _ in places],
        "volunteers": [volunteer_id for _, volunteer_id in places],
        "now": now,
        "source": source,
    }
    note(tx, "sign_up", (), added=sum(tx.scalars(_ADD, columns)))


def attend_after_all(tx: Session, places: Mapping[tuple[UUID, UUID], datetime]) -> None:
    """Say of people who were missed that they were there, by (shift, volunteer), as was decided at an instant.

    The caller holds their locks. Nothing is asked of the database for nobody: check-outs come this way.
    """
    if places:
        lock_shifts_by_id(tx, {shift_id for shift_id, _ in places})
        move(tx, Move(Command.ATTEND, max(places.values())), queries.find_ids(tx, places))


def withdraw_ahead(
    tx: Session, *, volunteer_id: UUID, attended: Collection[UUID], over_at: datetime, now: datetime
) -> int:
    """Give back a person's places on shifts that end after `over_at`, but those `attended`; return how many.

    Offers and places in a line as well. The caller holds the person's lock.
    """
    ahead = queries.lock_ahead(tx, volunteer_id=volunteer_id, attended=attended, over_at=over_at)
    return len(move(tx, Move(Command.WITHDRAW, now), ahead))


def hand_over(
    tx: Session, *, kept_id: UUID, merged_id: UUID, attended: Collection[UUID], now: datetime
) -> None:  # fmt: skip
    """Let one record's sign-ups be another's of the same person, whose locks the caller holds.

    Where both have one, each keeps its own; if the person turns out to have been at one of the shifts `attended`, the
    other was no miss. All their shifts are locked, in order: whoever settles anew what was served comes back to them.
    """
    people = {"kept_id": kept_id, "merged_id": merged_id}
    missed = {"kept_id": kept_id, "attended": uuids(attended), "states": texts([State.MISSED, State.NO_SHOW])}
    tx.execute(_LOCK_SHIFTS, people)
    taken_over = tx.scalars(_HAND_OVER, people).all()
    values = ({"volunteer_id": merged_id}, {"volunteer_id": kept_id})
    note(tx, "sign_up", (Change(each, *values) for each in taken_over), handed_over=len(taken_over))
    move(tx, Move(Command.ATTEND, now), tx.scalars(_MISSED, missed).all())


def forget_reasons(tx: Session, *, volunteer_id: UUID) -> None:
    """Forget why a person's sign-ups ended; that they did stays."""
    forgotten = tx.scalars(_FORGET_REASONS, {"volunteer_id": volunteer_id}).all()
    hidden = (Change(i, {"ended_because": HIDDEN}, {"ended_because": None}) for i in forgotten)
    note(tx, "sign_up", hidden, forgotten=len(forgotten))


def _columns(move: Move, sign_up_ids: Collection[UUID]) -> dict[str, object]:
    target = rules.target(move.command)
    is_new = move.command in {Command.RETURN, Command.RETURN_TO_LINE}
    return {
        "ids": uuids(sign_up_ids),
        "sources": texts(rules.sources(move.command)),
        "target": target,
        "at": move.at,
        "ended_at": None if target in rules.PENDING else move.at,
        "because": None if target in rules.PENDING else move.because,
        "signed_up_at": move.at if is_new else None,
        "kept_shifts": uuids(move.kept_until),
        "kept_until": instants(list(move.kept_until.values())),
        "takes": int(target in rules.TAKING),
        "taking": texts(sorted(rules.TAKING)),
    }


def _note(tx: Session, move: Move, moved: Sequence[Moved]) -> None:
    """Say from what to what sign-ups, and the places that are taken on their shifts, have changed."""
    target = rules.target(move.command)
    ended_at = None if target in rules.PENDING else move.at
    after = {"state": target, "ended_at": ended_at}
    changes = (Change(it.id, {"state": it.was, "ended_at": it.was_ended_at}, after, of=it.volunteer_id) for it in moved)
    note(tx, "sign_up", changes, **{target.value: len(moved)})
    counted = {it.shift_id: it for it in reversed(moved) if it.places}
    shifts = (
        Change(it.shift_id, {"taken": it.taken - it.places}, {"taken": it.taken}, of=it.volunteer_id)
        for it in counted.values()
    )
    note(tx, "shift", shifts, changed=len(counted))


def _tell(tx: Session, move: Move, moved: Sequence[Moved]) -> None:
    told = TELLS.get(rules.target(move.command))
    if told is None:
        return
    facts = [told(**_fact(each), at=move.at, **_until(move, each)) for each in moved]
    bus.emit_all(tx, facts, of=[each.volunteer_id for each in moved])


def _until(move: Move, moved: Moved) -> dict[str, datetime]:
    until = move.kept_until.get(moved.shift_id)
    return {} if until is None else {"expires_at": until}


def _fact(moved: Moved) -> dict[str, object]:
    return {
        "programme_id": moved.programme_id,
        "sign_up_id": moved.id,
        "shift_id": moved.shift_id,
        "listing_id": moved.listing_id,
        "partner_id": moved.partner_id,
        "volunteer_id": moved.volunteer_id,
        "starts_at": moved.starts_at,
        "ends_at": moved.ends_at,
    }


def _freed(turn: queries.Next, now: datetime) -> ShiftPlacesFreed:
    return ShiftPlacesFreed(
        programme_id=turn.programme_id, shift_id=turn.shift_id, listing_id=turn.listing_id, partner_id=turn.partner_id,
        starts_at=turn.starts_at, ends_at=turn.ends_at, at=now,
    )  # fmt: skip
