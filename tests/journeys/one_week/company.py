"""Who takes part in a week, and when its steps are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from launch.season import sheets
from launch.season.facts import Volunteer as Employee
from shared.roles import Role
from tests.journeys.people import Partner, Person, Shift, Town, Volunteer, agree_on_price

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2022, 6, 6, tzinfo=ZONE)
PARTNER, EMPLOYEES = "P-WEEK", 9
MINUTE = timedelta(minutes=1)
PATH = "/api/activities"


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    """Say when an hour of the week is; days count from its Monday, 0, and go on into the next."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


@dataclass(frozen=True)
class Company:
    """Everybody, each through their own doors."""

    town: Town
    operator: Person
    second_operator: Person
    reviewer: Person
    auditor: Person
    ops: Person
    partner: Partner
    volunteers: tuple[Volunteer, ...]

    def go_on(self, to: datetime, *timers: str) -> None:
        """Let time pass, and have timers of activities do what is due then."""
        self.town.go_to(to)
        self.town.fire(*(f"activities.{name}" for name in timers))

    def shift(self, found: dict[str, Any]) -> Shift:
        """Name the one shift of a listing."""
        (shift,) = found["shifts"]
        starts_at, ends_at = (datetime.fromisoformat(shift[name]) for name in ("starts_at", "ends_at"))
        return Shift(shift["id"], found["id"], starts_at, ends_at)


def come_together(town: Town) -> Company:
    """Register a partner and nine employees, and agree on what an hour is worth, a day before the week begins."""
    town.go_to(moment(-1, 9))
    operator = Person(town, Role.OPERATOR)
    facts = {"name": "示例社区中心", "agreement": "signed", "since": "2022-01-01"}
    partner_id = UUID(operator.put(f"{PATH}/partners/{PARTNER}", facts)["id"])
    agree_on_price(town, policy_from=moment(-1, 0))
    issuer = {"prefix": "WEEK", "zh": "示例基金会", "en": "Example Foundation", "contact": "示例联系方式"}
    operator.put(f"{PATH}/certificate-issuer", issuer)
    return Company(
        town, operator, Person(town, Role.OPERATOR), Person(town, Role.REVIEWER), Person(town, Role.AUDITOR),
        Person(town, Role.OPS), Partner(town, Role.PARTNER, partner_id=partner_id), _employ(operator),
    )  # fmt: skip


def _employ(operator: Person) -> tuple[Volunteer, ...]:
    numbers = [f"E-{number}" for number in range(EMPLOYEES)]
    people = [Employee(employee_number=number, display_name=f"小跳 {number}") for number in numbers]
    operator.bring_in("volunteers", sheets.volunteers_csv(people))
    found = operator.post(f"{PATH}/volunteers/lookups", {"employee_numbers": numbers})["items"]
    ids = {each["employee_number"]: UUID(each["id"]) for each in found}
    return tuple(Volunteer(operator.town, Role.VOLUNTEER, ids[number]) for number in numbers)
