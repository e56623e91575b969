"""What is kept of codes that were right, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.audit import Change, note
from shared.database.packed import instants, integers, uuids

_RECORD = text("""
    INSERT INTO scan (shift_id, volunteer_id, way, step, scanned_at)
    SELECT shift_id, volunteer_id, :way, step, scanned_at
    FROM unnest(CAST(:shifts AS uuid[]), CAST(:people AS uuid[]), CAST(:steps AS int[]),
                CAST(:instants AS timestamptz[]))
        AS s(shift_id, volunteer_id, step, scanned_at)
""")
_HAND_OVER = text("""
    UPDATE scan s SET volunteer_id = :kept_id WHERE volunteer_id = :merged_id
        AND NOT EXISTS (SELECT 1 FROM scan k WHERE k.volunteer_id = :kept_id AND k.shift_id = s.shift_id)
    RETURNING shift_id
""")
_FORGET = text("""
    DELETE FROM scan WHERE (shift_id, volunteer_id, way) IN (
        SELECT shift_id, volunteer_id, way FROM scan WHERE scanned_at < :before
        ORDER BY scanned_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING shift_id
""")


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody gave a right code of a shift; `step` says which."""

    shift_id: UUID
    volunteer_id: UUID
    step: int
    at: datetime


def record(tx: Session, proofs: Sequence[Proof], *, way: str) -> None:
    """Keep who has come or left by which code; a person's lock is held, and each is another one."""
    values = {
        "way": way,
        "shifts": uuids(each.shift_id for each in proofs),
        "people": uuids(each.volunteer_id for each in proofs),
        "steps": integers([each.step for each in proofs]),
        "instants": instants(each.at for each in proofs),
    }
    tx.execute(_RECORD, values)
    note(tx, "scan", (_shown(each, way) for each in proofs), added=len(proofs))


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let one record's scans be another's of the same person, where that has none."""
    moved = tx.execute(_HAND_OVER, {"kept_id": kept_id, "merged_id": merged_id}).all()
    note(tx, "scan", (), handed_over=len(moved))


def forget_scans(tx: Session, *, before: datetime, limit: int) -> int:
    """Forget scans made before then, at most `limit`; return how many. What they proved stays settled."""
    return len(tx.execute(_FORGET, {"before": before, "limit": limit}).all())


def _shown(proof: Proof, way: str) -> Change:
    person = {"shift_id": proof.shift_id, "volunteer_id": proof.volunteer_id}
    scan = person | {"way": way, "step": proof.step, "scanned_at": proof.at}
    return Change(f"{proof.shift_id}/{proof.volunteer_id}/{way}", None, scan, of=proof.volunteer_id)
