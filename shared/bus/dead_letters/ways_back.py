"""How a dead letter is tried again, which depends on where it died."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.bus.burial import Origin
from shared.bus.outbox import Lane
from shared.bus.tables import DeadLetter, Outbox
from shared.bus.tasks import runs
from shared.database.signals import notify_after_commit

# Within the caller's transaction; what failed is returned, what may pass by itself (a busy database) is raised.
Way = Callable[[Session, DeadLetter], Exception | None]


class NoWayBack(Exception):
    """A letter lacks what it takes to try it again; trying once more will not help."""


class StillLeaving(Exception):
    """An event waits in the outbox yet, perhaps only for its deletion; trying once more in a moment will help."""


class Retrying(Protocol):
    """What replaying needs of an inbox."""

    def retry(self, tx: Session, letter: DeadLetter) -> Exception | None:
        """Handle a letter once more; return why it failed again, if it did."""

    def release(self, tx: Session, handler_name: str, partition_key: str) -> int:
        """Handle what waited behind a letter that is dead no more, or the first of it; return how many were handled."""


def ways_back(inbox: Retrying) -> Mapping[Origin, Way]:
    """Say how letters of each origin are tried again."""
    return {
        Origin.INBOX: inbox.retry,
        Origin.BROKER: inbox.retry,
        Origin.OUTBOX: to_outbox,
        Origin.UNROUTED: to_outbox,
        Origin.TASK: to_task,
    }


def to_outbox(tx: Session, letter: DeadLetter) -> Exception | None:
    """Tell an event of ours once more, as it was told: under its id, of its time, in its trace.

    One whose row is there yet is told by nobody on that row's account: the relay deletes it once the broker has it,
    and an unrouted letter comes back before that.
    """
    try:
        row = _outbox_row(orjson.loads(letter.headers), letter.body)
    except (KeyError, ValueError) as error:
        return NoWayBack(f"it cannot be told again: {error!r}")
    told = insert(Outbox).values(row).on_conflict_do_nothing(index_elements=[Outbox.event_id])
    if tx.scalar(told.returning(Outbox.event_id)) is None:
        return StillLeaving("it is still leaving; try again in a moment")
    notify_after_commit(tx, Lane.EVENT.channel)
    return None


def to_task(tx: Session, letter: DeadLetter) -> Exception | None:
    """Queue a failed run anew, with all its tries before it, and wake a worker."""
    if letter.event_id is None or not runs.try_again(tx, letter.event_id):
        return NoWayBack(f"there is no failed task run {letter.event_id}")
    return None


def _outbox_row(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    emitted_at = datetime.fromisoformat(headers["ce-time"])
    if emitted_at.tzinfo is None:
        raise ValueError(f"ce-time {headers['ce-time']} is no instant")
    return {
        "lane": Lane.EVENT.value,
        "event_id": UUID(headers["ce-id"]),
        "type": headers["ce-type"],
        "programme_id": UUID(headers["ce-programmeid"]),
        "partition_key": headers["ce-partitionkey"],
        "emitted_at": emitted_at,
        "traceparent": headers["ce-traceparent"],
        "body": body.decode(),
    }
