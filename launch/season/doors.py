"""Brings a synthetic season in through the public doors: imports for its history, scans for its live day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from launch import importing
from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.oidc.people import person_of
from launch.season import sheets
from launch.season.facts import Attendance, Listing, SyntheticSeason
from shared import clock
from shared.roles import Role

STEPS = 7  # What `bring_in` tells.
MOST_ROWS = 40_000  # Of one sheet; the door takes 200,000.
SHIFTS_A_LISTING = 10  # More than any has; a listing stays in one sheet.
BEFORE_THE_DAY = timedelta(hours=1)

T = TypeVar("T")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Doors:
    """The APIs of a platform, and how to be anybody on it."""

    platform: EmbeddedPlatform
    api: Api
    zone: ZoneInfo

    def person(self, role: Role) -> UUID:
        """Name the one demo person of a role; the same in each run over one folder."""
        return person_of(self.platform.programme_id, role)

    def token(self, role: Role) -> str:
        """Sign a token for the demo person of a role."""
        return self.platform.token(role, person_id=self.person(role))


def bring_in(doors: Doors, season: SyntheticSeason, tell: Tell, *, most_rows: int = MOST_ROWS) -> None:
    """Make the whole season happen, by sheets of at most `most_rows`; `tell` hears what comes next.

    The history is told once all of it is past; the clock is left there.

    Raises Problem when a door refuses, NotIdle when the books do not follow.
    """
    clock.travel(_morning(season) - BEFORE_THE_DAY)
    tell("partners")
    partners = _record_partners(doors, season)
    tell("policy")
    _agree_policy(doors, season)
    tell("volunteers")
    for volunteers in _parts(season.volunteers, most_rows):
        _import(doors, "volunteers", "volunteers.csv", sheets.volunteers_csv(volunteers))
    tell("shifts")
    for listings in _parts(season.history.listings, most_rows // SHIFTS_A_LISTING):
        _import(doors, "shifts", "shifts.csv", sheets.shifts_csv(listings, doors.zone))
    tell("live day")
    _play(doors, season, partners)
    tell("attendance")
    clock.travel(max(clock.now(), _end(season)))
    for attendances in _parts(season.history.attendances, most_rows):
        _import(doors, "attendance", "attendance.xlsx", sheets.attendance_xlsx(attendances, doors.zone))
    tell("books")
    doors.platform.until_idle()


def _parts(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut a list into sheets of a size that the door takes."""
    return (items[start : start + most] for start in range(0, len(items), most))


def _morning(season: SyntheticSeason) -> datetime:
    shifts = [shift for listing in season.live.listings for shift in listing.shifts]
    return min(shift.starts_at for shift in shifts)


def _end(season: SyntheticSeason) -> datetime:
    """Return when the last of the season was over: in a season of few days that may be on the live day."""
    rows = season.whole.attendances
    return max(row.checked_out_at or row.checked_in_at for row in rows)


def _record_partners(doors: Doors, season: SyntheticSeason) -> dict[str, UUID]:
    operator = doors.token(Role.OPERATOR)
    recorded = {}
    for partner in season.partners:
        facts = {"name": partner.name, "agreement": partner.agreement, "since": partner.since.isoformat()}
        answer = doors.api.put(f"/api/activities/partners/{partner.reference}", facts, token=operator)
        recorded[partner.reference] = UUID(answer["id"])
    return recorded


def _agree_policy(doors: Doors, season: SyntheticSeason) -> None:
    """Have one person propose what an hour is worth and another approve it."""
    policy = season.policy
    terms = {
        "effective_from": policy.effective_from.isoformat(),
        "fen_per_hour": policy.rate_fen_per_hour,
        "step_minutes": policy.step_minutes,
        "min_minutes": policy.min_minutes,
        "max_minutes": policy.max_minutes,
    }
    proposed = doors.api.post("/api/ledger/policy-versions", terms, token=doors.token(Role.FINANCE))
    approver, path = doors.token(Role.FINANCE_APPROVER), f"/api/ledger/policy-versions/{proposed['id']}"
    doors.api.post(f"{path}/approve", token=approver, if_match=doors.api.tag(path, token=approver))


def _import(doors: Doors, kind: str, name: str, content: bytes) -> None:
    """Have a sheet brought in as the demo's operator."""
    importing.bring_in(
        doors.api, kind, name, content, token=doors.token(Role.OPERATOR), timezone=doors.zone.key
    )  # fmt: skip


@dataclass(frozen=True)
class LiveShift:
    """A shift of the live day, with whose code opens it."""

    id: str
    partner_id: UUID


@dataclass(frozen=True)
class Scan:
    """Somebody scans at an instant."""

    at: datetime
    way: str
    shift: LiveShift
    volunteer_id: UUID


def _play(doors: Doors, season: SyntheticSeason, partners: dict[str, UUID]) -> None:
    """Publish the live day's shifts, sign people up, and scan in the order of time."""
    shifts: dict[tuple[str, int], LiveShift] = {}
    for listing in season.live.listings:
        shifts |= _publish(doors, listing, partners[listing.partner_reference])
    scans = [scan for row in season.live.attendances for scan in _scans(doors, row, shifts)]
    for scan in scans:
        if scan.way == "check-ins":
            token = doors.platform.token(Role.VOLUNTEER, person_id=scan.volunteer_id)
            doors.api.post(f"/api/activities/shifts/{scan.shift.id}/sign-ups", token=token)
    for scan in sorted(scans, key=lambda scan: scan.at):
        clock.travel(scan.at)
        _scan(doors, scan)


def _publish(doors: Doors, listing: Listing, partner_id: UUID) -> dict[tuple[str, int], LiveShift]:
    wanted = {
        "partner_id": str(partner_id),
        "reference": listing.reference,
        "title": listing.title,
        "timezone": doors.zone.key,
        "shifts": [
            {"starts_at": shift.starts_at.isoformat(), "ends_at": shift.ends_at.isoformat(), "capacity": shift.capacity}
            for shift in listing.shifts
        ],
    }
    token = doors.platform.token(Role.PARTNER, partner_id=partner_id)
    published = doors.api.post("/api/activities/listings", wanted, token=token)
    return {
        (listing.reference, planned.number): LiveShift(shift["id"], partner_id)
        for planned, shift in zip(listing.shifts, published["shifts"], strict=True)
    }


def _scans(doors: Doors, row: Attendance, shifts: dict[tuple[str, int], LiveShift]) -> Iterator[Scan]:
    wanted = {"employee_numbers": [row.employee_number]}
    found = doors.api.post("/api/activities/volunteers/lookups", wanted, token=doors.token(Role.OPERATOR))
    volunteer_id = UUID(found["items"][0]["id"])
    shift = shifts[row.listing_reference, row.shift_number]
    yield Scan(row.checked_in_at, "check-ins", shift, volunteer_id)
    if row.checked_out_at is not None:
        yield Scan(row.checked_out_at, "check-outs", shift, volunteer_id)


def _scan(doors: Doors, scan: Scan) -> None:
    """Read the code from the partner's screen and give it as the volunteer."""
    partner = doors.platform.token(Role.PARTNER, partner_id=scan.shift.partner_id)
    shown = doors.api.get(f"/api/activities/shifts/{scan.shift.id}/code", token=partner)
    volunteer = doors.platform.token(Role.VOLUNTEER, person_id=scan.volunteer_id)
    doors.api.post(f"/api/activities/shifts/{scan.shift.id}/{scan.way}", {"code": shown["code"]}, token=volunteer)
