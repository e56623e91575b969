"""The rotating code, and when it proves an arrival or a departure. Source: DOMAIN.md section 4, "Attendance"."""

import hmac
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pyotp

from shared.errors import Conflict, Invalid, Title, TooMany

WINDOW = timedelta(minutes=30)  # Before the start and after the end.
CODE_SECONDS = 30
KNOWN_CODES = 10_000  # Of more than four hundred shifts at a time, each with 22 that a scan is compared with.
STEPS_EXPIRED = 20  # A code of the last ten minutes is called expired, not wrong.
MOST_ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=10)


class AlreadyScanned(Conflict):
    """A second scan is not a second arrival or departure."""

    code = "already_scanned"
    title = Title(zh="您已扫码", en="You have already scanned")


class CheckInClosed(Conflict):
    """Someone tried to check in outside the window around the shift."""

    code = "check_in_closed"
    title = Title(zh="不在签到时间内", en="Check-in is closed")


class CheckOutClosed(Conflict):
    """Someone tried to check out outside the window around the shift."""

    code = "check_out_closed"
    title = Title(zh="不在签退时间内", en="Check-out is closed")


class AlreadyCheckedIn(AlreadyScanned):
    """This person is checked in; a second scan is not a second arrival."""

    code = "already_checked_in"
    title = Title(zh="您已签到", en="You have already checked in")


class AlreadyCheckedOut(AlreadyScanned):
    """This person's service on this shift is settled."""

    code = "already_checked_out"
    title = Title(zh="您已签退", en="You have already checked out")


class NotCheckedIn(Conflict):
    """Someone wants to leave who never arrived."""

    code = "not_checked_in"
    title = Title(zh="您还没有签到", en="You have not checked in")


class WrongCode(Invalid):
    """The code is not one that this shift shows."""

    code = "wrong_code"
    title = Title(zh="签到码不正确", en="The code is wrong")


class CodeExpired(Invalid):
    """The code was shown, but too long ago."""

    code = "code_expired"
    title = Title(zh="签到码已过期，请重新扫码", en="The code has expired; scan again")


class CodeReused(Invalid):
    """The code that proved the arrival cannot prove the departure."""

    code = "code_reused"
    title = Title(zh="签退需要扫描新的签到码", en="Scan a new code to check out")


class TooManyAttempts(TooMany):
    """Too many wrong codes in a row."""

    code = "too_many_attempts"
    title = Title(zh="尝试次数过多，请稍后再试", en="Too many wrong codes; wait a while")


def code_step(now: datetime) -> int:
    """Count the 30-second steps since 1970 (RFC 6238)."""
    return int(now.timestamp()) // CODE_SECONDS


@lru_cache(maxsize=KNOWN_CODES)
def code_at(secret: str, step: int) -> str:
    """Return the six digits that a shift shows during a step; everybody on a shift scans the same ones."""
    return pyotp.HOTP(secret).at(step)


def step_ends_at(step: int) -> datetime:
    """Return when the code of a step gives way to the next."""
    return datetime.fromtimestamp((step + 1) * CODE_SECONDS, UTC)


def find_step(secret: str, code: str, *, now: datetime) -> int | None:
    """Return the step that a code belongs to: this one, the next or one of the last ten minutes; None if none.

    The next is accepted because the code may come from a server whose clock runs ahead. All are compared, in constant
    time.
    """
    current = code_step(now)
    candidates = range(current - STEPS_EXPIRED, current + 2)
    matches = [step for step in candidates if hmac.compare_digest(code_at(secret, step).encode(), code.encode())]
    return max(matches, default=None)


def require_in_window(*, starts_at: datetime, ends_at: datetime, now: datetime, leaving: bool) -> None:
    """Refuse a scan outside [start - 30 min, end + 30 min]. Raises CheckInClosed or, if `leaving`, CheckOutClosed."""
    opens_at, closes_at = starts_at - WINDOW, ends_at + WINDOW
    if not opens_at <= now <= closes_at:
        raise (CheckOutClosed if leaving else CheckInClosed)(opens_at=opens_at, closes_at=closes_at)


def require_attempts_left(*, failed: int, last_failed_at: datetime, now: datetime) -> None:
    """Refuse after five wrong codes until ten minutes have passed since the last. Raises TooManyAttempts."""
    free_at = last_failed_at + LOCKED_FOR
    if failed >= MOST_ATTEMPTS and now < free_at:
        raise TooManyAttempts(retry_after=int((free_at - now).total_seconds()) + 1)


def require_fresh(step: int | None, *, current: int) -> int:
    """Return the step of a code of this half minute or one beside it. Raises WrongCode, CodeExpired."""
    if step is None:
        raise WrongCode
    if step < current - 1:
        raise CodeExpired
    return step


def require_later_code(step: int, *, check_in_step: int | None) -> None:
    """Refuse to leave on the code one came with: one photo must not prove both. Raises CodeReused."""
    if check_in_step is not None and step <= check_in_step:
        raise CodeReused


def evidence(*, came_by: int | None) -> str:
    """Say what a scan out proves: as much as the arrival, which the partner attested if there is no scan of it."""
    return "attested" if came_by is None else "scanned"


def require_same_scan(step: int | None, *, recorded: int | None, refusal: type[AlreadyScanned]) -> None:
    """Let the very scan that was recorded come again, as from a slow phone; refuse any other. Raises `refusal`."""
    if step is None or step != recorded:
        raise refusal
