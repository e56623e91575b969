"""What is known of dead letters: listed newest first, one of them whole, and grouped by what they died of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, defer

from shared.bus.burial import Origin, Reason
from shared.bus.tables import DeadLetter, ParkedLetter, Replay, ReplayLetter
from shared.database.arrays import among
from shared.errors import NotFound

MOST_CAUSES, MOST_REPLAYS = 200, 200
_BEHIND = (ParkedLetter.handler == DeadLetter.handler) & (ParkedLetter.partition_key == DeadLetter.partition_key)
_FRAME = re.compile(r'^  File "(.+)", line \d+, in (.+)$', re.MULTILINE)


class State(StrEnum):
    """What became of a letter that died; one that dies again is dead again."""

    DEAD = "dead"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Wanted:
    """Which letters somebody means; None means any."""

    ids: tuple[UUID, ...] | None = None
    cause: str | None = None
    handler: str | None = None
    type: str | None = None
    reason: Reason | None = None
    origin: Origin | None = None
    state: State | None = State.DEAD

    def __str__(self) -> str:
        """Say it in few words, for the record."""
        if self.ids is not None:
            return f"{len(self.ids)} by id"
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "state"}
        return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None) or "all"


@dataclass(frozen=True)
class Tried:
    """One replay that a letter was part of, and what became of it; `outcome` is None while its turn is to come."""

    replay_id: UUID
    requested_at: datetime
    requested_by: UUID
    why: str
    outcome: str | None
    error: str | None
    tried_at: datetime | None


@dataclass(frozen=True)
class Story:
    """A letter with the place in our code at which it failed, and each replay that it was part of, newest first.

    `waiting_behind` are the parked letters of its handler and key.
    """

    letter: DeadLetter
    place: str | None
    waiting_behind: int
    replays: Sequence[Tried]


@dataclass(frozen=True)
class Cause:
    """What many letters died of alike, and how many wait behind them; what differs is the newest one's."""

    cause: str
    letters: int
    waiting: int
    first_died_at: datetime
    last_died_at: datetime
    newest: DeadLetter
    place: str | None


def matching(wanted: Wanted, *, programme_id: UUID) -> ColumnElement[bool]:
    """Say in SQL which letters are wanted, of a programme and of those that do not say whose they are."""
    named = true() if wanted.ids is None else among(DeadLetter.id, wanted.ids)
    asked = (
        (DeadLetter.cause, wanted.cause),
        (DeadLetter.handler, wanted.handler),
        (DeadLetter.type, wanted.type),
        (DeadLetter.reason, wanted.reason),
        (DeadLetter.origin, wanted.origin),
        (DeadLetter.state, wanted.state),
    )
    return and_(_seen_by(programme_id), named, *(column == value for column, value in asked if value is not None))


def letters_of(programme_id: UUID) -> Select[DeadLetter]:
    """Say which letters a programme's operators see: its own, and those that do not say whose they are.

    What may be large is left where it is.
    """
    large = (DeadLetter.headers, DeadLetter.body, DeadLetter.stack)
    return select(DeadLetter).where(_seen_by(programme_id)).options(*map(defer, large))


def _seen_by(programme_id: UUID) -> ColumnElement[bool]:
    return or_(DeadLetter.programme_id == programme_id, DeadLetter.programme_id.is_(None))


def count_letters(tx: Session, wanted: Wanted, *, programme_id: UUID) -> int:
    """Count letters."""
    counted = select(func.count()).select_from(DeadLetter).where(matching(wanted, programme_id=programme_id))
    return tx.scalar(counted) or 0


def get_story(tx: Session, letter_id: UUID, *, programme_id: UUID) -> Story:
    """Return all that is known of one letter, whatever its state. Raises NotFound."""
    wanted = matching(Wanted(ids=(letter_id,), state=None), programme_id=programme_id)
    letter = tx.scalar(select(DeadLetter).where(wanted))
    if letter is None:
        raise NotFound(dead_letter_id=letter_id)
    replays = (
        select(
            Replay.id, Replay.requested_at, Replay.requested_by, Replay.why,
            ReplayLetter.outcome, ReplayLetter.error, ReplayLetter.tried_at,
        )
        .join(ReplayLetter, ReplayLetter.replay_id == Replay.id)
        .where(ReplayLetter.dead_letter_id == letter_id)
        .order_by(Replay.id.desc())
        .limit(MOST_REPLAYS)
    )  # fmt: skip
    waiting = tx.scalar(select(func.count()).select_from(ParkedLetter).join(DeadLetter, _BEHIND).where(wanted)) or 0
    return Story(letter, place_of(letter.stack), waiting, [Tried(*row) for row in tx.execute(replays)])


def list_causes(tx: Session, wanted: Wanted, *, programme_id: UUID) -> list[Cause]:
    """Group letters by cause, those that most died of first; at most `MOST_CAUSES` of them."""
    newest = (
        select(
            DeadLetter.id,
            func.count().over(partition_by=DeadLetter.cause).label("letters"),
            func.min(DeadLetter.died_at).over(partition_by=DeadLetter.cause).label("first"),
            func.max(DeadLetter.died_at).over(partition_by=DeadLetter.cause).label("last"),
        )
        .where(matching(wanted, programme_id=programme_id))
        .ext(distinct_on(DeadLetter.cause))
        .order_by(DeadLetter.cause, DeadLetter.died_at.desc(), DeadLetter.id.desc())
        .subquery()
    )
    behind = (
        select(DeadLetter.cause, func.count(ParkedLetter.position.distinct()).label("waiting"))
        .join(ParkedLetter, _BEHIND)
        .where(matching(wanted, programme_id=programme_id))
        .group_by(DeadLetter.cause)
        .subquery()
    )
    sample = aliased(DeadLetter)
    found = (
        select(sample, newest.c.letters, func.coalesce(behind.c.waiting, 0), newest.c.first, newest.c.last)
        .join(newest, newest.c.id == sample.id)
        .outerjoin(behind, behind.c.cause == sample.cause)
        .order_by(newest.c.letters.desc(), sample.cause)
        .limit(MOST_CAUSES)
    )
    return [
        Cause(letter.cause, letters, waiting, first, last, letter, place_of(letter.stack))
        for letter, letters, waiting, first, last in tx.execute(found)
    ]


def place_of(stack: str | None) -> str | None:
    """Read off a stack in which function of which file its exception was raised."""
    frames = _FRAME.findall(stack or "")
    return f"{PurePath(frames[-1][0]).name}:{frames[-1][1]}" if frames else None
