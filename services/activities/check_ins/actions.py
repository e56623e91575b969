"""Coming and leaving by the shift's rotating code."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, arrive, settle
from services.activities.attendance.queries import find_attendance
from services.activities.attendance.tables import Attendance
from services.activities.check_ins import queries, rules
from services.activities.check_ins.tables import Scan
from services.activities.listings.actions import start_shift
from services.activities.listings.queries import get_shift
from services.activities.listings.rules import require_not_cancelled
from services.activities.listings.tables import Shift
from services.activities.sign_ups.queries import require_place
from services.activities.volunteers.queries import lock_volunteers
from shared.events.activities import EvidenceClass

BY_CODE = "checked in and out by the shift's code"

_COUNT_FAILURE = text("""
    INSERT INTO code_attempt AS a (shift_id, volunteer_id, failed, last_failed_at)
    VALUES (:shift_id, :volunteer_id, 1, :now)
    ON CONFLICT (shift_id, volunteer_id) DO UPDATE
    SET failed = CASE WHEN a.last_failed_at <= :forgotten THEN 1 ELSE a.failed + 1 END, last_failed_at = :now
""")

_FORGET_ATTEMPTS = text("""
    DELETE FROM code_attempt WHERE (shift_id, volunteer_id) IN (
        SELECT shift_id, volunteer_id FROM code_attempt WHERE last_failed_at < :before
        ORDER BY last_failed_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING shift_id
""")
_FORGET_ATTEMPTS_OF = text("DELETE FROM code_attempt WHERE volunteer_id = :volunteer_id")  # A day's rows: few.
_FORGET_SCANS = text("""
    DELETE FROM scan WHERE (shift_id, volunteer_id, way) IN (
        SELECT shift_id, volunteer_id, way FROM scan WHERE scanned_at < :before
        ORDER BY scanned_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING shift_id
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody gives a code for a shift."""

    programme_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    code: str
    at: datetime


def check_in(tx: Session, attempt: Attempt) -> Attendance:
    """Record that a volunteer has arrived; the same code again changes nothing and returns the first.

    Raises NotFound, NotSignedUp, AlreadyCheckedIn, ShiftCancelled, CheckInClosed, TooManyAttempts, WrongCode,
    CodeExpired.
    """
    shift = _lock(tx, attempt)
    known = find_attendance(tx, shift_id=shift.id, volunteer_id=attempt.volunteer_id)
    if known is not None:
        _require_repeat(tx, attempt, shift, way="in", refusal=rules.AlreadyCheckedIn)
        return known
    step = _prove(tx, attempt, shift, leaving=False)
    start_shift(tx, shift)
    tx.add(Scan(shift_id=shift.id, volunteer_id=attempt.volunteer_id, way="in", step=step, scanned_at=attempt.at))
    arrive(tx, [(shift, attempt.volunteer_id, attempt.at)])
    return _recorded(tx, attempt)


def check_out(tx: Session, attempt: Attempt) -> Attendance:
    """Record that a volunteer leaves, and settle the service; the same code again changes nothing.

    Raises NotFound, NotSignedUp, NotCheckedIn, AlreadyCheckedOut, ShiftCancelled, CheckOutClosed, TooManyAttempts,
    WrongCode, CodeExpired, CodeReused.
    """
    shift = _lock(tx, attempt)
    known = find_attendance(tx, shift_id=shift.id, volunteer_id=attempt.volunteer_id)
    if known is None:
        raise rules.NotCheckedIn
    if known.state != "checked_in":
        _require_repeat(tx, attempt, shift, way="out", refusal=rules.AlreadyCheckedOut)
        return known
    step = _prove(tx, attempt, shift, leaving=True)
    tx.add(Scan(shift_id=shift.id, volunteer_id=attempt.volunteer_id, way="out", step=step, scanned_at=attempt.at))
    presence = Presence(known.checked_in_at, attempt.at, EvidenceClass.SCANNED)
    settlement = Settlement(known.id, known.volunteer_id, shift, 1, presence, BY_CODE, known=known)
    settle(tx, [settlement], decided_by=attempt.volunteer_id, now=attempt.at)
    tx.refresh(known)
    return known


@contextmanager
def failures_counted(apart: Callable[[], AbstractContextManager[Session]], attempt: Attempt) -> Iterator[None]:
    """Count a wrong code in a transaction of its own, since the refusal rolls everything else back."""
    try:
        yield
    except rules.WrongCode:
        values = {"shift_id": attempt.shift_id, "volunteer_id": attempt.volunteer_id, "now": attempt.at}
        with apart() as tx:  # The person's lock is still held: a hundred guesses at once are counted one by one.
            tx.execute(_COUNT_FAILURE, values | {"forgotten": attempt.at - rules.LOCKED_FOR})
        raise


def forget_attempts(tx: Session, *, before: datetime, limit: int) -> int:
    """Forget wrong codes whose last was given before then, at most `limit`; return how many."""
    return len(tx.execute(_FORGET_ATTEMPTS, {"before": before, "limit": limit}).all())


def forget_attempts_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Forget a person's wrong codes."""
    tx.execute(_FORGET_ATTEMPTS_OF, {"volunteer_id": volunteer_id})


def forget_scans(tx: Session, *, before: datetime, limit: int) -> int:
    """Forget scans made before then, at most `limit`; return how many. What they proved stays settled."""
    return len(tx.execute(_FORGET_SCANS, {"before": before, "limit": limit}).all())


def _lock(tx: Session, attempt: Attempt) -> Shift:
    """Lock the person and return the shift on which they have a place."""
    lock_volunteers(tx, [attempt.volunteer_id])
    shift, _ = get_shift(tx, programme_id=attempt.programme_id, shift_id=attempt.shift_id)
    require_place(tx, shift_id=shift.id, volunteer_id=attempt.volunteer_id)
    return shift


def _prove(tx: Session, attempt: Attempt, shift: Shift, *, leaving: bool) -> int:
    """Return the step of a code that proves presence now."""
    person = {"shift_id": shift.id, "volunteer_id": attempt.volunteer_id}
    require_not_cancelled(shift.state)
    rules.require_in_window(starts_at=shift.starts_at, ends_at=shift.ends_at, now=attempt.at, leaving=leaving)
    failures = queries.find_attempts(tx, **person)
    if failures is not None:
        rules.require_attempts_left(failed=failures.failed, last_failed_at=failures.last_failed_at, now=attempt.at)
    step = rules.find_step(shift.code_secret, attempt.code, now=attempt.at)
    fresh = rules.require_fresh(step, current=rules.code_step(attempt.at))
    rules.require_later_code(fresh, check_in_step=queries.find_steps(tx, **person).get("in"))
    if failures is not None:
        tx.delete(failures)  # Only wrong codes in a row lock.
    return fresh


def _require_repeat(
    tx: Session, attempt: Attempt, shift: Shift, *, way: str, refusal: type[rules.AlreadyScanned]
) -> None:
    step = rules.find_step(shift.code_secret, attempt.code, now=attempt.at)
    steps = queries.find_steps(tx, shift_id=shift.id, volunteer_id=attempt.volunteer_id)
    rules.require_same_scan(step, recorded=steps.get(way), refusal=refusal)


def _recorded(tx: Session, attempt: Attempt) -> Attendance:
    recorded = find_attendance(tx, shift_id=attempt.shift_id, volunteer_id=attempt.volunteer_id)
    if recorded is None:
        raise rules.NotCheckedIn
    return recorded
