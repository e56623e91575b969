"""What is kept of codes that were right, and for how long."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.scans.rules import Marked
from shared.audit import Change, note
from shared.database.packed import bodies, instants, integers, uuids

_RECORD = text("""
    INSERT INTO scan (shift_id, volunteer_id, way, step, scanned_at, device_mark)
    SELECT shift_id, volunteer_id, :way, step, scanned_at, device_mark
    FROM unnest(CAST(:shifts AS uuid[]), CAST(:people AS uuid[]), CAST(:steps AS int[]),
                CAST(:instants AS timestamptz[]), CAST(:marks AS bytea[]))
        AS s(shift_id, volunteer_id, step, scanned_at, device_mark)
""")
_HAND_OVER = text("""
    UPDATE scan s SET volunteer_id = :kept_id WHERE volunteer_id = :merged_id
        AND NOT EXISTS (SELECT 1 FROM scan k WHERE k.volunteer_id = :kept_id AND k.shift_id = s.shift_id)
    RETURNING shift_id
""")
# What two records of one person scanned is the one's that stays.
_TAKE_MARKS = text("""
    WITH taken AS (
        UPDATE scan SET device_mark = NULL
        WHERE shift_id = ANY(CAST(:shifts AS uuid[])) AND device_mark IS NOT NULL
        RETURNING shift_id, volunteer_id, old.device_mark)
    SELECT DISTINCT shift_id, coalesce(v.merged_into, v.id) AS person_id, device_mark
    FROM taken JOIN volunteer v ON v.id = volunteer_id
    ORDER BY shift_id, person_id, device_mark
""")
_FORGET_MARKS = text("""
    UPDATE scan SET device_mark = NULL
    WHERE volunteer_id = :volunteer_id AND device_mark IS NOT NULL
        AND shift_id IN (SELECT shift_id FROM sign_up WHERE volunteer_id = :volunteer_id)
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
    """Somebody gave a right code of a shift: `step` says which, `device_mark` by which device."""

    shift_id: UUID
    volunteer_id: UUID
    step: int
    at: datetime
    device_mark: bytes | None


def record(tx: Session, proofs: Sequence[Proof], *, way: str) -> None:
    """Keep who has come or left by which code; a person's lock is held, and each is another one."""
    values = {
        "way": way,
        "shifts": uuids(each.shift_id for each in proofs),
        "people": uuids(each.volunteer_id for each in proofs),
        "steps": integers([each.step for each in proofs]),
        "instants": instants(each.at for each in proofs),
        "marks": bodies(each.device_mark for each in proofs),
    }
    tx.execute(_RECORD, values)
    note(tx, "scan", (_shown(each, way) for each in proofs), added=len(proofs))


def hand_over(tx: Session, *, kept_id: UUID, merged_id: UUID) -> None:
    """Let one record's scans be another's of the same person, where that has none."""
    moved = tx.execute(_HAND_OVER, {"kept_id": kept_id, "merged_id": merged_id}).all()
    note(tx, "scan", (), handed_over=len(moved))


def take_marks(tx: Session, shift_ids: Collection[UUID]) -> list[Marked]:
    """Return for whom which devices scanned on shifts, by shift and person, and forget it: it is asked once."""
    return [Marked(*row) for row in tx.execute(_TAKE_MARKS, {"shifts": uuids(shift_ids)})]


def forget_marks_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Forget by which devices a person has scanned; the scans stay."""
    forgotten = tx.execute(_FORGET_MARKS, {"volunteer_id": volunteer_id}).all()
    note(tx, "scan", (), forgotten_marks=len(forgotten))


def forget_scans(tx: Session, *, before: datetime, limit: int) -> int:
    """Forget scans made before then, at most `limit`; return how many. What they proved stays settled."""
    return len(tx.execute(_FORGET, {"before": before, "limit": limit}).all())


def _shown(proof: Proof, way: str) -> Change:
    """Show a scan in the trail, without its device."""
    person = {"shift_id": proof.shift_id, "volunteer_id": proof.volunteer_id}
    scan = person | {"way": way, "step": proof.step, "scanned_at": proof.at}
    return Change(f"{proof.shift_id}/{proof.volunteer_id}/{way}", None, scan, of=proof.volunteer_id)
