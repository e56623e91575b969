"""Tells a season's history of attendance: what was scanned, what was missed, and how some of that was made up for.

Sheets bring in what was scanned, with everybody's arrival. An hour after the shifts the platform finds who was missed.
Of those, the recent ones are claimed at the doors; what is too old to be claimed is told by another sheet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from launch.refused import Problem
from launch.season import sheets
from launch.season.access import Doors, parts
from launch.season.facts import Attendance, Shift, SyntheticSeason
from launch.season.weeks import PATH, Published
from services.activities.claims.jobs import MOST as MOST_PASSED_ON
from services.activities.claims.rules import MOST_AT_ONCE
from services.activities.closings.rules import CLOSES_AFTER, SHIFTS_AT_ONCE
from shared import clock
from shared.roles import Role

_MINUTE = timedelta(minutes=1)
_CLAIMED = {"cause": "forgotten", "words": "离开时忘记扫码 / Forgot to scan on leaving"}


@dataclass(frozen=True)
class History:
    """What is told, where, and what the shifts are called there; sheets have at most `most_rows`."""

    doors: Doors
    season: SyntheticSeason
    published: Mapping[str, Published]
    most_rows: int

    def tell(self) -> None:
        """Tell what was scanned, and who came of those whose leaving is not known yet. Raises Problem."""
        self._send_in(map(_as_scanned, self.season.history.attendances))

    def recover(self) -> None:
        """Have the shifts closed, and what was missed claimed, told, or left to lapse. Raises Problem, NotIdle."""
        self._close()
        missed = [row for row in self.season.history.attendances if _is_missed(row)]
        recovered = [row for row in missed if row.checked_out_at is not None]
        self._claim([row for row in recovered if self._is_recent(row)])
        self._send_in(row for row in recovered if not self._is_recent(row))
        self._lapse([row for row in missed if row.checked_out_at is None and self._is_recent(row)])

    def _close(self) -> None:
        """Let the timer close what was published, an hour after the end of the last of it."""
        published = [it.listing for it in self.season.proposals if it.listing.reference in self.published]
        end = max(shift.ends_at for listing in published for shift in listing.shifts)
        clock.travel(max(clock.now(), end + CLOSES_AFTER + _MINUTE))
        for _ in parts(published, SHIFTS_AT_ONCE):
            self.doors.platform.fire("activities.close_shifts")

    def _claim(self, rows: Sequence[Attendance]) -> None:
        """Have partners claim for those whom they saw leave, and each of those confirm it."""
        people = self.doors.volunteers([row.employee_number for row in rows])
        for reference, group in groupby(rows, key=lambda row: row.listing_reference):
            for some in parts(list(group), MOST_AT_ONCE):
                shift = self.published[reference]
                items = [
                    {"volunteer_id": str(people[row.employee_number]), "checked_out_at": _written(row), **_CLAIMED}
                    for row in some
                ]
                path, token = f"{PATH}/shifts/{shift.shift_id}/partner-claims", self.doors.partner(shift.partner_id)
                for outcome in self.doors.api.post(path, {"items": items}, token=token)["items"]:
                    self._confirm(outcome)

    def _confirm(self, outcome: Mapping[str, Any]) -> None:
        """Turn the second key; where so much is claimed that a reviewer has to look, let one."""
        if outcome["refused"] is not None:
            raise Problem(409, outcome["refused"], "a claim was refused")
        path = f"{PATH}/claims/{outcome['claim']['id']}"
        claim = self.doors.api.post(f"{path}/confirm", token=self.doors.volunteer(outcome["volunteer_id"]))
        if claim["review"] is not None:
            token = self.doors.token(Role.REVIEWER)
            self.doors.api.post(f"{path}/uphold", {"reason": "机构名册一致 / The host's list agrees"}, token=token,
                                if_match=self.doors.api.tag(path, token=token))  # fmt: skip

    def _lapse(self, rows: Sequence[Attendance]) -> None:
        """Have people claim for themselves, and nobody answer until the timer ends it."""
        people = self.doors.volunteers([row.employee_number for row in rows])
        until: list[datetime] = []
        for row in rows:
            body = {"checked_out_at": self._shift_of(row).ends_at.isoformat(), **_CLAIMED}
            path = f"{PATH}/shifts/{self.published[row.listing_reference].shift_id}/claims"
            claim = self.doors.api.post(path, body, token=self.doors.volunteer(people[row.employee_number]))
            until.append(datetime.fromisoformat(claim["decide_until"]))
        if until:
            clock.travel(max(until) + _MINUTE)
        for _ in parts(rows, MOST_PASSED_ON):
            self.doors.platform.fire("activities.pass_on_claims")

    def _send_in(self, rows: Iterable[Attendance]) -> None:
        """Send in sheets of attendance, by the names that the listings were published under."""
        named = [replace(row, listing_reference=self.published[row.listing_reference].reference) for row in rows]
        for some in parts(named, self.most_rows):
            self.doors.send_in("attendance", "attendance.xlsx", sheets.attendance_xlsx(some, self.doors.zone))

    def _is_recent(self, row: Attendance) -> bool:
        """Say whether what was missed can still be claimed."""
        return self._shift_of(row).starts_at >= self.season.claims_from

    def _shift_of(self, row: Attendance) -> Shift:
        return self._shifts[row.listing_reference]

    @cached_property
    def _shifts(self) -> dict[str, Shift]:
        return {listing.reference: listing.shifts[0] for listing in self.season.history.listings}


def _is_missed(row: Attendance) -> bool:
    """Say whether somebody left without a scan."""
    return row.checked_out_at is None or row.evidence != "scanned"


def _as_scanned(row: Attendance) -> Attendance:
    """Leave out what no scan has told."""
    return replace(row, checked_out_at=None, evidence="scanned") if _is_missed(row) else row


def _written(row: Attendance) -> str:
    assert row.checked_out_at is not None  # noqa: S101  Of whom nothing is known nobody claims.
    return row.checked_out_at.isoformat()
