"""Brings a synthetic season in through the public doors: imports for its history, scans for its live day."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.season import sheets
from launch.season.facts import Attendance, Listing, SyntheticSeason
from shared import clock
from shared.roles import Role

STEPS = 7  # What `bring_in` tells.
BEFORE_THE_DAY = timedelta(hours=1)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Doors:
    """The APIs of a platform, and how to be anybody on it."""

    platform: EmbeddedPlatform
    api: Api
    zone: ZoneInfo

    def person(self, role: Role) -> UUID:
        """Name the one demo person of a role; the same in each run over one folder."""
        return uuid5(self.platform.programme_id, role)

    def token(self, role: Role) -> str:
        """Sign a token for the demo person of a role."""
        return self.platform.token(role, person_id=self.person(role))


def bring_in(doors: Doors, season: SyntheticSeason, tell: Tell) -> None:
    """Make the whole season happen; `tell` hears what comes next. The clock is left where the live day ends.

    Raises Problem when a door refuses, NotIdle when the books do not follow.
    """
    clock.travel(_morning(season) - BEFORE_THE_DAY)
    tell("partners")
    partners = _record_partners(doors, season)
    tell("policy")
    _agree_policy(doors, season)
    tell("volunteers")
    _import(doors, "volunteers", "volunteers.csv", sheets.volunteers_csv(season))
    if season.history.listings:
        tell("shifts")
        _import(doors, "shifts", "shifts.csv", sheets.shifts_csv(season.history, doors.zone))
        tell("attendance")
        _import(doors, "attendance", "attendance.xlsx", sheets.attendance_xlsx(season.history, doors.zone))
    tell("live day")
    _play(doors, season, partners)
    tell("books")
    doors.platform.until_idle()


def _morning(season: SyntheticSeason) -> datetime:
    shifts = [shift for listing in season.live.listings for shift in listing.shifts]
    return min(shift.starts_at for shift in shifts)


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
    approver = doors.token(Role.FINANCE_APPROVER)
    doors.api.post(f"/api/ledger/policy-versions/{proposed['id']}/approve", token=approver)


def _import(doors: Doors, kind: str, name: str, content: bytes) -> None:
    """Stage a sheet and commit it; a rejected row would stop the commit."""
    operator = doors.token(Role.OPERATOR)
    path = f"/api/activities/imports/{kind}"
    staged = doors.api.upload(path, name, content, token=operator, timezone=doors.zone.key)
    doors.api.post(f"/api/activities/imports/{staged['id']}/commit", {}, token=operator)


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
    found = doors.api.get(
        "/api/activities/volunteers", employee_number=row.employee_number, token=doors.token(Role.OPERATOR)
    )
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
