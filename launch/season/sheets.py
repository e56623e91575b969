"""A season's history as the sheets that a foundation would send in."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # It ships no types.

from launch.season.facts import Attendance, Proposal, Volunteer

VOLUNTEERS = ("员工编号", "显示名")
PROPOSALS = (
    "方案编号", "伙伴编号", "招募轮次", "活动名称", "活动介绍", "方式", "城市", "地点", "岗位", "技能",
    "开始时间", "结束时间", "名额", "最低成行人数", "风险", "保险", "安全保障", "岗前培训",
    "验收标准", "每件时长（分钟）", "物料内容", "物料费用上限",
)  # fmt: skip
ATTENDANCE = ("活动编号", "场次", "员工编号", "签到时间", "签退时间", "证据")
MODES = {"on_site": "现场", "online": "线上", "craft": "手工"}
WORDS = {"scanned": "扫码", "attested": "机构确认", "claimed": "补签"}

MOST_ROWS = 40_000  # Of one sheet; the door takes 200,000.
MOST_POSITION = 9_999  # People in one position.

Line = Sequence[str | int]


def volunteers_csv(volunteers: Sequence[Volunteer]) -> bytes:
    """Write everybody who may serve."""
    return _csv(VOLUNTEERS, ((volunteer.employee_number, volunteer.display_name) for volunteer in volunteers))


def proposals_csv(proposals: Sequence[Proposal], round_number: int, zone: ZoneInfo) -> bytes:
    """Write what partners propose in a round, one row a proposal, for each has one shift."""
    return _csv(PROPOSALS, (_proposal(proposal, round_number, zone) for proposal in proposals))


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


def _proposal(proposal: Proposal, round_number: int, zone: ZoneInfo) -> Line:
    """Write all that the automatic checklist asks of a proposal of its mode; online work is scanned, not handed in."""
    listing, mode = proposal.listing, proposal.listing.mode
    (shift,) = listing.shifts
    place = ("合成市", "合成社区活动中心") if mode == "on_site" else ("", "")
    kit: Line = ("材料包一份，含回寄信封", 3_000) if mode == "craft" else ("", "")
    about = f"{listing.title}：由合成数据生成的活动方案，用来演示每周招募、审核和上架，不对应任何真实机构或个人。"
    return (
        listing.reference, listing.partner_reference, round_number, listing.title, about, MODES[mode], *place,
        f"志愿者:{min(shift.capacity, MOST_POSITION)}", "", local(shift.starts_at, zone), local(shift.ends_at, zone),
        shift.capacity, proposal.minimum, "合成风险说明", "合成保险说明", "合成保障措施", "合成岗前培训", "", "", *kit,
    )  # fmt: skip


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
