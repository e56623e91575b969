"""Where a letter goes that cannot be handled: a row with everything needed to understand it and to try it again."""

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from uuid import UUID

import orjson
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.bus.envelope import BrokenEnvelope
from shared.bus.tables import DeadLetter
from shared.bus.transport import Delivery
from shared.errors import Refusal
from shared.telemetry import trace_id_of, without_personal_data

STACK_CHARACTERS = 20_000
CAUSE_CHARACTERS = 16


class Origin(StrEnum):
    """Where a letter died, which says how it is tried again."""

    INBOX = "inbox"  # On its way into a handler of ours.
    BROKER = "broker"  # In the broker's own dead letters of our queues.
    OUTBOX = "outbox"  # In our outbox: the broker can never take it.
    UNROUTED = "unrouted"  # Behind our outbox: nobody is bound to it.
    TASK = "task"  # In a worker.


class Reason(StrEnum):
    """Why a letter died."""

    BROKEN_ENVELOPE = "broken_envelope"  # No event of ours: attributes are missing or unreadable.
    UNKNOWN_TYPE = "unknown_type"  # Nobody here hears this type.
    UNKNOWN_VERSION = "unknown_version"  # We hear this type, in another version.
    BROKEN_BODY = "broken_body"  # The data does not fit the contract.
    REFUSED = "refused"  # A rule said no.
    FAILED = "failed"  # It raised, on every try.
    KILLED = "killed"  # The process ended each time that it had this in hand.
    UNFIT = "unfit"  # Too large, or otherwise more than a broker carries.
    FORBIDDEN = "forbidden"  # The broker does not let this service tell it.
    UNROUTED = "unrouted"  # Nobody is bound to its type.
    GIVEN_UP = "given_up"  # The broker delivered it too often.


@dataclass(frozen=True, slots=True)
class Cause:
    """Why, in what words, after how many tries; `place` is where in the code it was raised."""

    reason: Reason
    error: str
    exception: str | None = None
    place: str | None = None
    stack: str | None = None
    attempts: int = 1

    @classmethod
    def of(cls, reason: Reason, error: BaseException, *, attempts: int = 1) -> "Cause":
        """Describe an exception; a database's quotes the row that it refused, which is left out."""
        name = type(error).__name__
        stack = without_personal_data("".join(traceback.format_exception(error)))[-STACK_CHARACTERS:]
        said = without_personal_data(f"{name}: {error}")
        return cls(reason, said, name, _place(error.__traceback__), stack, attempts)


@dataclass(frozen=True, slots=True)
class Address:
    """Whose letter it was: the handler or task that could not take it; and what is known of its id, type and stream."""

    origin: Origin
    handler: str | None = None
    event_id: UUID | None = None
    event_type: str | None = None
    partition_key: str | None = None


def bury(tx: Session, delivery: Delivery, cause: Cause, address: Address) -> None:
    """Keep a letter with its cause; the same for the same handler is kept once, and opened anew if it was closed."""
    row = _row(delivery, cause, address)
    again = {"attempts": DeadLetter.attempts + cause.attempts, "died_at": func.now(), "state": "dead"}
    reopened = {**row, **again, "closed_at": None, "closed_by": None, "closed_why": None}
    closed = DeadLetter.state != "dead"
    tx.execute(
        insert(DeadLetter)
        .values(row)
        .on_conflict_do_update(index_elements=[DeadLetter.fingerprint], set_=reopened, where=closed)
    )


def bury_again(letter: DeadLetter, error: Exception) -> None:
    """Write down that a dead letter was tried once more, and what it died of this time."""
    if isinstance(error, BrokenEnvelope):  # As unreadable as before: it died of the same.
        letter.error = storable(str(error))
    else:
        cause = Cause.of(Reason.REFUSED if isinstance(error, Refusal) else Reason.FAILED, error)
        address = Address(Origin(letter.origin), letter.handler, letter.event_id, letter.type)
        letter.reason, letter.exception, letter.cause = cause.reason, cause.exception, _cause_key(cause, address)
        letter.error, letter.stack = storable(cause.error), _storable(cause.stack)
    letter.attempts += 1
    letter.died_at = func.now()


def _row(delivery: Delivery, cause: Cause, address: Address) -> dict[str, object]:
    headers = delivery.headers
    return {
        "fingerprint": _fingerprint(address.handler, headers, delivery.body),
        "origin": address.origin.value,
        "handler": address.handler,
        "programme_id": _programme_of(headers),
        "event_id": address.event_id,
        "type": _storable(address.event_type),
        "partition_key": _storable(address.partition_key or headers.get("ce-partitionkey")),
        "headers": orjson.dumps({_storable(key): _storable(value) for key, value in headers.items()}).decode(),
        "body": delivery.body,
        "reason": cause.reason.value,
        "exception": cause.exception,
        "error": _storable(cause.error),
        "stack": _storable(cause.stack),
        "cause": _cause_key(cause, address),
        "trace_id": trace_id_of(headers.get("ce-traceparent")),
        "attempts": cause.attempts,
    }


def _cause_key(cause: Cause, address: Address) -> str:
    """Name what many letters may have died of alike: the same exception, raised at the same place, over one type."""
    parts = (address.origin, address.handler, address.event_type, cause.reason, cause.exception, cause.place)
    joined = "\x1f".join(part or "" for part in parts).encode(errors="backslashreplace")
    return hashlib.sha256(joined).hexdigest()[:CAUSE_CHARACTERS]


def _place(frames: TracebackType | None) -> str | None:
    """Say in which function of which file an exception was raised; not on which line, which any edit moves."""
    summary = traceback.extract_tb(frames)
    return f"{Path(summary[-1].filename).name}:{summary[-1].name}" if summary else None


def _programme_of(headers: Mapping[str, str]) -> UUID | None:
    try:
        return UUID(headers.get("ce-programmeid", ""))
    except ValueError:
        return None


def _fingerprint(handler: str | None, headers: Mapping[str, str], body: bytes) -> bytes:
    """Hash what makes two letters the same; each part is preceded by its length, so that none can pose as another.

    The broker's own `x-` headers do not: it counts deliveries in one of them.
    """
    own = sorted((name, value) for name, value in headers.items() if not name.startswith("x-"))
    parts = [(handler or "").encode(), repr(own).encode(errors="backslashreplace"), body]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


def storable(value: str) -> str:
    """Write what PostgreSQL's text cannot hold (NUL, lone surrogates) as escapes."""
    return value.encode("utf-8", errors="backslashreplace").decode().replace("\x00", "\\x00")


def _storable(value: str | None) -> str | None:
    return None if value is None else storable(value)
