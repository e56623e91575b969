"""Factories of the ledger: the smallest valid thing, with what a test is about put in."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from services.ledger.donations.rules import Service, State
from services.ledger.policies import actions as policies
from services.ledger.policies.rules import Terms
from services.ledger.policies.tables import PolicyVersion
from shared.bus.envelope import letter_of
from shared.bus.transport import Delivery
from shared.events.activities import AttendanceRevised, AttendanceSettled, AttendanceVoided, EvidenceClass
from shared.events.base import Event
from shared.ids import new_id
from shared.seen import ANYTHING

PROGRAMME = UUID("01800000-0000-7000-8000-000000000001")
PARTNER = UUID("01800000-0000-7000-8000-000000000002")
OTHER_PARTNER = UUID("01800000-0000-7000-8000-000000000003")
JANUARY = datetime(2022, 1, 1, tzinfo=UTC)
NINE = datetime(2022, 6, 1, 1, 0, tzinfo=UTC)  # In Shanghai it is nine.
FIRST_OF_JUNE = date(2022, 6, 1)
NOW = datetime(2022, 6, 2, 4, 0, tzinfo=UTC)


def make_terms(**overrides: Any) -> Terms:
    values: dict[str, Any] = {
        "policy_version_id": UUID("01800000-0000-7000-8000-000000000004"),
        "programme_id": PROGRAMME,
        "from_at": JANUARY,
        "until_at": None,
        "fen_per_hour": 10_000,
        "step_minutes": 30,
        "min_minutes": 30,
        "max_minutes": 480,
    }
    return Terms(**values | overrides)


def make_service(**overrides: Any) -> Service:
    """Make a fact as the rules see it; `minutes` stands for both kinds, a voided one has none."""
    minutes = overrides.pop("minutes", 120)
    values: dict[str, Any] = {
        "attendance_id": UUID("01800000-0000-7000-8000-000000000005"),
        "version": 1,
        "state": State.SETTLED,
        "programme_id": PROGRAMME,
        "partner_id": PARTNER,
        "listing_id": UUID("01800000-0000-7000-8000-000000000006"),
        "shift_id": UUID("01800000-0000-7000-8000-000000000007"),
        "volunteer_id": UUID("01800000-0000-7000-8000-000000000008"),
        "started_at": NINE,
        "service_on": FIRST_OF_JUNE,
        "evidence": "scanned",
        "recorded_minutes": minutes,
        "matchable_minutes": minutes,
    }
    return Service(**values | overrides)


def make_policy_version(tx: Session, *, approved: bool = True, **overrides: Any) -> PolicyVersion:
    """Make a policy version, approved by a second person; `effective_from` and so on as a proposal has them."""
    programme_id = overrides.pop("programme_id", PROGRAMME)
    values: dict[str, Any] = {
        "effective_from": JANUARY,
        "effective_until": None,
        "fen_per_hour": 10_000,
        "step_minutes": 30,
        "min_minutes": 30,
        "max_minutes": 480,
    }
    proposal = policies.Proposal(**values | overrides)
    version = policies.propose(tx, proposal, programme_id=programme_id, maker_id=uuid4(), now=JANUARY)
    if approved:
        policies.approve(tx, version.id, programme_id=programme_id, approver_id=uuid4(), seen=ANYTHING, now=JANUARY)
    return version


def _facts(overrides: dict[str, Any]) -> dict[str, Any]:
    minutes = overrides.pop("minutes", 120)
    values: dict[str, Any] = {
        "programme_id": PROGRAMME,
        "attendance_id": new_id(),
        "version": 1,
        "partner_id": PARTNER,
        "listing_id": uuid4(),
        "shift_id": uuid4(),
        "volunteer_id": uuid4(),
        "started_at": NINE,
        "service_on": FIRST_OF_JUNE,
        "service_minutes": minutes,
        "matchable_minutes": minutes,
        "evidence": EvidenceClass.SCANNED,
    }
    return values | overrides


def make_settled(**overrides: Any) -> AttendanceSettled:
    return AttendanceSettled(**_facts(overrides))


def make_revised(of: AttendanceSettled | AttendanceRevised, **overrides: Any) -> AttendanceRevised:
    """Make the next version of a fact."""
    return AttendanceRevised(**_facts(of.model_dump() | {"version": of.version + 1} | _both(overrides)))


def make_voided(of: AttendanceSettled | AttendanceRevised, **overrides: Any) -> AttendanceVoided:
    """Make the voiding of a fact."""
    return AttendanceVoided(**_facts(of.model_dump() | {"version": of.version + 1} | _both({"minutes": 0} | overrides)))


def _both(overrides: dict[str, Any]) -> dict[str, Any]:
    if "minutes" not in overrides:
        return overrides
    minutes = overrides.pop("minutes")
    return {"service_minutes": minutes, "matchable_minutes": minutes} | overrides


def delivery_of(event: Event, *, event_id: UUID | None = None, redelivered: bool = False) -> Delivery:
    """Put a fact into a letter as it arrives; without `event_id` it is told under a new one."""
    letter = letter_of(
        event_id=event_id or new_id(), event_type=event.type, service="activities",
        emitted_at=NOW, headers={}, body=event.model_dump_json(),
    )  # fmt: skip
    return Delivery(letter.headers, letter.body, letter.routing_key, redelivered, receipt=None)
