"""What the sheet of proposals holds, one row a shift, and what makes a row good."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from services.activities.checklists.rules import (
    MOST_MINUTES,
    Content,
    Deliverable,
    Finding,
    Kit,
    Mode,
    PlannedShift,
    Position,
    check,
)
from services.activities.partners.rules import Footing, require_may_propose, require_quota
from services.activities.proposals.rules import Deadlines, require_submission_open
from shared.documents.cells import BadCell, one_of, text, whole_number
from shared.documents.columns import Column
from shared.documents.moments import local_instant
from shared.errors import Refusal, Title
from shared.imports.judging import Case, Effect, Objections, Verdict, recorded_otherwise, unknown

_EXAMPLE = (
    "EXAMPLE-A1", "EXAMPLE-P1", "12", "示例：社区净滩",
    "和居民一起清理海滩垃圾，分类称重并记录，帮助孩子认识海洋保护。",
    "现场", "厦门", "环岛路沙滩", "清理员:20", "体力；分类", "2022-06-15 09:00", "2022-06-15 12:00", "20", "5",
    "烈日、湿滑", "主办方购买意外险", "急救包、安全员", "现场讲解 15 分钟", "", "", "", "",
)  # fmt: skip
EXAMPLES = (_EXAMPLE, (*_EXAMPLE[:10], "2022-06-22 09:00", "2022-06-22 12:00", *_EXAMPLE[12:]))
SAME = Title(zh="同一方案的各场次写相同的内容", en="the same for all shifts of a proposal")
POSITIONS = Title(zh="岗位:人数，多个用分号隔开", en="name:number, separated by semicolons")
LOCAL = Title(zh="当地时间，或带时差的 ISO 格式", en="local time, or ISO with an offset")
FEN = Title(zh="每份上限，单位：分", en="of one kit, in fen")
MODES = {"现场": Mode.ON_SITE, "on_site": Mode.ON_SITE, "线上": Mode.ONLINE, "online": Mode.ONLINE,
         "手工": Mode.CRAFT, "craft": Mode.CRAFT}  # fmt: skip
OF_SHIFT = frozenset({"starts_at", "ends_at", "capacity", "minimum"})
_POSITION = re.compile(r"([^:：;；]{1,60})[:：]\s*([1-9][0-9]{0,3})")
_SPLIT = re.compile("[;；]")
# Where the checklist's fields stand in a sheet, if not under their own name.
COLUMNS = {"deliverable": "criteria", "deliverable.minutes_per_piece": "minutes_per_piece", "kit": "kit_contents",
           "kit.ceiling_fen": "kit_ceiling_fen", "shifts": "starts_at"}  # fmt: skip


class ProposalRow(NamedTuple):
    """A shift of a proposal; rows with one reference describe one proposal."""

    proposal_reference: str
    partner_reference: str
    round_number: int
    title: str
    description: str
    mode: Mode
    city: str | None
    place: str | None
    positions: str
    skills: str | None
    starts_at: datetime
    ends_at: datetime
    capacity: int
    minimum: int
    risks: str
    insurance: str | None
    safeguards: str
    briefing: str | None
    criteria: str | None
    minutes_per_piece: int | None
    kit_contents: str | None
    kit_ceiling_fen: int | None


def columns(timezone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns, in order; instants without an offset are local to `timezone`."""
    reference, long, people = text(max_length=40), text(max_length=2_000), whole_number(minimum=1, maximum=10_000)
    return (
        Column("proposal_reference", ("方案编号", "proposal_reference"), reference),
        Column("partner_reference", ("伙伴编号", "partner_reference"), reference, note=SAME),
        Column("round_number", ("招募轮次", "round_number"), people, note=SAME),
        Column("title", ("活动名称", "title"), text(max_length=200), note=SAME),
        Column("description", ("活动介绍", "description"), text(max_length=4_000), note=SAME),
        Column("mode", ("方式", "mode"), one_of(MODES), note=SAME),
        Column("city", ("城市", "city"), reference, blank=True, note=SAME),
        Column("place", ("地点", "place"), text(max_length=200), blank=True, note=SAME),
        Column("positions", ("岗位", "positions"), text(max_length=400), note=POSITIONS),
        Column("skills", ("技能", "skills"), text(max_length=400), blank=True, note=SAME),
        Column("starts_at", ("开始时间", "starts_at"), local_instant(timezone), note=LOCAL),
        Column("ends_at", ("结束时间", "ends_at"), local_instant(timezone), note=LOCAL),
        Column("capacity", ("名额", "capacity"), people),
        Column("minimum", ("最低成行人数", "minimum"), people),
        Column("risks", ("风险", "risks"), long, note=SAME),
        Column("insurance", ("保险", "insurance"), text(max_length=1_000), blank=True, note=SAME),
        Column("safeguards", ("安全保障", "safeguards"), long, note=SAME),
        Column("briefing", ("岗前培训", "briefing"), long, blank=True, note=SAME),
        Column("criteria", ("验收标准", "criteria"), long, blank=True, note=SAME),
        Column(
            "minutes_per_piece", ("每件时长（分钟）", "minutes_per_piece"),
            whole_number(minimum=1, maximum=MOST_MINUTES), blank=True, note=SAME,
        ),
        Column("kit_contents", ("物料内容", "kit_contents"), text(max_length=1_000), blank=True, note=SAME),
        Column(
            "kit_ceiling_fen", ("物料费用上限", "kit_ceiling_fen"), whole_number(minimum=0, maximum=100_000_000),
            blank=True, note=FEN,
        ),
    )  # fmt: skip


class KnownRound(NamedTuple):
    """A round, as far as rows are judged by it."""

    id: UUID
    deadlines: Deadlines
    publish_at: datetime


class KnownPartner(NamedTuple):
    """A partner, as far as rows are judged by it."""

    id: UUID
    footing: Footing


class KnownProposal(NamedTuple):
    """What an earlier sheet brought, as far as rows are compared with it."""

    partner_id: UUID
    round_id: UUID
    content: Content


@dataclass(frozen=True, slots=True)
class ProposalFacts:
    """What is recorded of the partners, rounds and proposals that rows name; `made` is by round and partner."""

    partners: Mapping[str, KnownPartner]
    rounds: Mapping[int, KnownRound]
    proposals: Mapping[str, KnownProposal]
    made: Mapping[tuple[UUID, UUID], int]


@dataclass(frozen=True)
class Group:
    """The rows of one proposal, with their places in the sheet."""

    places: tuple[int, ...]
    rows: tuple[ProposalRow, ...]

    @property
    def first(self) -> ProposalRow:
        """The row that says what the proposal is."""
        return self.rows[0]

    @cached_property
    def positions(self) -> tuple[Position, ...] | None:
        """The positions, each with all skills; None if the cell cannot be read."""
        skills = tuple(each.strip() for each in _SPLIT.split(self.first.skills or "") if each.strip())
        found = [_POSITION.fullmatch(each.strip()) for each in _SPLIT.split(self.first.positions) if each.strip()]
        read = [Position(each[1].strip(), int(each[2]), skills) for each in found if each]
        return tuple(read) if read and len(read) == len(found) else None

    def content(self, timezone: str) -> Content:
        """Return what the rows say."""
        row = self.first
        has_deliverable = row.criteria is not None or row.minutes_per_piece is not None
        has_kit = row.kit_contents is not None or row.kit_ceiling_fen is not None
        shifts = (PlannedShift(each.starts_at, each.ends_at, each.capacity, each.minimum) for each in self.rows)
        return Content(
            title=row.title, mode=row.mode, description=row.description, city=row.city or "", place=row.place or "",
            timezone=timezone, positions=self.positions or (), shifts=tuple(shifts), risks=row.risks,
            insurance=row.insurance or "", safeguards=row.safeguards, briefing=row.briefing or "",
            deliverable=Deliverable(row.criteria or "", row.minutes_per_piece) if has_deliverable else None,
            kit=Kit(row.kit_contents or "", row.kit_ceiling_fen) if has_kit else None,
        )  # fmt: skip


def groups(rows: Sequence[ProposalRow]) -> list[Group]:
    """Put the rows of each proposal together, in the order of the sheet."""
    ordered = sorted(enumerate(rows), key=lambda each: each[1].proposal_reference)
    found = groupby(ordered, key=lambda each: each[1].proposal_reference)
    parts = [tuple(zip(*group, strict=True)) for _, group in found]
    return sorted((Group(places, members) for places, members in parts), key=lambda group: group.places)


def judge(case: Case, rows: Sequence[ProposalRow], facts: ProposalFacts) -> Verdict:
    """Judge each proposal as if it were handed in now; one that has a bad row is bad in all of its rows."""
    objections: Objections = {}
    effects = [Effect.CREATE] * len(rows)
    made = Counter(facts.made)
    for group in groups(rows):
        found, effect = _judged(case, group, facts, made)
        for place, column, bad in found:
            objections.setdefault(place, {}).setdefault(column, bad)
        for place in group.places if found else ():
            objections.setdefault(place, {"proposal_reference": _elsewhere()})
        for place in group.places:
            effects[place] = effect
    return Verdict(objections, effects)


Found = list[tuple[int, str, BadCell]]


def _judged(case: Case, group: Group, facts: ProposalFacts, made: Counter[tuple[UUID, UUID]]) -> tuple[Found, Effect]:
    found = list(_alike(group))
    partner, call = facts.partners.get(group.first.partner_reference), facts.rounds.get(group.first.round_number)
    if partner is None:
        found.append((group.places[0], "partner_reference", unknown()))
    if call is None:
        found.append((group.places[0], "round_number", unknown()))
    if group.positions is None:
        found.append((group.places[0], "positions", _bad_positions()))
    if found or partner is None or call is None:
        return found, Effect.CREATE
    known, content = facts.proposals.get(group.first.proposal_reference), group.content(case.timezone)
    if known is not None:
        differs = known != KnownProposal(partner.id, call.id, content)
        return [(group.places[0], "proposal_reference", recorded_otherwise())] if differs else [], Effect.SKIP
    found = [*_standing(case, group, partner, call, made), *_findings(case, group, content, call)]
    if not found:
        made[call.id, partner.id] += 1
    return found, Effect.CREATE


def _alike(group: Group) -> Iterator[tuple[int, str, BadCell]]:
    """Object where a row says something else of the proposal than its first."""
    for place, row in zip(group.places, group.rows, strict=True):
        for column in row._fields:
            if column not in OF_SHIFT and getattr(row, column) != getattr(group.first, column):
                yield place, column, _not_alike()


def _standing(
    case: Case, group: Group, partner: KnownPartner, call: KnownRound, made: Counter[tuple[UUID, UUID]]
) -> Iterator[tuple[int, str, BadCell]]:
    """Object to a round or a partner that takes, or makes, no proposals now."""
    today = case.now.astimezone(ZoneInfo(case.timezone)).date()
    try:
        require_submission_open(call.deadlines, is_first=True, now=case.now)
    except Refusal as refusal:
        yield group.places[0], "round_number", _refused(refusal)
    try:
        require_may_propose(partner.footing, on=today)
        require_quota(partner.footing, made=made[call.id, partner.id])
    except Refusal as refusal:
        yield group.places[0], "partner_reference", _refused(refusal)


def _findings(case: Case, group: Group, content: Content, call: KnownRound) -> Iterator[tuple[int, str, BadCell]]:
    """Object where the automatic checklist stands in the way, in the row of the shift or in the first."""
    for finding in blocking(case, content, call):
        part, _, rest = finding.field.partition(".")
        if part == "shifts" and rest:
            place, _, column = rest.partition(".")
            yield group.places[int(place)], column, _checked(finding)
        else:
            root = finding.field if finding.field in COLUMNS else part
            yield group.places[0], COLUMNS.get(root, root), _checked(finding)


def blocking(case: Case, content: Content, call: KnownRound) -> list[Finding]:
    """List what stands in the way of a proposal, were it handed in now."""
    return [each for each in check(content, now=case.now, publish_at=call.publish_at) if each.is_blocking]


def _checked(finding: Finding) -> BadCell:
    title, expected = finding.check.title, finding.check.expected
    fix = Title(zh=f"{title.zh}：{expected.zh}", en=f"{title.en}: {expected.en}")
    return BadCell(finding.code, expected="…", fix=fix)


def _refused(refusal: Refusal) -> BadCell:
    return BadCell(refusal.code, expected="…", fix=refusal.title)


def _not_alike() -> BadCell:
    fix = Title(zh="与该方案第一行不一致，请统一", en="It differs from the proposal's first row: make them alike")
    return BadCell("differs_within_proposal", expected="…", fix=fix)


def _bad_positions() -> BadCell:
    fix = Title(zh="请写成“讲师:2；助教:5”", en="Write name:number; name:number")
    return BadCell("bad_positions", expected="讲师:2；助教:5", fix=fix)


def _elsewhere() -> BadCell:
    fix = Title(zh="该方案的其他行有误，须一并修改", en="Another row of this proposal is wrong: mend that first")
    return BadCell("wrong_elsewhere", expected="…", fix=fix)
