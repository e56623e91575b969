"""What a proposal says, and what the automatic checklist finds in it. Source: DOMAIN.md sections 4 and 9."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from services.activities.listings.rules import LONGEST_SHIFT
from shared.errors import Title

SHORTEST_TITLE, SHORTEST_DESCRIPTION = 4, 30  # Characters, without outer space.
LONG_SHIFT = timedelta(hours=8)
MOST_MINUTES = 480  # Agreed for one accepted piece.


class Mode(StrEnum):
    """Where volunteers do the work."""

    ON_SITE = "on_site"
    ONLINE = "online"
    CRAFT = "craft"  # At home, from a kit.


@dataclass(frozen=True, slots=True)
class Position:
    """What somebody does on each shift, how many of them, and what they must know."""

    name: str
    number: int
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """An occasion, half-open; it is not held with fewer than `minimum` people."""

    starts_at: datetime
    ends_at: datetime
    capacity: int
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class Deliverable:
    """What is handed in, by which criteria it is accepted, and the minutes that one accepted piece counts."""

    criteria: str = ""
    minutes_per_piece: int | None = None


@dataclass(frozen=True, slots=True)
class Kit:
    """What is sent to a volunteer, what it may cost at most, in fen, and in how many working days it is due back."""

    contents: str = ""
    ceiling_fen: int | None = None
    due_days: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a partner says of an activity. A draft may leave out what the checklist then asks for."""

    title: str
    mode: Mode
    description: str = ""
    city: str = ""
    place: str = ""
    timezone: str = "Asia/Shanghai"
    positions: tuple[Position, ...] = ()
    shifts: tuple[PlannedShift, ...] = ()
    risks: str = ""
    insurance: str = ""
    safeguards: str = ""
    briefing: str = ""
    deliverable: Deliverable | None = None
    kit: Kit | None = None


class Severity(StrEnum):
    """Whether a finding stands in the way of submitting."""

    BLOCKING = "blocking"
    WARNING = "warning"


class Check(NamedTuple):
    """One entry of the automatic checklist."""

    severity: Severity
    title: Title
    expected: Title


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a field, as `shifts.0.ends_at`; `code` names the entry of CHECKS."""

    field: str
    code: str

    @property
    def check(self) -> Check:
        """The entry."""
        return CHECKS[self.code]

    @property
    def is_blocking(self) -> bool:
        """Say whether it stands in the way of submitting."""
        return self.check.severity is Severity.BLOCKING


def _blocking(zh: str, en: str, expected_zh: str, expected_en: str) -> Check:
    return Check(Severity.BLOCKING, Title(zh, en), Title(expected_zh, expected_en))


def _warning(zh: str, en: str, expected_zh: str, expected_en: str) -> Check:
    return Check(Severity.WARNING, Title(zh, en), Title(expected_zh, expected_en))


CHECKS: dict[str, Check] = {
    "title_too_short": _blocking("名称太短", "The title is too short", "至少 4 个字", "At least 4 characters"),
    "description_too_short": _blocking(
        "介绍太短", "The description is too short", "至少 30 个字：做什么、为谁、怎么做",
        "At least 30 characters: what is done, for whom, and how",
    ),
    "personal_contact": _blocking(
        "公开内容含有个人联系方式或证件号码", "The public text holds somebody's contact or ID number",
        "删除电话、邮箱、微信号、QQ 号和证件号码；报名后通过系统联系",
        "No phone, e-mail, WeChat, QQ or ID numbers; people are reached through the programme",
    ),
    "similar_to_earlier": _warning(
        "与近期方案相似", "It is like a proposal of late", "确认不是重复；每周重复请复制为系列", "Clone what is weekly"
    ),
    "no_place": _blocking("未填写地点", "There is no place", "现场活动写明城市和地点", "City and place, on site"),
    "no_positions": _blocking("未填写岗位", "There are no positions", "至少一个岗位及人数", "At least one"),
    "positions_below_capacity": _warning(
        "岗位人数少于场次名额", "There are fewer positions than places", "岗位人数之和不少于每场名额",
        "As many positions as a shift has places",
    ),
    "no_shifts": _blocking("未安排场次", "There are no shifts", "至少一个场次", "At least one"),
    "shift_times_wrong": _blocking(
        "场次时间有误", "The shift's times are wrong", "整分钟，结束晚于开始", "Whole minutes; it ends after it starts"
    ),
    "shift_too_long": _blocking("场次过长", "The shift is too long", "不超过 24 小时", "At most 24 hours"),
    "shift_long": _warning("场次较长", "The shift is long", "一般不超过 8 小时，含休息", "8 hours at most, as a rule"),
    "shift_in_the_past": _blocking("场次已过", "The shift is in the past", "晚于现在", "Later than now"),
    "shift_before_publication": _blocking(
        "场次早于上架时间", "The shift starts before it can be published", "晚于本轮上架时间",
        "Later than the round's publish time",
    ),
    "shift_repeated": _blocking("场次重复", "The shift stands there twice", "每个场次只写一次", "Each shift once"),
    "shifts_overlap": _warning(
        "与前一场次时间重叠", "It overlaps the shift before it", "确认可以同时进行", "Make sure that both can be held"
    ),
    "capacity_below_minimum": _blocking(
        "名额少于最低成行人数", "There are fewer places than people needed", "名额不少于最低成行人数",
        "At least as many places as the minimum",
    ),
    "no_risks": _blocking("未说明风险", "The risks are not stated", "写明可能的风险", "What may happen to people"),
    "no_safeguards": _blocking("未说明安全保障", "There are no safeguards", "针对风险的措施和负责人", "What is done"),
    "no_insurance": _blocking("未说明保险", "There is no insurance", "现场活动写明保险", "Insurance for work on site"),
    "insurance_unsaid": _warning("未说明保险", "Insurance is not mentioned", "有无保险都请写明", "Say if there is"),
    "no_briefing": _warning("未说明岗前培训", "There is no briefing", "写明培训方式和时间", "How and when it is"),
    "no_deliverable": _warning(
        "未约定交付物", "No deliverable is agreed", "写明验收标准和每件时长", "Criteria, and minutes a piece"
    ),
    "minutes_without_criteria": _blocking(
        "有时长而无验收标准", "Minutes are agreed without criteria", "写明怎样算合格", "By what a piece is accepted"
    ),
    "criteria_without_minutes": _blocking(
        "有验收标准而无时长", "Criteria are given without minutes", "写明每件分钟数", "Minutes of one accepted piece"
    ),
    "minutes_out_of_range": _blocking("每件时长不合理", "The minutes a piece cannot be", "1 至 480 分钟", "1 to 480"),
    "no_kit": _blocking("未说明物料包", "There is no kit", "写明物料内容和费用上限", "What is in it"),
    "kit_without_ceiling": _blocking("物料包无费用上限", "The kit has no ceiling", "写明费用上限", "In fen, for one"),
    "not_for_this_mode": _warning(
        "此项不适用于所选方式", "This does not belong to the mode", "交付物用于线上，物料包用于手工",
        "Deliverables are for online work, kits for craft",
    ),
}  # fmt: skip

_MOBILE = r"1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}"
_LANDLINE = r"0\d{2,3}[\s-]?\d{7,8}"
_IDENTITY = r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]"  # GB 11643: region, birth, order.
_NUMBERS = re.compile(rf"(?<!\d)(?:(?:\+?86[\s-]?)?{_MOBILE}|{_LANDLINE}|{_IDENTITY})(?!\d)", re.IGNORECASE)
_ADDRESSES = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}\.\w|(?:微信|wechat|weixin|vx|qq)号?[\s:=]*[a-z0-9_-]{5,}", re.IGNORECASE
)


def names_contact(text: str) -> bool:
    """Say whether a text holds a phone or ID number, an e-mail address, or a name in a messenger."""
    plain = unicodedata.normalize("NFKC", text)
    return bool(_NUMBERS.search(plain) or _ADDRESSES.search(plain))


def check(content: Content, *, now: datetime, publish_at: datetime) -> list[Finding]:
    """Go through the automatic checklist; what is submitted in a round appears at `publish_at`."""
    parts = (_of_texts(content), _of_people(content), _of_shifts(content, now, publish_at), _of_terms(content))
    return [Finding(field, code) for part in parts for field, code in part]


Found = Iterator[tuple[str, str]]


def _of_texts(content: Content) -> Found:
    if len(content.title.strip()) < SHORTEST_TITLE:
        yield "title", "title_too_short"
    if len(content.description.strip()) < SHORTEST_DESCRIPTION:
        yield "description", "description_too_short"
    if content.mode is Mode.ON_SITE:
        yield from ((field, "no_place") for field in ("city", "place") if not getattr(content, field).strip())
    public = {field: getattr(content, field) for field in ("title", "description", "city", "place", "briefing")}
    public |= {f"positions.{place}.name": each.name for place, each in enumerate(content.positions)}
    yield from ((field, "personal_contact") for field, text in public.items() if names_contact(text))


def _of_people(content: Content) -> Found:
    if not content.positions:
        yield "positions", "no_positions"
    elif sum(each.number for each in content.positions) < max((each.capacity for each in content.shifts), default=0):
        yield "positions", "positions_below_capacity"
    for field, code in (("risks", "no_risks"), ("safeguards", "no_safeguards"), ("briefing", "no_briefing")):
        if not getattr(content, field).strip():
            yield field, code
    if not content.insurance.strip():
        yield "insurance", "no_insurance" if content.mode is Mode.ON_SITE else "insurance_unsaid"


def _of_shifts(content: Content, now: datetime, publish_at: datetime) -> Found:
    if not content.shifts:
        yield "shifts", "no_shifts"
    for place, shift in enumerate(content.shifts):
        yield from ((f"shifts.{place}.{field}", code) for field, code in _of_shift(shift, now, publish_at))
    yield from _together(content.shifts)


def _together(shifts: Sequence[PlannedShift]) -> Found:
    """Compare each shift with those that begin no later."""
    seen: set[tuple[datetime, datetime]] = set()
    busy_until = datetime.min.replace(tzinfo=UTC)
    for place, shift in sorted(enumerate(shifts), key=lambda each: (each[1].starts_at, each[0])):
        if (shift.starts_at, shift.ends_at) in seen:
            yield f"shifts.{place}.starts_at", "shift_repeated"
        elif shift.starts_at < busy_until:
            yield f"shifts.{place}.starts_at", "shifts_overlap"
        seen.add((shift.starts_at, shift.ends_at))
        busy_until = max(busy_until, shift.ends_at)


def _of_shift(shift: PlannedShift, now: datetime, publish_at: datetime) -> Found:
    lasts = shift.ends_at - shift.starts_at
    if shift.starts_at <= now:
        yield "starts_at", "shift_in_the_past"
    elif shift.starts_at <= publish_at:
        yield "starts_at", "shift_before_publication"
    if lasts <= timedelta(0) or any(each.second or each.microsecond for each in (shift.starts_at, shift.ends_at)):
        yield "ends_at", "shift_times_wrong"
    elif lasts > LONG_SHIFT:
        yield "ends_at", "shift_too_long" if lasts > LONGEST_SHIFT else "shift_long"
    if shift.capacity < shift.minimum:
        yield "capacity", "capacity_below_minimum"


def _of_terms(content: Content) -> Found:
    deliverable, kit = content.deliverable, content.kit
    if deliverable is not None:
        yield from _of_deliverable(deliverable)
    elif content.mode is Mode.ONLINE:
        yield "deliverable", "no_deliverable"
    if kit is not None:
        yield from _of_kit(kit)
    elif content.mode is Mode.CRAFT:
        yield "kit", "no_kit"
    for field, terms, mode in (("deliverable", deliverable, Mode.ONLINE), ("kit", kit, Mode.CRAFT)):
        if terms is not None and content.mode is not mode:
            yield field, "not_for_this_mode"


def _of_deliverable(deliverable: Deliverable) -> Found:
    minutes = deliverable.minutes_per_piece
    if minutes is None:
        yield "deliverable.minutes_per_piece", "criteria_without_minutes"
    elif not deliverable.criteria.strip():
        yield "deliverable.criteria", "minutes_without_criteria"
    if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
        yield "deliverable.minutes_per_piece", "minutes_out_of_range"


def _of_kit(kit: Kit) -> Found:
    if not kit.contents.strip():
        yield "kit.contents", "no_kit"
    if kit.ceiling_fen is None:
        yield "kit.ceiling_fen", "kit_without_ceiling"
