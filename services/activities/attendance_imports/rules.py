"""What the attendance sheet holds, one row a person and shift, and what makes a row good."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.activities.attendance.rules import cut
from services.activities.check_ins.rules import WINDOW
from services.activities.listings.rules import LONGEST_SHIFT, OFF
from services.activities.shift_imports.rules import LOCAL, KnownShift, bad_end
from shared.documents.cells import BadCell, one_of, text, whole_number
from shared.documents.columns import Column
from shared.documents.moments import local_instant
from shared.errors import Title
from shared.imports.judging import Effect, Found, Verdict, collected, recorded_otherwise, repeated, unknown

EXAMPLES = (
    ("EXAMPLE-L1", "1", "EXAMPLE-0001", "2022-06-01 08:55", "2022-06-01 12:05", "扫码"),
    ("EXAMPLE-L1", "1", "EXAMPLE-0002", "2022-06-01 09:10", "", "补签"),
)
CANCELLED = Title(zh="该场次已取消，请删除此行", en="This shift was cancelled: delete the row")
OUTSIDE = Title(
    zh="不在场次时间（前后 30 分钟）内，请核对", en="Not within the shift (30 minutes around it): check the time"
)
FUTURE = Title(zh="时间尚未到来，请核对", en="This has not happened yet: check the time")
LISTING = Title(zh="须已发布的活动", en="of an activity that is published")
PERSON = Title(zh="须已登记的志愿者", en="of a volunteer who is registered")
LEFT = Title(
    zh="当地时间；尚不清楚时留空，以后可再导入补上",
    en="local time; may wait for a later sheet",
)

EVIDENCE = {"扫码": "scanned", "机构确认": "attested", "补签": "claimed", "人工": "manual"}
EVIDENCE |= {word: word for word in EVIDENCE.values()}

Key = tuple[tuple[str, int], str]


class AttendanceRow(NamedTuple):
    """When a person was on a shift; without a check-out nothing is settled yet."""

    listing_reference: str
    shift_number: int
    employee_number: str
    checked_in_at: datetime
    checked_out_at: datetime | None
    evidence: str

    @property
    def shift_key(self) -> tuple[str, int]:
        """Name the shift as the sheet does."""
        return self.listing_reference, self.shift_number

    @property
    def key(self) -> Key:
        """Name the shift and the person."""
        return self.shift_key, self.employee_number


def columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns, in order; instants without an offset are local to `timezone`."""
    reference, number = text(max_length=40), whole_number(minimum=1, maximum=10_000)
    return (
        Column("listing_reference", ("活动编号", "listing_reference"), reference, note=LISTING),
        Column("shift_number", ("场次", "shift_number"), number),
        Column("employee_number", ("员工编号", "employee_number"), reference, note=PERSON),
        Column("checked_in_at", ("签到时间", "checked_in_at"), local_instant(timezone), note=LOCAL),
        Column("checked_out_at", ("签退时间", "checked_out_at"), local_instant(timezone), blank=True, note=LEFT),
        Column("evidence", ("证据", "evidence"), one_of(EVIDENCE)),
    )


@dataclass(frozen=True, slots=True)
class KnownAttendance:
    """An attendance that is recorded, as far as rows are compared with it."""

    checked_in_at: datetime
    checked_out_at: datetime | None
    evidence: str | None
    state: str

    def agrees_with(self, row: AttendanceRow) -> bool:
        """Say whether a row repeats what is recorded or less of it, or adds the missing check-out to it."""
        if self.state == "voided" or cut(self.checked_in_at) != cut(row.checked_in_at):
            return False  # Minutes are compared: a scan has seconds, a sheet has none.
        if row.checked_out_at is None:
            return True
        if self.checked_out_at is None:
            return self.checked_in_at < row.checked_out_at
        return cut(self.checked_out_at) == cut(row.checked_out_at) and self.evidence == row.evidence

    def effect_of(self, row: AttendanceRow) -> Effect:
        """Say what a row does that agrees: it adds the missing check-out, or nothing."""
        return Effect.UPDATE if self.state == "checked_in" and row.checked_out_at is not None else Effect.SKIP


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known of the people, shifts and attendances that rows name, and which rows there were so far."""

    people: Collection[str]
    shifts: Mapping[tuple[str, int], KnownShift]
    recorded: Mapping[Key, KnownAttendance]
    now: datetime
    seen: set[Key] = field(default_factory=set)

    def verdict(self, rows: Sequence[AttendanceRow]) -> Verdict:
        """Object to unknown people and shifts, repeats, impossible times, and what contradicts the records."""
        known = [self.recorded.get(row.key) for row in rows]
        pairs = zip(rows, known, strict=True)
        effects = [Effect.CREATE if record is None else record.effect_of(row) for row, record in pairs]
        before = {place: {"checked_out_at": ""} for place, effect in enumerate(effects) if effect is Effect.UPDATE}
        return Verdict(collected(rows, self._of_row), effects, before)

    def _of_row(self, row: AttendanceRow) -> Found:
        key = row.key
        if key in self.seen:
            yield "employee_number", repeated()
        self.seen.add(key)
        if row.employee_number not in self.people:
            yield "employee_number", unknown()
        if row.shift_key not in self.shifts:
            yield "shift_number", unknown()
        else:
            yield from _presence_of(row, self.shifts[row.shift_key], self.now)
        if key in self.recorded and not self.recorded[key].agrees_with(row):
            yield "checked_in_at", recorded_otherwise()


def _presence_of(row: AttendanceRow, shift: KnownShift, now: datetime) -> Found:
    """Object to a presence that the shift does not allow; what sticks out of the shift is clipped later."""
    if shift.state in OFF:
        yield "shift_number", BadCell("shift_cancelled", expected="", fix=CANCELLED)
    if not shift.starts_at - WINDOW <= row.checked_in_at < shift.ends_at:
        yield "checked_in_at", BadCell("outside_shift", expected=_window(shift), fix=OUTSIDE)
    if row.checked_in_at > now:
        yield "checked_in_at", BadCell("in_the_future", expected=f"≤ {now:%Y-%m-%d %H:%M}Z", fix=FUTURE)
    if row.checked_out_at is None:
        return
    if not timedelta(0) < row.checked_out_at - row.checked_in_at <= LONGEST_SHIFT:
        yield "checked_out_at", bad_end()
    elif not shift.starts_at < row.checked_out_at <= shift.ends_at + WINDOW:
        yield "checked_out_at", BadCell("outside_shift", expected=_window(shift), fix=OUTSIDE)
    if row.checked_out_at > now:
        yield "checked_out_at", BadCell("in_the_future", expected=f"≤ {now:%Y-%m-%d %H:%M}Z", fix=FUTURE)


def _window(shift: KnownShift) -> str:
    return f"{shift.starts_at - WINDOW:%Y-%m-%d %H:%M}Z … {shift.ends_at + WINDOW:%Y-%m-%d %H:%M}Z"
