"""What somebody has served: every settled attendance of a person, with what it was."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.listings.tables import Listing
from services.activities.partners.tables import Partner
from services.activities.sign_ups.tables import SignUp

MOST_SERVICES = 10_000  # Of one person; 27 years of a shift a day.


class Service(NamedTuple):
    """One settled attendance."""

    attendance_id: UUID
    service_on: date
    title: str
    partner: str
    partner_id: UUID
    service_minutes: int
    evidence: str


class Served(NamedTuple):
    """What settled attendances come to."""

    services: int
    service_minutes: int


class Period(NamedTuple):
    """Service dates from `since` up to, not including, `until`; None is open."""

    since: date | None = None
    until: date | None = None

    def holds(self, on: date) -> bool:
        """Say whether a service date lies in the period."""
        return (self.since is None or on >= self.since) and (self.until is None or on < self.until)


def list_services(
    tx: Session, *, programme_id: UUID, volunteer_id: UUID, period: Period, limit: int = MOST_SERVICES
) -> list[Service]:
    """Return what a person has served in a period, oldest first, at most `limit`."""
    rows = select(
        Attendance.id, Attendance.service_on, Listing.title, Partner.name, Attendance.partner_id,
        Attendance.service_minutes, Attendance.evidence,
    ).join(Listing, Listing.id == Attendance.listing_id).join(Partner, Partner.id == Attendance.partner_id)  # fmt: skip
    rows = rows.where(*_settled(programme_id, volunteer_id, period))
    rows = rows.order_by(Attendance.service_on, Attendance.started_at, Attendance.id).limit(limit)
    return [Service(*row) for row in tx.execute(rows)]  # type: ignore[arg-type]  # What is settled has its evidence.


def add_up(tx: Session, *, programme_id: UUID, volunteer_id: UUID, period: Period) -> Served:
    """Add up what a person has served in a period."""
    rows = select(func.count(), func.coalesce(func.sum(Attendance.service_minutes), 0)).select_from(Attendance)
    services, minutes = tx.execute(rows.where(*_settled(programme_id, volunteer_id, period))).one()
    return Served(services, int(minutes))


def _settled(programme_id: UUID, volunteer_id: UUID, period: Period) -> list[ColumnElement[bool]]:
    """Find a person's settled attendances of a period by way of their places, which are indexed by person."""
    places = select(SignUp.shift_id).where(SignUp.volunteer_id == volunteer_id)
    wanted = [
        Attendance.shift_id.in_(places), Attendance.volunteer_id == volunteer_id,
        Attendance.programme_id == programme_id, Attendance.state == "settled",
    ]  # fmt: skip
    if period.since is not None:
        wanted.append(Attendance.service_on >= period.since)
    if period.until is not None:
        wanted.append(Attendance.service_on < period.until)
    return wanted
