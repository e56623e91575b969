"""What the first page reads from the services' APIs."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import TypeAdapter

from services.console.home.rules import Listing
from services.console.shell.queries import Api, get, list_items
from services.console.shell.rules import Refused

ACTIVITIES, LEDGER = "/api/activities", "/api/ledger"
SERVICES = ("activities", "ledger")
MOST_LISTINGS = 200
MOST_ROWS = 10
MOST_NEWS = 5
NEWEST_FIRST = "-id"
FIRST_DAY, LAST_DAY = "2000-01-01", "2100-01-01"  # The programme as a whole.


@dataclass(frozen=True, slots=True)
class Money:
    """Money in fen."""

    fen: int


@dataclass(frozen=True, slots=True)
class Place:
    """The reader's own place on a shift."""

    state: Literal["expected", "checked_in", "settled", "voided"]


@dataclass(frozen=True, slots=True)
class Balance:
    """What stands on one account."""

    account: str
    balance: Money


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened; minutes are whole."""

    participations: int
    volunteers: int
    without_check_out: int
    service_minutes: int
    shifts: int
    shifts_held: int
    shifts_cancelled: int
    partners_signed: int
    partners_carried_over: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Minutes lost on the way, and why."""

    zh: str
    en: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From recorded minutes to money."""

    participations: int
    recorded_minutes: int
    matchable_minutes: int
    credited_minutes: int
    accrued: Money
    drops: tuple[Drop, ...]


@dataclass(frozen=True, slots=True)
class Attendance:
    """One person on one shift."""

    id: UUID
    service_on: date
    state: Literal["checked_in", "settled", "voided"]
    evidence: str | None
    service_minutes: int


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """What an hour is worth; without an approver it is a proposal."""

    effective_from: datetime
    effective_until: datetime | None
    fen_per_hour: int
    step_minutes: int
    min_minutes: int
    max_minutes: int
    approver_id: UUID | None


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """One account's sum, from the legs and from the roll-ups."""

    account: str
    zh: str
    en: str
    from_legs: Money
    from_balances: Money


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Whether the books balance."""

    accounts: tuple[AccountTotal, ...]
    differing_balances: int
    unbalanced_entries: int
    differing_totals: int
    balanced: bool


@dataclass(frozen=True, slots=True)
class Flow:
    """How a service's events stand; what only the broker knows is None while it does not answer."""

    service: str
    outbox: int
    later: int
    dead_letters: int
    parked: int
    broker: str | None = None
    queue_ready: int | None = None
    queue_unacked: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the rows of a sheet would do."""

    create: int
    update: int
    skip: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nothing was brought in."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Import:
    """A sheet that was sent in; `done` of `total` rows are brought in."""

    kind: str
    state: Literal["staged", "committing", "committed", "failed", "expired"]
    file_name: str | None
    preview: Counts
    staged_at: datetime
    done: int
    total: int
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A call that changed something, or access that was denied."""

    at: datetime
    person_id: UUID
    service: str | None
    roles: tuple[str, ...]
    operation: str
    outcome: Literal["done", "denied"]
    repeats: int
    reason: str | None


_LISTINGS = TypeAdapter(list[Listing])
_PLACE = TypeAdapter(Place)
_BALANCES = TypeAdapter(list[Balance])
_SUMMARY = TypeAdapter(Summary)
_WATERFALL = TypeAdapter(Waterfall)
_ATTENDANCES = TypeAdapter(list[Attendance])
_POLICIES = TypeAdapter(list[PolicyVersion])
_TRIAL_BALANCE = TypeAdapter(TrialBalance)
_FLOW = TypeAdapter(Flow)
_IMPORTS = TypeAdapter(list[Import])
_ENTRIES = TypeAdapter(list[AuditEntry])


def list_listings(api: Api) -> list[Listing]:
    """Return the newest listings. Raises Refused, SignInNeeded, ApiDown, ApiSlow, as do all here."""
    found, _ = list_items(api, f"{ACTIVITIES}/listings", _LISTINGS, most=MOST_LISTINGS)
    return found


def find_place(api: Api, shift_id: UUID) -> Place | None:
    """Return the reader's place on a shift, if they have signed up."""
    try:
        return get(api, f"{ACTIVITIES}/shifts/{shift_id}/attendance/mine", _PLACE)
    except Refused as refusal:
        if refusal.problem.code != "not_signed_up":
            raise
        return None


def list_balances(api: Api) -> list[Balance]:
    """Return the balances of the reader's partner."""
    found, _ = list_items(api, f"{LEDGER}/balances", _BALANCES, most=MOST_LISTINGS)
    return found


def summarise(api: Api) -> Summary:
    """Return what has happened in the programme so far."""
    return get(api, f"{ACTIVITIES}/summary", _SUMMARY, since=FIRST_DAY, until=LAST_DAY)


def sum_waterfall(api: Api) -> Waterfall:
    """Return what became of all recorded time."""
    return get(api, f"{LEDGER}/waterfall", _WATERFALL)


def list_attendances(api: Api) -> tuple[list[Attendance], bool]:
    """Return the newest attendances, and whether there are more."""
    return list_items(api, f"{ACTIVITIES}/attendances", _ATTENDANCES, most=MOST_NEWS, sort=NEWEST_FIRST)


def list_policies(api: Api) -> tuple[list[PolicyVersion], bool]:
    """Return the newest policy versions, and whether there are more."""
    return list_items(api, f"{LEDGER}/policy-versions", _POLICIES, most=MOST_ROWS, sort=NEWEST_FIRST)


def prove_balance(api: Api) -> TrialBalance:
    """Return the trial balance."""
    return get(api, f"{LEDGER}/trial-balance", _TRIAL_BALANCE)


def watch_flows(api: Api) -> list[Flow]:
    """Return how each service's events stand."""
    return [get(api, f"/api/{service}/flow", _FLOW) for service in SERVICES]


def list_imports(api: Api) -> tuple[list[Import], bool]:
    """Return the newest imports, and whether there are more."""
    return list_items(api, f"{ACTIVITIES}/imports", _IMPORTS, most=MOST_NEWS)


def list_audit_entries(api: Api) -> tuple[list[AuditEntry], bool]:
    """Return the newest entries of all services' trails, and whether there are more."""
    trails = [list_items(api, f"/api/{service}/audit-entries", _ENTRIES, most=MOST_NEWS) for service in SERVICES]
    entries = sorted((entry for found, _ in trails for entry in found), key=lambda entry: entry.at, reverse=True)
    return entries[:MOST_NEWS], len(entries) > MOST_NEWS or any(more for _, more in trails)
