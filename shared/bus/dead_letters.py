"""Where a letter goes that cannot be handled: a row with everything needed to understand it and to try it again."""

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.bus.tables import DeadLetter
from shared.bus.transport import Delivery

STACK_CHARACTERS = 20_000


class Reason(Enum):
    """Why a letter died."""

    BROKEN_ENVELOPE = "broken_envelope"  # No event of ours: attributes are missing or unreadable.
    UNKNOWN_TYPE = "unknown_type"  # Nobody here hears this type.
    UNKNOWN_VERSION = "unknown_version"  # We hear this type, in another version.
    BROKEN_BODY = "broken_body"  # The data does not fit the contract.
    REFUSED = "refused"  # A rule said no.
    FAILED = "failed"  # The handler raised, on every try.


@dataclass(frozen=True, slots=True)
class Cause:
    """Why, in what words, after how many tries."""

    reason: Reason
    error: str
    stack: str | None = None
    attempts: int = 1

    @classmethod
    def of(cls, reason: Reason, error: BaseException, *, attempts: int = 1) -> "Cause":
        """Describe an exception."""
        stack = "".join(traceback.format_exception(error))[-STACK_CHARACTERS:]
        return cls(reason, f"{type(error).__name__}: {error}", stack, attempts)


def bury(
    tx: Session, delivery: Delivery, cause: Cause, *, handler: str | None, event_id: UUID | None, event_type: str | None
) -> None:
    """Keep a letter with its cause; the same letter for the same handler is kept once."""
    row = {
        "fingerprint": _fingerprint(handler, delivery.headers, delivery.body),
        "handler": handler,
        "programme_id": _programme_of(delivery.headers),
        "event_id": event_id,
        "type": _storable(event_type),
        "headers": orjson.dumps({_storable(key): _storable(value) for key, value in delivery.headers.items()}).decode(),
        "body": delivery.body,
        "reason": cause.reason.value,
        "error": _storable(cause.error),
        "stack": _storable(cause.stack),
        "attempts": cause.attempts,
    }
    tx.execute(insert(DeadLetter).values(row).on_conflict_do_nothing())


def list_dead(tx: Session, *, programme_id: UUID, limit: int) -> list[DeadLetter]:
    """Return the newest dead letters of a programme, and of those that do not say whose they are."""
    rows = select(DeadLetter).where(_seen_by(programme_id)).order_by(DeadLetter.died_at.desc(), DeadLetter.id.desc())
    return list(tx.scalars(rows.limit(limit)))


def count_dead(tx: Session, *, programme_id: UUID) -> int:
    """Count the same."""
    return tx.scalar(select(func.count()).select_from(DeadLetter).where(_seen_by(programme_id))) or 0


def _seen_by(programme_id: UUID) -> ColumnElement[bool]:
    return or_(DeadLetter.programme_id == programme_id, DeadLetter.programme_id.is_(None))


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


def _storable(value: str | None) -> str | None:
    """Write what PostgreSQL's text cannot hold (NUL, lone surrogates) as escapes."""
    if value is None:
        return None
    return value.encode("utf-8", errors="backslashreplace").decode().replace("\x00", "\\x00")
