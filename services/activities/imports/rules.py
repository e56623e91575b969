"""What the three sheets hold, and what makes a row good, given what is known already.

Cells are parsed first; then each judge looks at all rows of a sheet and returns, by place of the row, what is wrong
with which column.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from services.activities.attendance.rules import cut
from services.activities.check_ins.rules import WINDOW
from services.activities.listings.rules import LONGEST_SHIFT
from shared.documents.cells import BadCell, one_of, text, whole_number
from shared.documents.columns import Column
from shared.documents.moments import local_instant
from shared.errors import Conflict, Title

WHOLE_MINUTES = Title(zh="请写到分钟，不含秒", en="Write whole minutes")
CANCELLED = Title(zh="该场次已取消，请删除此行", en="This shift was cancelled: delete the row")
OUTSIDE = Title(
    zh="不在场次时间（前后 30 分钟）内，请核对", en="Not within the shift (30 minutes around it): check the time"
)
ERASED = Title(
    zh="本人已要求删除个人信息，请删除此行；本人愿意恢复时请单独登记",
    en="This person asked to be erased: delete the row; if they wish to come back, register them by hand",
)
FUTURE = Title(zh="时间尚未到来，请核对", en="This has not happened yet: check the time")

EVIDENCE = {"扫码": "scanned", "机构确认": "attested", "补签": "claimed", "人工": "manual"}
EVIDENCE |= {word: word for word in EVIDENCE.values()}
REFERENCE = text(max_length=40)

R = TypeVar("R")
Objections = dict[int, dict[str, BadCell]]  # By place of the row, by column.


class Kind(StrEnum):
    """What a sheet holds."""

    VOLUNTEERS = "volunteers"
    SHIFTS = "shifts"
    ATTENDANCE = "attendance"


def columns_of(kind: Kind, timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return a sheet's columns in order; instants without an offset are local to `timezone`."""
    if kind is Kind.VOLUNTEERS:
        return VOLUNTEERS
    return shift_columns(timezone) if kind is Kind.SHIFTS else attendance_columns(timezone)


VOLUNTEERS = (
    Column("employee_number", ("员工编号", "employee_number"), REFERENCE),
    Column("display_name", ("显示名", "display_name"), text(max_length=80)),
)


def shift_columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns of the sheet of listings and their shifts, one row a shift."""
    return (
        Column("partner_reference", ("伙伴编号", "partner_reference"), REFERENCE),
        Column("listing_reference", ("活动编号", "listing_reference"), REFERENCE),
        Column("title", ("活动名称", "title"), text(max_length=200)),
        Column("shift_number", ("场次", "shift_number"), whole_number(minimum=1, maximum=10_000)),
        Column("starts_at", ("开始时间", "starts_at"), local_instant(timezone)),
        Column("ends_at", ("结束时间", "ends_at"), local_instant(timezone)),
        Column("capacity", ("名额", "capacity"), whole_number(minimum=1, maximum=10_000)),
    )


def attendance_columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns of the attendance sheet, one row a person and shift."""
    return (
        Column("listing_reference", ("活动编号", "listing_reference"), REFERENCE),
        Column("shift_number", ("场次", "shift_number"), whole_number(minimum=1, maximum=10_000)),
        Column("employee_number", ("员工编号", "employee_number"), REFERENCE),
        Column("checked_in_at", ("签到时间", "checked_in_at"), local_instant(timezone)),
        Column("checked_out_at", ("签退时间", "checked_out_at"), local_instant(timezone), blank=True),
        Column("evidence", ("证据", "evidence"), one_of(EVIDENCE)),
    )


class ImportHasRejects(Conflict):
    """Some rows are wrong; they are left out only if the caller says so."""

    code = "import_has_rejects"
    title = Title(
        zh="部分行有误，请修改后重新导入，或确认跳过这些行", en="Some rows are wrong: mend them, or say to skip them"
    )


class ImportOutdated(Conflict):
    """What the rows were judged by has changed since."""

    code = "import_outdated"
    title = Title(zh="数据已变化，请重新导入", en="The data has changed since; import the sheet again")


class VolunteerRow(NamedTuple):
    """A person to be registered."""

    employee_number: str
    display_name: str


class ShiftRow(NamedTuple):
    """An occasion of an activity; rows with one listing reference describe one listing."""

    partner_reference: str
    listing_reference: str
    title: str
    shift_number: int
    starts_at: datetime
    ends_at: datetime
    capacity: int


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


@dataclass(frozen=True, slots=True)
class KnownShift:
    """A shift that exists, as far as rows are compared with it."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    state: str = field(default="open", compare=False)


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


OF_PEOPLE = {  # The kinds whose rows name people, and in which place the employee number stands.
    Kind.VOLUNTEERS: VolunteerRow._fields.index("employee_number"),
    Kind.ATTENDANCE: AttendanceRow._fields.index("employee_number"),
}


def require_clean(rejected: int, *, skip_rejected: bool) -> None:
    """Refuse to leave rejected rows out unless the caller says so. Raises ImportHasRejects."""
    if rejected and not skip_rejected:
        raise ImportHasRejects(rejected=rejected)


def require_current(objections: Objections) -> None:
    """Refuse rows that were good when they were staged and are not any more. Raises ImportOutdated."""
    if objections:
        raise ImportOutdated(rows=len(objections))


Found = Iterator[tuple[str, BadCell]]


def without_person(content: Mapping[str, Any], kind: str, person: tuple[str, str]) -> dict[str, Any] | None:
    """Return staged content without the rows of a person, given as (number, name); None if there are none."""
    column = OF_PEOPLE[Kind(kind)]
    rows = [row for row in content["rows"] if row[column] != person[0]]
    return None if len(rows) == len(content["rows"]) else {**content, "rows": rows}


def judge_volunteers(
    rows: Sequence[VolunteerRow], known: Mapping[str, str], erased: Collection[str] = ()
) -> Objections:
    """Object to a person given twice, registered under another name, or erased at their own wish.

    `known` is names by employee number.
    """
    seen: set[str] = set()

    def judge(row: VolunteerRow) -> Found:
        if row.employee_number in seen:
            yield "employee_number", _repeated()
        elif known.get(row.employee_number, row.display_name) != row.display_name:
            yield "display_name", _recorded_otherwise()
        elif row.employee_number in erased:
            yield "employee_number", BadCell("erased_earlier", expected="", fix=ERASED)
        seen.add(row.employee_number)

    return _collected(rows, judge)


def judge_shifts(
    rows: Sequence[ShiftRow],
    *,
    partners: Collection[str],
    listings: Mapping[str, tuple[str, str]],
    shifts: Mapping[tuple[str, int], KnownShift],
) -> Objections:
    """Object to unknown partners, impossible times, repeats, and what contradicts the sheet itself or the records.

    `listings` is (partner reference, title) by listing reference.
    """
    seen: set[tuple[str, int]] = set()
    described = dict(listings)

    def judge(row: ShiftRow) -> Found:
        key = (row.listing_reference, row.shift_number)
        partner, title = described.setdefault(row.listing_reference, (row.partner_reference, row.title))
        if key in seen:
            yield "shift_number", _repeated()
        if row.partner_reference not in partners:
            yield "partner_reference", _unknown()
        elif row.partner_reference != partner:
            yield "partner_reference", _recorded_otherwise()
        if row.title != title:
            yield "title", _recorded_otherwise()
        yield from _times_of(row)
        known = shifts.get(key)
        if known is not None and known != KnownShift(row.starts_at, row.ends_at, row.capacity):
            yield "starts_at", _recorded_otherwise()
        seen.add(key)

    return _collected(rows, judge)


def _times_of(row: ShiftRow) -> Found:
    if row.starts_at.second or row.ends_at.second:
        yield "starts_at", BadCell("not_whole_minutes", expected="HH:MM", fix=WHOLE_MINUTES)
    if not timedelta(0) < row.ends_at - row.starts_at <= LONGEST_SHIFT:
        yield "ends_at", _bad_end()


def judge_attendance(
    rows: Sequence[AttendanceRow],
    *,
    people: Collection[str],
    shifts: Mapping[tuple[str, int], KnownShift],
    recorded: Mapping[tuple[tuple[str, int], str], KnownAttendance],
    now: datetime,
) -> Objections:
    """Object to unknown people and shifts, repeats, impossible times, and what contradicts the records."""
    seen: set[tuple[tuple[str, int], str]] = set()

    def judge(row: AttendanceRow) -> Found:
        key = (row.shift_key, row.employee_number)
        if key in seen:
            yield "employee_number", _repeated()
        seen.add(key)
        if row.employee_number not in people:
            yield "employee_number", _unknown()
        if row.shift_key not in shifts:
            yield "shift_number", _unknown()
        else:
            yield from _presence_of(row, shifts[row.shift_key], now)
        if key in recorded and not recorded[key].agrees_with(row):
            yield "checked_in_at", _recorded_otherwise()

    return _collected(rows, judge)


def _presence_of(row: AttendanceRow, shift: KnownShift, now: datetime) -> Found:
    """Object to a presence that the shift does not allow; what sticks out of the shift is clipped later."""
    if shift.state == "cancelled":
        yield "shift_number", BadCell("shift_cancelled", expected="", fix=CANCELLED)
    if not shift.starts_at - WINDOW <= row.checked_in_at < shift.ends_at:
        yield "checked_in_at", BadCell("outside_shift", expected=_window(shift), fix=OUTSIDE)
    if row.checked_in_at > now:
        yield "checked_in_at", BadCell("in_the_future", expected=f"≤ {now:%Y-%m-%d %H:%M}Z", fix=FUTURE)
    if row.checked_out_at is None:
        return
    if not timedelta(0) < row.checked_out_at - row.checked_in_at <= LONGEST_SHIFT:
        yield "checked_out_at", _bad_end()
    elif not shift.starts_at < row.checked_out_at <= shift.ends_at + WINDOW:
        yield "checked_out_at", BadCell("outside_shift", expected=_window(shift), fix=OUTSIDE)
    if row.checked_out_at > now:
        yield "checked_out_at", BadCell("in_the_future", expected=f"≤ {now:%Y-%m-%d %H:%M}Z", fix=FUTURE)


def _collected(rows: Sequence[R], judge: Callable[[R], Found]) -> Objections:
    found = {place: dict(judge(row)) for place, row in enumerate(rows)}
    return {place: objections for place, objections in found.items() if objections}


def _window(shift: KnownShift) -> str:
    return f"{shift.starts_at - WINDOW:%Y-%m-%d %H:%M}Z … {shift.ends_at + WINDOW:%Y-%m-%d %H:%M}Z"


def _repeated() -> BadCell:
    return BadCell(
        "repeated", expected="1 ×", fix=Title(zh="与前面的行重复，请删除", en="Stands above already: delete this row")
    )


def _unknown() -> BadCell:
    fix = Title(zh="系统中没有此编号，请核对或先登记", en="Not known here: check it, or register it first")
    return BadCell("unknown", expected="…", fix=fix)


def _recorded_otherwise() -> BadCell:
    fix = Title(
        zh="与已有记录不一致；请核对，已记录的内容请用更正流程修改",
        en="The records say otherwise: check it; what is recorded is changed by a correction",
    )
    return BadCell("differs_from_record", expected="…", fix=fix)


def _bad_end() -> BadCell:
    fix = Title(zh="结束须晚于开始，且不超过 24 小时", en="The end must follow the start, by 24 hours at most")
    return BadCell("bad_times", expected="0 < … ≤ 24 h", fix=fix)
