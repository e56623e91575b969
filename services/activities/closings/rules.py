"""When a shift is closed, and what its places then come to. Source: DOMAIN.md section 4, "Attendance" and "Sign-up"."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from services.activities.scans.rules import Marked
from shared.working_days import PLAIN, Calendar, day_of, end_of

CLOSES_AFTER: Final = timedelta(hours=1)  # After the end; scans are taken for half of it.
SHIFTS_AT_ONCE: Final = 200
MOST_JUDGED: Final = 200  # People of one shift in one call.
DAYS_TO_CLAIM: Final = 7  # Working days after the shift's last day.
MANY_ALIKE: Final = 5  # People of one shift whose scans, in and out, are of the same seconds.
MOST_NAMED: Final = 20  # People in the words of one incident.
LATE_SCAN: Final = timedelta(minutes=15)  # Who leaves one shift late may have come to the next already.

Verdict = Literal["attended", "no_check_in", "no_check_out", "taken_back", "handed_in"]


def verdict(attendance: str | None, *, is_handed_in: bool = False) -> Verdict:
    """Say what a place comes to by the state of the person's attendance, None without one.

    Who was there and was taken back by a reviewer counts as missed, but is asked for no claim: it was decided already.
    Nobody misses work that is handed in for want of a scan: what is handed in decides of the place.
    """
    if is_handed_in and attendance in {None, "checked_in"}:
        return "handed_in"
    if attendance is None:
        return "no_check_in"
    if attendance == "checked_in":
        return "no_check_out"
    return "attended" if attendance == "settled" else "taken_back"


def happens(state: str) -> bool:
    """Say whether somebody was expected on a shift in this state; if not, its places were decided when it was."""
    return state not in {"cancelled", "not_run", "no_go"}


@dataclass(frozen=True, slots=True)
class Stay:
    """When somebody scanned a shift's code, in and out."""

    shift_id: UUID
    listing_id: UUID
    volunteer_id: UUID
    came_at: datetime
    left_at: datetime

    @property
    def stamps(self) -> tuple[datetime, datetime]:
        """Both instants, to the second."""
        return self.came_at.replace(microsecond=0), self.left_at.replace(microsecond=0)


def same_stamps(stays: Iterable[Stay]) -> list[tuple[Stay, ...]]:
    """Find people of one shift who came in one second and left in one second, as many as would take a script.

    A group that comes by bus scans within a minute; that a handful hit the same second, twice, is no chance.
    """
    groups: dict[tuple[UUID, datetime, datetime], list[Stay]] = {}
    for stay in stays:
        groups.setdefault((stay.shift_id, *stay.stamps), []).append(stay)
    return [tuple(group) for group in groups.values() if len(group) >= MANY_ALIKE]


def same_device(marked: Iterable[Marked]) -> list[tuple[UUID, tuple[UUID, ...]]]:
    """Find shifts and the people there, two or more and in order of id, for whom one device scanned, in or out.

    A borrowed phone looks the same: it is for a person to ask.
    """
    people: dict[tuple[UUID, bytes], set[UUID]] = {}
    for each in marked:
        people.setdefault((each.shift_id, each.device_mark), set()).add(each.volunteer_id)
    return [(shift_id, tuple(sorted(those))) for (shift_id, _), those in people.items() if len(those) > 1]


def impossible(stay: Stay, other: Stay) -> bool:
    """Say whether one person was on two activities at once for longer than scans may be late."""
    overlap = min(stay.left_at, other.left_at) - max(stay.came_at, other.came_at)
    is_elsewhere = stay.listing_id != other.listing_id and stay.volunteer_id == other.volunteer_id
    return is_elsewhere and overlap > LATE_SCAN


def claim_until(ends_at: datetime, zone: ZoneInfo, *, calendar: Calendar = PLAIN) -> datetime:
    """Return until when, excluded, what was missed on a shift that ended then can be claimed."""
    return end_of(calendar.after(day_of(ends_at, zone), DAYS_TO_CLAIM), zone)
