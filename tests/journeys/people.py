"""A running Popcandy and the people who use it, through its public doors only."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from launch import importing
from launch.client import Api
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.roles import Role
from tests.journeys import phones
from tests.waiting import until


def _meet_nobody(_volunteer_id: UUID, _partner_id: UUID) -> None:
    """Leave the issuer as it is."""


def _stay(_at: datetime) -> None:
    """Leave the clock alone: it is the real one."""


def _have_no_timers(*_names: str) -> None:
    """Run nothing: they run by the real clock."""


@dataclass(frozen=True)
class Town:
    """Where a platform's doors are, and who signs its tokens."""

    apis: Mapping[str, Api]  # By service.
    pages_url: str
    programme_id: UUID
    issuer: EmbeddedIssuer
    go_to: Callable[[datetime], None] = _stay  # Travel in time, where the platform can.
    introduce: Callable[[UUID, UUID], None] = _meet_nobody  # Who may sign in at the issuer from now on.
    fire: Callable[..., None] = _have_no_timers  # Run timers by their names, where the clock can travel.
    told: Callable[[], Counter[str]] = Counter  # What activities has told, by type, where its database is ours to read.


@contextlib.contextmanager
def town(
    urls: Mapping[str, str], *, pages_url: str, programme_id: UUID, issuer: EmbeddedIssuer,
    go_to: Callable[[datetime], None] = _stay, introduce: Callable[[UUID, UUID], None] = _meet_nobody,
) -> Iterator[Town]:  # fmt: skip
    """Hold connections to a platform's APIs until the block ends."""
    with contextlib.ExitStack() as stack:
        apis = {service: stack.enter_context(Api(url)) for service, url in urls.items()}
        yield Town(apis, pages_url, programme_id, issuer, go_to, introduce)


@dataclass(frozen=True)
class Shift:
    """A published occasion."""

    id: str
    listing_id: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Person:
    """Somebody with a role; each call carries a token signed at that moment."""

    town: Town
    role: Role
    id: UUID = field(default_factory=uuid4)
    partner_id: UUID | None = None

    @property
    def token(self) -> str:
        return self.town.issuer.issue(
            person_id=self.id, programme_id=self.town.programme_id, roles=[self.role], now=clock.now(),
            partner_id=self.partner_id,
        )  # fmt: skip

    def get(self, path: str, **params: object) -> Any:
        return self._api(path).get(path, token=self.token, **params)

    def post(self, path: str, body: object | None = None) -> Any:
        return self._api(path).post(path, body, token=self.token)

    def decide(self, path: str, how: str, body: object | None = None) -> Any:
        """Read a thing, and post a decision about it to the door `how` below it."""
        api = self._api(path)
        return api.post(f"{path}/{how}", body, token=self.token, if_match=api.tag(path, token=self.token))

    def put(self, path: str, body: object) -> Any:
        return self._api(path).put(path, body, token=self.token)

    def replace(self, path: str, body: object) -> Any:
        """Read a thing, and put another in its place."""
        api = self._api(path)
        return api.put(path, body, token=self.token, if_match=api.tag(path, token=self.token))

    def bring_in(self, kind: str, content: bytes) -> Any:
        """Send in a sheet, and wait until a worker has brought it in."""
        return importing.bring_in(self.town.apis["activities"], kind, f"{kind}.csv", content, token=self.token)

    def _api(self, path: str) -> Api:
        return self.town.apis[path.split("/")[2]]


class Partner(Person):
    """A member of the nonprofit that hosts the volunteers."""

    def publish_shift(self, *, starts_at: datetime, minutes: int) -> Shift:
        """Offer one occasion of a new activity."""
        ends_at = starts_at + timedelta(minutes=minutes)
        listing = {
            "partner_id": str(self.partner_id),
            "reference": f"L-{uuid4().hex[:8]}",
            "title": "陪伴老人",
            "shifts": [{"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat(), "capacity": 5}],
        }
        published = self.post("/api/activities/listings", listing)
        return Shift(published["shifts"][0]["id"], published["id"], starts_at, ends_at)

    def shown_code(self, shift: Shift) -> str:
        """Read the code off the partner's screen."""
        return str(self.get(f"/api/activities/shifts/{shift.id}/code")["code"])


class Volunteer(Person):
    """An employee with a phone."""

    def sign_up(self, shift: Shift) -> None:
        self.post(f"/api/activities/shifts/{shift.id}/sign-ups")

    def scan(self, shift: Shift, code: str, way: str) -> str:
        """Open the page that the scanned code leads to, and tap `check-in` or `check-out`; return what it says."""
        with phones.phone(self.town.pages_url) as phone:
            page = phones.sign_in(phone, f"/c/{shift.id}?code={code}", person_id=self.id)
            return phones.tap(phone, page, f"/c/{shift.id}/{way}", code=code).text

    def standing(self, shift: Shift) -> Any:
        """Return how this person stands with a shift."""
        return self.get(f"/api/activities/shifts/{shift.id}/attendance/mine")


@dataclass(frozen=True)
class Cast:
    """Everybody who takes part in a journey."""

    operator: Person
    auditor: Person
    ops: Person
    partner: Partner
    volunteer: Volunteer


def gather(town: Town, *, policy_from: datetime) -> Cast:
    """Register a partner and a volunteer, and agree on CNY 100 an hour by two people of finance."""
    operator = Person(town, Role.OPERATOR)
    facts = {"name": "社区关怀中心", "agreement": "signed", "since": "2022-01-01"}
    partner_id = UUID(operator.put(f"/api/activities/partners/P-{uuid4().hex[:8]}", facts)["id"])
    employee = {"employee_number": f"E-{uuid4().hex[:8]}", "display_name": "小跳"}
    volunteer_id = UUID(operator.post("/api/activities/volunteers", employee)["id"])
    town.introduce(volunteer_id, partner_id)
    agree_on_price(town, policy_from=policy_from)
    return Cast(
        operator,
        Person(town, Role.AUDITOR),
        Person(town, Role.OPS),
        Partner(town, Role.PARTNER, partner_id=partner_id),
        Volunteer(town, Role.VOLUNTEER, volunteer_id),
    )


def agree_on_price(town: Town, *, policy_from: datetime) -> None:
    """Have two people of finance agree on CNY 100 an hour, by half hours."""
    terms = {
        "effective_from": policy_from.isoformat(), "fen_per_hour": 10_000, "step_minutes": 30, "min_minutes": 30,
        "max_minutes": 480,
    }  # fmt: skip
    proposed = Person(town, Role.FINANCE).post("/api/ledger/policy-versions", terms)
    Person(town, Role.FINANCE_APPROVER).decide(f"/api/ledger/policy-versions/{proposed['id']}", "approve")


def until_idle(ops: Person) -> None:
    """Wait until no fact is on its way: outboxes first and queues second, as facts travel."""

    def nothing_waits() -> bool:
        flows = [ops.get(f"/api/{service}/flow") for service in ("activities", "ledger")]
        return all(flow["outbox"] == flow["queue_ready"] == (flow["queue_unacked"] or 0) == 0 for flow in flows)

    until(nothing_waits, timeout=60, missing="empty outboxes and queues")
