"""Plays a season's live day: sign-ups, codes and scans, through the public doors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from launch.season.access import Doors
from launch.season.facts import Attendance, SyntheticSeason
from launch.season.weeks import Published
from shared import clock


@dataclass(frozen=True)
class Scan:
    """Somebody scans at an instant."""

    at: datetime
    way: str
    shift: Published
    volunteer_id: UUID


def play(doors: Doors, season: SyntheticSeason, published: Mapping[str, Published]) -> None:
    """Sign people up for the live day's shifts, and scan in the order of time. Raises Problem."""
    people = doors.volunteers([row.employee_number for row in season.live.attendances])
    scans: list[Scan] = []
    for row in season.live.attendances:
        shift, volunteer_id = published[row.listing_reference], people[row.employee_number]
        path = f"/api/activities/shifts/{shift.shift_id}/sign-ups"
        doors.api.post(path, token=doors.volunteer(volunteer_id))
        scans += _scans(row, shift, volunteer_id)
    for scan in sorted(scans, key=lambda scan: scan.at):
        clock.travel(scan.at)
        _scan(doors, scan)


def _scans(row: Attendance, shift: Published, volunteer_id: UUID) -> Iterator[Scan]:
    yield Scan(row.checked_in_at, "check-ins", shift, volunteer_id)
    if row.checked_out_at is not None:
        yield Scan(row.checked_out_at, "check-outs", shift, volunteer_id)


def _scan(doors: Doors, scan: Scan) -> None:
    """Read the code from the partner's screen and give it as the volunteer."""
    path = f"/api/activities/shifts/{scan.shift.shift_id}"
    shown = doors.api.get(f"{path}/code", token=doors.partner(scan.shift.partner_id))
    doors.api.post(f"{path}/{scan.way}", {"code": shown["code"]}, token=doors.volunteer(scan.volunteer_id))
