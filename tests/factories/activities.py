"""Factories of activities: the smallest valid row, with what a test is about put in."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.rules import Interval
from services.activities.attendance.tables import Attendance
from services.activities.check_ins import rules as codes
from services.activities.listings.tables import Listing, Partner, Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.events.activities import EvidenceClass
from shared.ids import new_id

PROGRAMME = UUID("01800000-0000-7000-8000-00000000000a")
REVIEWER = UUID("01800000-0000-7000-8000-00000000000b")
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # noqa: S105  Of RFC 6238, appendix B: "12345678901234567890".
NINE = datetime(2022, 6, 1, 1, 0, tzinfo=UTC)  # In Shanghai it is nine.
NOON = NINE + timedelta(hours=3)
FIRST_OF_JUNE = date(2022, 6, 1)
MINUTE = timedelta(minutes=1)

R = TypeVar("R")


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Name a time of the first of June as clocks in Shanghai show it."""
    return NINE + timedelta(hours=hour - 9, minutes=minute, seconds=second)


def code(now: datetime, *, secret: str = SECRET, steps: int = 0) -> str:
    """Return the code that a shift of these factories shows, or showed `-steps` half minutes ago."""
    return codes.code_at(secret, codes.code_step(now) + steps)


def _named(kind: str) -> str:
    return f"{kind}-{new_id().hex[-12:]}"


def make_volunteer(tx: Session, **overrides: Any) -> Volunteer:
    values = {
        "id": new_id(),
        "programme_id": PROGRAMME,
        "employee_number": _named("E"),
        "display_name": "合成甲",
        "registered_at": NINE,
    }
    return _added(tx, Volunteer(**values | overrides))


def make_partner(tx: Session, **overrides: Any) -> Partner:
    values = {
        "id": new_id(),
        "programme_id": PROGRAMME,
        "reference": _named("P"),
        "name": "绿叶",
        "agreement": "signed",
    }
    return _added(tx, Partner(**{"since": date(2022, 1, 1)} | values | overrides))


def make_listing(tx: Session, **overrides: Any) -> Listing:
    """Make a listing, of a partner of its own unless `partner_id` is given."""
    programme_id = overrides.setdefault("programme_id", PROGRAMME)
    if "partner_id" not in overrides:
        overrides["partner_id"] = make_partner(tx, programme_id=programme_id).id
    values = {"reference": _named("L"), "title": "净滩", "timezone": "Asia/Shanghai", "published_at": NINE}
    return _added(tx, Listing(id=new_id(), **values | overrides))


def make_shift(tx: Session, *, listing: Listing | None = None, **overrides: Any) -> Shift:
    """Make a shift from nine to noon whose code comes from SECRET, on a listing of its own unless one is given."""
    if listing is None:
        owner = {name: overrides.pop(name) for name in ("programme_id", "partner_id") if name in overrides}
        listing = make_listing(tx, **owner)
    values = {
        "programme_id": listing.programme_id,
        "listing_id": listing.id,
        "partner_id": listing.partner_id,
        "number": 1,
        "starts_at": NINE,
        "ends_at": NOON,
        "service_on": FIRST_OF_JUNE,
        "capacity": 10,
        "taken": 0,
        "code_secret": SECRET,
        "state": "open",
    }
    return _added(tx, Shift(id=new_id(), **values | overrides))


def make_sign_up(tx: Session, shift: Shift, *, volunteer: Volunteer | None = None, **overrides: Any) -> SignUp:
    """Make a place on a shift, of a person of its own unless one is given."""
    volunteer = volunteer or make_volunteer(tx, programme_id=shift.programme_id)
    values = {"programme_id": shift.programme_id, "source": "self", "signed_up_at": NINE}
    place = SignUp(id=new_id(), shift_id=shift.id, volunteer_id=volunteer.id, **values | overrides)
    shift.taken += 1
    return _added(tx, place)


def make_attendance(tx: Session, shift: Shift, *, volunteer_id: UUID | None = None, **overrides: Any) -> Attendance:
    """Make somebody who came on time and has not left, with a place on the shift unless `volunteer_id` is given."""
    values = {
        "programme_id": shift.programme_id,
        "listing_id": shift.listing_id,
        "partner_id": shift.partner_id,
        "service_on": shift.service_on,
        "state": "checked_in",
        "version": 0,
        "checked_in_at": shift.starts_at,
    }
    person = volunteer_id or make_sign_up(tx, shift).volunteer_id
    if shift.state == "open":
        shift.state = "running"
    return _added(tx, Attendance(id=new_id(), shift_id=shift.id, volunteer_id=person, **values | overrides))


def make_settled(
    tx: Session, shift: Shift, *, came: datetime = NINE, left: datetime = NOON, volunteer_id: UUID | None = None
) -> Attendance:
    """Make somebody who came and left, settled as version 1; the fact of it stands in the outbox."""
    record = make_attendance(tx, shift, volunteer_id=volunteer_id, checked_in_at=came)
    presence = attendance.Presence(came, left, EvidenceClass.SCANNED)
    settlement = attendance.Settlement(record.id, record.volunteer_id, shift, 1, presence, "made", REVIEWER, left)
    attendance.settle(tx, [settlement])
    tx.refresh(record)
    tx.refresh(shift)
    return record


def make_interval(start: int, end: int, *, attendance_id: UUID | None = None) -> Interval:
    """Make an interval from minute to minute after nine."""
    return Interval(attendance_id or new_id(), NINE + start * MINUTE, NINE + end * MINUTE)


def _added(tx: Session, row: R) -> R:
    tx.add(row)
    tx.flush()
    return row
