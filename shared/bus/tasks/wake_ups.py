"""dramatiq's messages: each names a run, and nothing else; what it is and how it stands is in its row.

They are written and read here as dramatiq's own JSON, so that relays and consumers do without dramatiq.
"""

from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from shared import clock
from shared.bus.burial import Address, Cause, Origin, Reason, bury
from shared.bus.transport import Delivery, Letter

ACTOR = "run"  # There is one for all tasks, so that a worker of an older release can say which task it does not know.

_PARTS = {"queue_name", "actor_name", "args", "kwargs", "options"}


def queue_of(service: str) -> str:
    """Name the queue of a service's workers, in its vhost; new arguments want a new name (PITFALLS D3)."""
    return service


def dead_queue_of(service: str) -> str:
    """Name where the broker puts wake-ups that dramatiq rejects."""
    return f"{queue_of(service)}.XQ"


def wake_up_letter(service: str, row: Row[Any]) -> Letter:
    """Put a row of the task lane into a message for the service's workers."""
    message = {
        "queue_name": queue_of(service),
        "actor_name": ACTOR,
        "args": [orjson.loads(row.body)["run"]],
        "kwargs": {},
        "options": {"task": row.type, "traceparent": row.traceparent},
        "message_id": str(row.event_id),
        "message_timestamp": int(clock.now().timestamp() * 1000),
    }
    return Letter(row.event_id, queue_of(service), {"ce-traceparent": row.traceparent}, orjson.dumps(message))


def keep_rejected(tx: Session, delivery: Delivery) -> None:
    """Keep what lay in dramatiq's dead queue, unless it is a wake-up: the run's row is the truth, and is swept."""
    try:
        _run_in(delivery.body)
    except (TypeError, ValueError, AttributeError) as error:
        bury(tx, delivery, Cause.of(Reason.BROKEN_BODY, error), Address(Origin.TASK))


def _run_in(body: bytes) -> UUID:
    """Read which run a message names. Raises TypeError, ValueError or AttributeError where it names none."""
    message = orjson.loads(body)
    if not message.keys() >= _PARTS:
        raise ValueError("no message of dramatiq's")
    return UUID(*message["args"])
