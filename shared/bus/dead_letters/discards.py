"""Giving dead letters up: with a reason, for good, and letting go what waited behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.audit import Change, note
from shared.bus.dead_letters.closings import NothingChosen, Release, let_go, require_dead, require_reason
from shared.bus.dead_letters.post_mortem import State, Wanted, matching
from shared.bus.tables import DeadLetter, ParkedLetter
from shared.database.arrays import among


@dataclass(frozen=True)
class Discarded:
    """How many letters were given up, and how many others that had waited behind them were handled at once."""

    letters: int
    released: int


def discard(
    tx: Session, chosen: Wanted, *, programme_id: UUID, discarded_by: UUID, why: str, release: Release
) -> Discarded:
    """Close dead letters for good; they stay where they are, with who gave them up and why.

    Raises ReasonMissing, UnknownLetters, DeadNoMore, NothingChosen.
    """
    reason = require_reason(why)
    require_dead(tx, chosen, programme_id=programme_id)
    ids = _lock(tx, chosen, programme_id=programme_id)
    waited = _waiting_behind(tx, ids)
    closed = {"state": State.DISCARDED, "closed_at": func.now(), "closed_by": discarded_by, "closed_why": reason}
    tx.execute(update(DeadLetter).where(among(DeadLetter.id, ids)).values(closed))
    changes = (Change(letter_id, {"state": State.DEAD}, {"state": State.DISCARDED}) for letter_id in ids)
    note(tx, "dead_letter", changes, discarded=len(ids))
    return Discarded(len(ids), sum(let_go(tx, handler, key, release) for handler, key in waited))


def _lock(tx: Session, chosen: Wanted, *, programme_id: UUID) -> Sequence[UUID]:
    """Lock the chosen letters; a replay may have been quicker with some of them, and then they are chosen no more."""
    dead = select(DeadLetter.id).where(matching(chosen, programme_id=programme_id)).order_by(DeadLetter.id)
    ids = tx.scalars(dead.with_for_update()).all()
    if not ids:
        raise NothingChosen(chosen=str(chosen))
    return ids


def _waiting_behind(tx: Session, ids: Sequence[UUID]) -> list[tuple[str, str]]:
    """Return the handlers and keys of which something waits behind these letters."""
    blocked = (DeadLetter.handler == ParkedLetter.handler) & (DeadLetter.partition_key == ParkedLetter.partition_key)
    pairs = (
        select(ParkedLetter.handler, ParkedLetter.partition_key)
        .join(DeadLetter, blocked)
        .where(among(DeadLetter.id, ids))
        .distinct()
        .order_by(ParkedLetter.handler, ParkedLetter.partition_key)
    )
    return [(handler, key) for handler, key in tx.execute(pairs)]
