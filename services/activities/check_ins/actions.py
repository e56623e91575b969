"""Coming and leaving by the shift's rotating code: many at once, as at nine o'clock on a Saturday.

Both doors are hot ones (`shared/web/together.py`): an attempt is judged by itself, what follows is written set-wise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.attendance.actions import Presence, Settlement, arrive, settle_few
from services.activities.attendance.rules import Command, allows
from services.activities.attendance.tables import Attendance
from services.activities.check_ins import queries, rules
from services.activities.listings.actions import start_shifts
from services.activities.listings.queries import find_states
from services.activities.listings.rules import AHEAD, OFF, ShiftCancelled, require_not_cancelled
from services.activities.listings.tables import Shift
from services.activities.scans.actions import Proof, record
from services.activities.scans.rules import device_mark
from services.activities.sign_ups.rules import NotSignedUp
from shared.audit import Change, note
from shared.database.packed import instants, uuids
from shared.errors import NotFound, Refusal
from shared.events.activities import EvidenceClass

BY_CODE = "checked in and out by the shift's code"

_COUNT_FAILURES = text("""
    INSERT INTO code_attempt AS a (shift_id, volunteer_id, failed, last_failed_at)
    SELECT shift_id, volunteer_id, 1, given_at
    FROM unnest(CAST(:shifts AS uuid[]), CAST(:people AS uuid[]), CAST(:instants AS timestamptz[]))
        AS w(shift_id, volunteer_id, given_at)
    ON CONFLICT (shift_id, volunteer_id) DO UPDATE
    SET failed = CASE WHEN a.last_failed_at <= excluded.last_failed_at - CAST(:locked_for AS interval) THEN 1
                      ELSE a.failed + 1 END,
        last_failed_at = excluded.last_failed_at
""")
_END_ROW = text("""
    DELETE FROM code_attempt USING unnest(CAST(:shifts AS uuid[]), CAST(:people AS uuid[])) AS r(shift, person)
    WHERE shift_id = shift AND volunteer_id = person
""")

_FORGET_ATTEMPTS = text("""
    DELETE FROM code_attempt WHERE (shift_id, volunteer_id) IN (
        SELECT shift_id, volunteer_id FROM code_attempt WHERE last_failed_at < :before
        ORDER BY last_failed_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    RETURNING shift_id
""")
_FORGET_ATTEMPTS_OF = text("DELETE FROM code_attempt WHERE volunteer_id = :volunteer_id")  # A day's rows: few.


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody gives a code for a shift; `device` is what their device is known by, and no log shows it."""

    programme_id: UUID
    shift_id: UUID
    volunteer_id: UUID
    code: str
    at: datetime
    device: str | None = field(default=None, repr=False)


Outcome = Attendance | Refusal
Right = tuple[Attempt, queries.Standing, int]  # With the step of its code.


def check_in_many(tx: Session, attempts: Sequence[Attempt]) -> list[Outcome]:
    """Record that volunteers, each another one, have arrived; for each the attendance, or why not. They are held.

    The same code again changes nothing and returns the first. What may be refused: NotFound, NotSignedUp,
    AlreadyCheckedIn, ShiftCancelled, CheckInClosed, TooManyAttempts, WrongCode, CodeExpired.
    """
    return _carry_out(tx, attempts, _Way("in", _judge_arrival, _arrive))


def check_out_many(tx: Session, attempts: Sequence[Attempt]) -> list[Outcome]:
    """Record that volunteers, each another one, leave, and settle it; for each that, or why not. They are held.

    The same code again changes nothing. What may be refused: NotFound, NotSignedUp, NotCheckedIn, AlreadyCheckedOut,
    ShiftCancelled, CheckOutClosed, TooManyAttempts, WrongCode, CodeExpired, CodeReused.
    """
    return _carry_out(tx, attempts, _Way("out", _judge_departure, _leave))


def forget_attempts(tx: Session, *, before: datetime, limit: int) -> int:
    """Forget wrong codes whose last was given before then, at most `limit`; return how many."""
    return len(tx.execute(_FORGET_ATTEMPTS, {"before": before, "limit": limit}).all())


def forget_attempts_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Forget a person's wrong codes."""
    tx.execute(_FORGET_ATTEMPTS_OF, {"volunteer_id": volunteer_id})


class _Way(NamedTuple):
    """In or out: how an attempt is judged, and how those that are right take effect."""

    name: str
    judge: Callable[[Attempt, queries.Standing], Attendance | int]  # What stands already, or the step of a right code.
    take_effect: Callable[[Session, Sequence[Right]], dict[UUID, Outcome]]  # By volunteer.


def _carry_out(tx: Session, attempts: Sequence[Attempt], way: _Way) -> list[Outcome]:
    """Judge each attempt by itself, and write what follows from all of them."""
    standings = queries.find_standings(tx, [_pair(attempt) for attempt in attempts])
    verdicts = [_verdict(attempt, standings.get(_pair(attempt)), way) for attempt in attempts]
    judged = list(zip(attempts, verdicts, strict=True))
    _count_failures(tx, [attempt for attempt, verdict in judged if isinstance(verdict, rules.WrongCode)])
    right = [(attempt, standings[_pair(attempt)], step) for attempt, step in judged if isinstance(step, int)]
    effects = way.take_effect(tx, right) if right else {}
    done = [each for each in right if not isinstance(effects[each[0].volunteer_id], Refusal)]
    if done:
        record(tx, [_proof(*each) for each in done], way=way.name)
    _end_rows(tx, done)
    return [effects[attempt.volunteer_id] if isinstance(each, int) else each for attempt, each in judged]


def _verdict(attempt: Attempt, standing: queries.Standing | None, way: _Way) -> Outcome | int:
    """Judge one attempt; a refusal is its own, and nobody else's."""
    try:
        if standing is None or standing.shift.programme_id != attempt.programme_id:
            raise NotFound(shift_id=attempt.shift_id)
        if not standing.has_place:
            require_not_cancelled(standing.shift.state)  # Who had a place is told why there is none any more.
            raise NotSignedUp(shift_id=attempt.shift_id)
        return way.judge(attempt, standing)
    except Refusal as refusal:
        return refusal


def _judge_arrival(attempt: Attempt, standing: queries.Standing) -> Attendance | int:
    if standing.attendance is None:
        return _prove(attempt, standing, leaving=False)
    _require_repeat(attempt, standing.shift, recorded=standing.came_by, refusal=rules.AlreadyCheckedIn)
    return standing.attendance


def _judge_departure(attempt: Attempt, standing: queries.Standing) -> Attendance | int:
    if standing.attendance is None:
        raise rules.NotCheckedIn
    if allows(standing.attendance.state, Command.CHECK_OUT):
        return _prove(attempt, standing, leaving=True)
    _require_repeat(attempt, standing.shift, recorded=standing.left_by, refusal=rules.AlreadyCheckedOut)
    return standing.attendance


def _prove(attempt: Attempt, standing: queries.Standing, *, leaving: bool) -> int:
    """Return the step of a code that proves presence now."""
    shift, now = standing.shift, attempt.at
    require_not_cancelled(shift.state)
    rules.require_in_window(starts_at=shift.starts_at, ends_at=shift.ends_at, now=now, leaving=leaving)
    if standing.failed is not None and standing.last_failed_at is not None:
        rules.require_attempts_left(failed=standing.failed, last_failed_at=standing.last_failed_at, now=now)
    step = rules.find_step(shift.code_secret, attempt.code, now=now)
    fresh = rules.require_fresh(step, current=rules.code_step(now))
    rules.require_later_code(fresh, check_in_step=standing.came_by)
    return fresh


def _require_repeat(
    attempt: Attempt, shift: Shift, *, recorded: int | None, refusal: type[rules.AlreadyScanned]
) -> None:
    step = rules.find_step(shift.code_secret, attempt.code, now=attempt.at)
    rules.require_same_scan(step, recorded=recorded, refusal=refusal)


def _arrive(tx: Session, right: Sequence[Right]) -> dict[UUID, Outcome]:
    """Record who came, but to a shift that was called off before the first of them."""
    called_off = _start(tx, right)
    coming = [(attempt, it.shift) for attempt, it, _ in right if it.shift.id not in called_off]
    arrivals = [(shift, attempt.volunteer_id, attempt.at) for attempt, shift in coming]
    came = {each.volunteer_id: each for each in arrive(tx, arrivals)} if arrivals else {}
    return {attempt.volunteer_id: came.get(attempt.volunteer_id) or ShiftCancelled() for attempt, _, _ in right}


def _start(tx: Session, right: Sequence[Right]) -> set[UUID]:
    """Start the shifts to which nobody had come so far, and return those that were called off meanwhile."""
    first = {it.shift.id: attempt.volunteer_id for attempt, it, _ in reversed(right) if it.shift.state in AHEAD}
    if not first:
        return set()
    start_shifts(tx, first, by=first)
    return {shift_id for shift_id, state in find_states(tx, first).items() if state in OFF}


def _leave(tx: Session, right: Sequence[Right]) -> dict[UUID, Outcome]:
    """Settle the service of who leaves."""
    settlements = [_settlement(attempt, it, it.attendance) for attempt, it, _ in right if it.attendance]
    settled = settle_few(tx, settlements)
    return {each.volunteer_id: settled[each.attendance_id] for each in settlements}


def _settlement(attempt: Attempt, standing: queries.Standing, known: Attendance) -> Settlement:
    evidence = EvidenceClass(rules.evidence(came_by=standing.came_by))
    presence = Presence(known.checked_in_at, attempt.at, evidence)
    person = attempt.volunteer_id
    return Settlement(known.id, person, standing.shift, 1, presence, BY_CODE, person, attempt.at, known=known)


def _proof(attempt: Attempt, standing: queries.Standing, step: int) -> Proof:
    mark = device_mark(attempt.device, secret=standing.shift.code_secret)
    return Proof(attempt.shift_id, attempt.volunteer_id, step, attempt.at, mark)


def _count_failures(tx: Session, wrong: Sequence[Attempt]) -> None:
    """Count wrong codes; the person's lock is held, so a hundred guesses at once are counted one by one."""
    if wrong:
        tx.execute(_COUNT_FAILURES, _columns(wrong) | {"locked_for": rules.LOCKED_FOR})


def _end_rows(tx: Session, done: Sequence[Right]) -> None:
    """Forget the wrong codes of who has given a right one: only wrong codes in a row lock."""
    ended = [(attempt, standing.failed) for attempt, standing, _ in done if standing.failed is not None]
    if ended:
        columns = _columns([attempt for attempt, _ in ended])
        tx.execute(_END_ROW, {"shifts": columns["shifts"], "people": columns["people"]})
        shown = (Change(_key(a), {"failed": failed}, None, of=a.volunteer_id) for a, failed in ended)
        note(tx, "code_attempt", shown, removed=len(ended))


def _columns(attempts: Sequence[Attempt]) -> dict[str, object]:
    return {
        "shifts": uuids(attempt.shift_id for attempt in attempts),
        "people": uuids(attempt.volunteer_id for attempt in attempts),
        "instants": instants(attempt.at for attempt in attempts),
    }


def _key(attempt: Attempt) -> str:
    return f"{attempt.shift_id}/{attempt.volunteer_id}"


def _pair(attempt: Attempt) -> queries.Pair:
    return attempt.shift_id, attempt.volunteer_id
