"""Writing the trail, and reading it back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from shared import telemetry
from shared.audit.tables import AuditEntry
from shared.audit.trail import Trail, begin

MOST_REASON = 500  # Characters of it.

_WRITE = text("""
    INSERT INTO audit_entry (at, programme_id, person_id, service, roles, operation, outcome, refusal, repeats,
        thing, thing_id, things, changes, counts, reason, trace_id)
    SELECT e.* FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS e(
        at timestamptz, programme_id uuid, person_id uuid, service text, roles text[], operation text, outcome text,
        refusal text, repeats int, thing text, thing_id text, things text[], changes jsonb, counts jsonb, reason text,
        trace_id text)
""")


@dataclass(frozen=True, slots=True)
class Who:
    """The person who called, in which roles, and the service that called for them if one did."""

    programme_id: UUID
    person_id: UUID
    roles: Sequence[str]
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What was called: the operation, and the kind and id of the thing that it is about; under which trace."""

    who: Who
    operation: str
    at: datetime
    thing: tuple[str, str] | None = None
    reason: str | None = None
    trace_id: str | None = field(default_factory=telemetry.trace_id)


def write_done(tx: Session, *done: tuple[Call, Trail]) -> None:
    """Write down calls that are about to be committed, each with what it changed."""
    _write(tx, [_done(call, trail) for call, trail in done])


@contextmanager
def carried_out(tx: Session, call: Call) -> Iterator[None]:
    """Collect what the block changes and write it down as somebody's doing; for tasks that people have asked for."""
    changed = begin(tx)
    yield
    tx.flush()
    write_done(tx, (call, changed))


def write_denied(tx: Session, call: Call, *, refusal: str, repeats: int) -> None:
    """Write down that access was denied, and how often before that without an entry of its own."""
    things = [call.thing[1]] if call.thing else []
    denied = {"outcome": "denied", "refusal": refusal, "repeats": repeats}
    _write(tx, [_values(call) | denied | {"things": things, "changes": [], "counts": {}}])


def _write(tx: Session, entries: Sequence[dict[str, object]]) -> None:
    tx.execute(_WRITE, {"entries": orjson.dumps(entries, default=str).decode()})


def _done(call: Call, trail: Trail) -> dict[str, object]:
    changes = trail.shown()
    things = {change["id"] for change in changes} | ({call.thing[1]} if call.thing else set())
    shown = {"things": sorted(things), "changes": changes, "counts": trail.counted()}
    return _values(call) | shown | {"outcome": "done", "repeats": 0}


def _values(call: Call) -> dict[str, object]:
    thing, thing_id = call.thing or (None, None)
    reason = None if call.reason is None else telemetry.without_personal_data(call.reason)
    return {
        "at": call.at,
        "programme_id": call.who.programme_id,
        "person_id": call.who.person_id,
        "service": call.who.service,
        "roles": list(call.who.roles),
        "operation": call.operation,
        "thing": thing,
        "thing_id": thing_id,
        "reason": None if reason is None else reason[:MOST_REASON],
        "trace_id": call.trace_id,
    }


def entries_of(programme_id: UUID) -> Select[AuditEntry]:
    """Say which entries a programme's auditors see."""
    return select(AuditEntry).where(AuditEntry.programme_id == programme_id)
