"""What is settled of people whose eligibility was recorded anew."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from shared.database.arrays import among


def list_settled(tx: Session, volunteer_ids: Collection[UUID]) -> list[Attendance]:
    """Return everything settled of these people that has minutes; whoever decides on it holds their locks."""
    rows = select(Attendance).where(among(Attendance.volunteer_id, volunteer_ids), Attendance.state == "settled")
    rows = rows.where(Attendance.service_minutes > 0).order_by(Attendance.id)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))
