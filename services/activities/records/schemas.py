"""What HTTP callers see of somebody's service."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.activities.attendance.tables import Attendance
from services.activities.records import queries, rules
from shared.database.keyset import since, until
from shared.errors import Title
from shared.events.activities import EvidenceClass
from shared.web.fields import Count, Items, Parts, Shown
from shared.web.lists import Table


class Service(BaseModel):
    """One settled attendance: what it was, and how it is proven."""

    model_config = ConfigDict(from_attributes=True)

    attendance_id: UUID
    service_on: date
    title: Shown
    partner: Shown
    partner_id: UUID
    service_minutes: Count
    evidence: EvidenceClass


class Badge(BaseModel):
    """What is shown to who has served so many hours in all; `reached_on` is null of the next one."""

    code: Shown
    hours: Count
    zh: Shown
    en: Shown
    reached_on: date | None
    missing_minutes: Count


class ServiceRecord(BaseModel):
    """What somebody served in a period, oldest first; badges and `lifetime_minutes` count all of their service."""

    volunteer_id: UUID
    since: date | None
    until: date | None
    services: Count
    service_minutes: Count
    lifetime_minutes: Count
    badges: Items[Badge]
    next_badge: Badge | None
    items: Parts[Service]


SERVICES = Table(
    Service,
    file="service-record",
    title=Title(zh="志愿服务记录", en="Service record"),
    columns={
        "attendance_id": Title(zh="签到记录编号", en="Attendance id"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "title": Title(zh="活动名称", en="Activity"),
        "partner": Title(zh="机构", en="Partner"),
        "partner_id": Title(zh="机构编号", en="Partner id"),
        "service_minutes": Title(zh="服务分钟", en="Service minutes"),
        "evidence": Title(zh="证明方式", en="Evidence"),
    },
    filters={
        "since": since(Attendance.service_on, "Served on this date or later."),
        "until": until(Attendance.service_on, "Served before this date."),
    },
)


def record(volunteer_id: UUID, everything: Sequence[queries.Service], period: queries.Period) -> ServiceRecord:
    """Show the part of somebody's service that lies in a period, and what all of it comes to."""
    within = [each for each in everything if period.holds(each.service_on)]
    lifetime = sum(each.service_minutes for each in everything)
    reached = rules.reached((each.service_on, each.service_minutes) for each in everything)
    ahead = rules.to_next(lifetime)
    return ServiceRecord(
        volunteer_id=volunteer_id, since=period.since, until=period.until, services=len(within),
        service_minutes=sum(each.service_minutes for each in within), lifetime_minutes=lifetime,
        badges=[_badge(each.badge, each.reached_on, 0) for each in reached],
        next_badge=None if ahead is None else _badge(ahead[0], None, ahead[1]),
        items=[Service.model_validate(each) for each in within],
    )  # fmt: skip


def _badge(badge: rules.Badge, reached_on: date | None, missing: int) -> Badge:
    return Badge(
        code=badge.code, hours=badge.hours, zh=badge.title.zh, en=badge.title.en, reached_on=reached_on,
        missing_minutes=missing,
    )  # fmt: skip
