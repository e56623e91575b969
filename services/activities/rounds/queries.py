"""Reads and locks of rounds and of the calendars that they are made from."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from services.activities.rounds.rules import Known, NoOpenRound, State
from services.activities.rounds.tables import Round, RoundCalendar
from shared.database.keyset import KeysetList, Sort, equal, until
from shared.database.keyset import since as not_before
from shared.errors import NotFound

ROUNDS = KeysetList(
    key=(Round.id,),
    sorts={"opens_at": Sort(Round.opens_at)},
    filters={
        "state": equal(Round.state, "In this state.", takes=State),
        "opens_from": not_before(Round.opens_at, "Opening at this instant or later."),
        "opens_until": until(Round.opens_at, "Opening before this instant."),
        "closes_from": not_before(Round.closes_at, "Closing at this instant or later."),
        "closes_until": until(Round.closes_at, "Closing before this instant."),
    },
    default_sort="-opens_at",
)


def rounds_of(programme_id: UUID) -> Select[Round]:
    """Say which rounds a caller of a programme may see: all of them."""
    return select(Round).where(Round.programme_id == programme_id)


def get_round(tx: Session, *, programme_id: UUID, round_id: UUID) -> Round:
    """Return a round. Raises NotFound."""
    found = tx.scalars(rounds_of(programme_id).where(Round.id == round_id)).first()
    if found is None:
        raise NotFound(round_id=round_id)
    return found


def lock_round(tx: Session, *, programme_id: UUID, round_id: UUID) -> Round:
    """Lock a round. Raises NotFound."""
    rows = rounds_of(programme_id).where(Round.id == round_id).with_for_update(key_share=True)
    found = tx.scalars(rows.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound(round_id=round_id)
    return found


def share_open_round(tx: Session, *, programme_id: UUID, now: datetime) -> Round:
    """Return the round that takes proposals now, which stays so until the transaction ends. Raises NoOpenRound.

    The times decide, to the instant: the state follows by timer. Any number of proposals share the lock; whoever moves
    or cancels the round, or closes it, waits for them.
    """
    is_open = and_(Round.opens_at <= now, now < Round.closes_at, Round.state != State.CANCELLED)
    rows = rounds_of(programme_id).where(is_open).with_for_update(read=True)
    found = tx.scalars(rows.execution_options(populate_existing=True)).first()
    if found is None:
        raise NoOpenRound
    return found


def lock_due(tx: Session, *, now: datetime, most: int) -> Sequence[Round]:
    """Lock rounds whose time has come for what is next, in order of id; those that others hold come next time."""
    is_due = or_(
        and_(Round.state == State.PLANNED, Round.opens_at <= now),
        and_(Round.state == State.OPEN, Round.closes_at <= now),
        and_(Round.state == State.CLOSED, Round.publish_at <= now),
    )
    rows = select(Round).where(is_due).order_by(Round.id).limit(most)
    locked = rows.with_for_update(key_share=True, skip_locked=True).execution_options(populate_existing=True)
    return tx.scalars(locked).all()


def lock_planning(tx: Session, programme_id: UUID) -> None:
    """Let one at a time make or move rounds of a programme; comes before any round's own lock."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"rounds of {programme_id}", 0))))


def list_known(tx: Session, *, programme_id: UUID, since: datetime, besides: UUID | None = None) -> list[Known]:
    """Return the rounds of weeks since then, cancelled ones too, and what closes later; all but one of them."""
    columns = Round.number, Round.week_on, Round.opens_at, Round.closes_at, Round.state
    is_recent = or_(Round.closes_at > since, Round.week_on >= since.date())
    rows = select(*columns).where(Round.programme_id == programme_id, is_recent)
    return [Known(*row) for row in tx.execute(rows if besides is None else rows.where(Round.id != besides))]


def last_number(tx: Session, programme_id: UUID) -> int:
    """Return the highest number that a round has; 0 if there is none."""
    return tx.scalar(select(func.max(Round.number)).where(Round.programme_id == programme_id)) or 0


def find_calendar(tx: Session, programme_id: UUID) -> RoundCalendar | None:
    """Return a programme's calendar, if one is set."""
    return tx.get(RoundCalendar, programme_id)


def get_calendar(tx: Session, programme_id: UUID) -> RoundCalendar:
    """Return a programme's calendar. Raises NotFound."""
    found = find_calendar(tx, programme_id)
    if found is None:
        raise NotFound(programme_id=programme_id)
    return found


def list_calendars(tx: Session) -> Sequence[RoundCalendar]:
    """Return the calendars of all programmes, in order of id."""
    return tx.scalars(select(RoundCalendar).order_by(RoundCalendar.programme_id)).all()
