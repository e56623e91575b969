"""Orders to try dead letters again: a set of letters, frozen when the order is given; who gave it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, func, insert, literal, select
from sqlalchemy.orm import Session

from shared.bus.dead_letters.closings import NothingChosen, require_dead, require_reason
from shared.bus.dead_letters.post_mortem import Cause, Wanted, count_letters, list_causes, matching
from shared.bus.tables import DeadLetter, Replay, ReplayLetter
from shared.errors import NotFound
from shared.ids import new_id

LETTERS_PER_SECOND = 50
MOST_PER_SECOND = 1_000


class Outcome(StrEnum):
    """What became of one letter of a replay."""

    REPLAYED = "replayed"
    FAILED = "failed"  # It is as dead as before, with what it died of now.
    SKIPPED = "skipped"  # It was dead no more when its turn came.


@dataclass(frozen=True)
class Progress:
    """How far a replay has come."""

    replay: Replay
    replayed: int
    failed: int
    skipped: int

    @property
    def left(self) -> int:
        """Count the letters whose turn is still to come."""
        return self.replay.total - self.replayed - self.failed - self.skipped


@dataclass(frozen=True)
class Preview:
    """What a replay would be about, if it were asked for now."""

    total: int
    causes: Sequence[Cause]


def preview(tx: Session, chosen: Wanted, *, programme_id: UUID) -> Preview:
    """Count what would be replayed, and of what it died. Raises UnknownLetters, DeadNoMore, NothingChosen."""
    require_dead(tx, chosen, programme_id=programme_id)
    total = count_letters(tx, chosen, programme_id=programme_id)
    if not total:
        raise NothingChosen(chosen=str(chosen))
    return Preview(total, list_causes(tx, chosen, programme_id=programme_id))


def request(
    tx: Session, chosen: Wanted, *, programme_id: UUID, requested_by: UUID, why: str,
    letters_per_second: int = LETTERS_PER_SECOND, now: datetime,
) -> Replay:  # fmt: skip
    """Order that the letters which are chosen and dead now be tried again; one that dies later is no part of it.

    Raises ReasonMissing, UnknownLetters, DeadNoMore, NothingChosen.
    """
    reason = require_reason(why)
    require_dead(tx, chosen, programme_id=programme_id)
    replay = Replay(
        id=new_id(),
        programme_id=programme_id,
        requested_by=requested_by,
        why=reason,
        selection=str(chosen),
        letters_per_second=letters_per_second,
        total=0,
        requested_at=now,
    )
    tx.add(replay)
    tx.flush()
    replay.total = _freeze(tx, replay.id, chosen, programme_id=programme_id)
    if not replay.total:
        raise NothingChosen(chosen=str(chosen))
    return replay


def get_progress(tx: Session, replay_id: UUID, *, programme_id: UUID) -> Progress:
    """Say how far one replay of the programme has come. Raises NotFound."""
    replay = tx.scalar(select(Replay).where(Replay.id == replay_id, Replay.programme_id == programme_id))
    if replay is None:
        raise NotFound(replay_id=replay_id)
    return progress_of(tx, [replay])[0]


def replays_of(programme_id: UUID) -> Select[Replay]:
    """Say which replays a programme's operators see: its own."""
    return select(Replay).where(Replay.programme_id == programme_id)


def _freeze(tx: Session, replay_id: UUID, chosen: Wanted, *, programme_id: UUID) -> int:
    letters = select(literal(replay_id), DeadLetter.id).where(matching(chosen, programme_id=programme_id))
    members = insert(ReplayLetter).from_select(["replay_id", "dead_letter_id"], letters)
    frozen = members.returning(ReplayLetter.dead_letter_id).cte("frozen")
    return tx.scalar(select(func.count()).select_from(frozen)) or 0


def progress_of(tx: Session, replays: Sequence[Replay]) -> list[Progress]:
    """Say how far each of some replays has come, in their order."""
    ids = [replay.id for replay in replays]
    each = (ReplayLetter.replay_id, ReplayLetter.outcome)
    counted = select(*each, func.count()).where(ReplayLetter.replay_id.in_(ids)).group_by(*each)
    numbers = {(replay_id, outcome): number for replay_id, outcome, number in tx.execute(counted)}
    return [
        Progress(replay, *(numbers.get((replay.id, outcome.value), 0) for outcome in Outcome)) for replay in replays
    ]
