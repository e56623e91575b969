"""What may be published."""

import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.errors import Conflict, Invalid, Title

LONGEST_SHIFT = timedelta(hours=24)
SECRET_BYTES = 20  # 160 bits, as RFC 4226 section 4 recommends.


class BadShift(Invalid):
    """A shift's times cannot be; `field` says which."""

    code = "bad_shift"
    title = Title(zh="场次时间有误", en="The shift's times are wrong")


class ReferenceTaken(Conflict):
    """Another listing of the programme has this reference."""

    code = "reference_taken"
    title = Title(zh="该编号已被使用", en="This reference is already used")


class UnknownPartner(Invalid):
    """There is no such partner in the programme."""

    code = "unknown_partner"
    title = Title(zh="没有这个伙伴机构", en="There is no such partner")


class ShiftHasAttendance(Conflict):
    """Somebody has already checked in: the shift happens."""

    code = "shift_has_attendance"
    title = Title(zh="已有人签到，不能取消", en="Somebody has checked in; it cannot be cancelled")


class ShiftCancelled(Conflict):
    """The shift was called off."""

    code = "shift_cancelled"
    title = Title(zh="该场次已取消", en="This shift was cancelled")


@dataclass(frozen=True, slots=True)
class Times:
    """When a shift is, whole minutes, half-open."""

    starts_at: datetime
    ends_at: datetime


def require_times(times: Times) -> None:
    """Refuse times that are not whole minutes, in the wrong order, or longer than a day. Raises BadShift."""
    for field, instant in (("starts_at", times.starts_at), ("ends_at", times.ends_at)):
        if instant.second or instant.microsecond:
            raise BadShift(field=field, expected="whole minutes")
    if not timedelta(0) < times.ends_at - times.starts_at <= LONGEST_SHIFT:
        raise BadShift(field="ends_at", expected="after starts_at, at most 24 hours later")


def require_not_cancelled(state: str) -> None:
    """Refuse to go on with a shift that was called off. Raises ShiftCancelled."""
    if state == "cancelled":
        raise ShiftCancelled


def require_not_started(state: str) -> None:
    """Refuse to call off a shift on which somebody has checked in. Raises ShiftHasAttendance."""
    if state in {"running", "held"}:
        raise ShiftHasAttendance


def service_date(starts_at: datetime, timezone: ZoneInfo) -> date:
    """Return the local date on which a service starts; a shift over midnight belongs to its first day."""
    return starts_at.astimezone(timezone).date()


def new_code_secret() -> str:
    """Make the secret behind a shift's rotating code, in base 32."""
    return b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
