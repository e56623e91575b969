"""A season's history as the sheets that a foundation would send in."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.

from launch.season.facts import Attendance, Listing, Volunteer

VOLUNTEERS = ("员工编号", "显示名")
SHIFTS = ("伙伴编号", "活动编号", "活动名称", "场次", "开始时间", "结束时间", "名额")
ATTENDANCE = ("活动编号", "场次", "员工编号", "签到时间", "签退时间", "证据")
WORDS = {"scanned": "扫码", "attested": "机构确认", "claimed": "补签"}

Line = Sequence[str | int]


def volunteers_csv(volunteers: Sequence[Volunteer]) -> bytes:
    """Write everybody who may serve."""
    return _csv(VOLUNTEERS, ((volunteer.employee_number, volunteer.display_name) for volunteer in volunteers))


def shifts_csv(listings: Sequence[Listing], zone: ZoneInfo) -> bytes:
    """Write listings with their shifts, one row a shift."""
    lines = (
        (listing.partner_reference, listing.reference, listing.title, shift.number,
         local(shift.starts_at, zone), local(shift.ends_at, zone), shift.capacity)
        for listing in listings for shift in listing.shifts
    )  # fmt: skip
    return _csv(SHIFTS, lines)


def attendance_xlsx(attendances: Sequence[Attendance], zone: ZoneInfo) -> bytes:
    """Write who came when, one row a person and shift."""
    lines = (
        (row.listing_reference, row.shift_number, row.employee_number, local(row.checked_in_at, zone),
         local(row.checked_out_at, zone) if row.checked_out_at else "", WORDS[row.evidence])
        for row in attendances
    )  # fmt: skip
    return _xlsx(ATTENDANCE, lines)


def local(instant: datetime, zone: ZoneInfo) -> str:
    """Write an instant as the local time that people write; with its offset where the clocks show that time twice."""
    there = instant.astimezone(zone)
    is_ambiguous = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    return there.isoformat(timespec="minutes") if is_ambiguous else f"{there:%Y-%m-%d %H:%M}"


def _csv(header: Line, lines: Iterable[Line]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue().encode("utf-8-sig")


def _xlsx(header: Line, lines: Iterable[Line]) -> bytes:
    content = io.BytesIO()
    with Workbook(content, {"constant_memory": True, "strings_to_formulas": False}) as book:
        page = book.add_worksheet()
        for number, line in enumerate((header, *lines)):
            page.write_row(number, 0, line)
    return content.getvalue()
