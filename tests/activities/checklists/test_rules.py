from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.activities.checklists import rules
from services.activities.checklists.rules import Deliverable, Kit, Mode, PlannedShift, Position, Severity
from tests.factories.activities import NINE
from tests.factories.proposals import CONTENT, DAY, LATER, SHIFT, make_content

PUBLISHED = NINE + 5 * DAY
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ONLINE = {"mode": Mode.ONLINE, "city": "", "place": "", "deliverable": Deliverable("两人复核无误", 60)}
WIDE = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}
CRAFT = {"mode": Mode.CRAFT, "city": "", "place": "", "kit": Kit("毛线和针", 3_000)}


def found(**overrides: Any) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in rules.check(make_content(**overrides), now=NINE, publish_at=PUBLISHED)]


def shift(**overrides: Any) -> PlannedShift:
    return replace(SHIFT, **overrides)


@pytest.mark.parametrize("overrides", [{}, ONLINE, CRAFT])
def test_a_whole_proposal_has_no_findings(overrides: dict[str, Any]) -> None:
    """In each of the three modes."""
    assert found(**overrides) == []


@pytest.mark.parametrize(
    ("overrides", "finding"),
    [
        ({"title": "净滩行"}, ("title", "title_too_short")),
        ({"title": " 净滩行  "}, ("title", "title_too_short")),
        ({"title": "净滩行动"}, None),
        ({"description": "做" * 29}, ("description", "description_too_short")),
        ({"description": "做" * 30}, None),
        ({"city": " "}, ("city", "no_place")),
        ({"place": ""}, ("place", "no_place")),
        (ONLINE | {"place": ""}, None),
        ({"positions": ()}, ("positions", "no_positions")),
        ({"positions": (Position("清理员", 19),)}, ("positions", "positions_below_capacity")),
        ({"positions": (Position("清理员", 10), Position("称重员", 10))}, None),
        ({"shifts": ()}, ("shifts", "no_shifts")),
        ({"risks": " "}, ("risks", "no_risks")),
        ({"safeguards": ""}, ("safeguards", "no_safeguards")),
        ({"insurance": ""}, ("insurance", "no_insurance")),
        (ONLINE | {"insurance": ""}, ("insurance", "insurance_unsaid")),
        ({"briefing": ""}, ("briefing", "no_briefing")),
        (ONLINE | {"deliverable": None}, ("deliverable", "no_deliverable")),
        (ONLINE | {"deliverable": Deliverable(" ", 60)}, ("deliverable.criteria", "minutes_without_criteria")),
        (ONLINE | {"deliverable": Deliverable("合格")}, ("deliverable.minutes_per_piece", "criteria_without_minutes")),
        (ONLINE | {"deliverable": Deliverable("合格", 0)}, ("deliverable.minutes_per_piece", "minutes_out_of_range")),
        (ONLINE | {"deliverable": Deliverable("合格", 1)}, None),
        (ONLINE | {"deliverable": Deliverable("合格", 480)}, None),
        (ONLINE | {"deliverable": Deliverable("合格", 481)}, ("deliverable.minutes_per_piece", "minutes_out_of_range")),
        (CRAFT | {"kit": None}, ("kit", "no_kit")),
        (CRAFT | {"kit": Kit("", 1)}, ("kit.contents", "no_kit")),
        (CRAFT | {"kit": Kit("毛线")}, ("kit.ceiling_fen", "kit_without_ceiling")),
        (CRAFT | {"kit": Kit("毛线", 0)}, None),
        ({"deliverable": Deliverable("合格", 60)}, ("deliverable", "not_for_this_mode")),
        ({"kit": Kit("手套", 100)}, ("kit", "not_for_this_mode")),
    ],
)
def test_each_entry_is_found_at_its_boundary(overrides: dict[str, Any], finding: tuple[str, str] | None) -> None:
    """One step to the better side, and it is gone."""
    assert found(**overrides) == ([] if finding is None else [finding])


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"starts_at": NINE, "ends_at": NINE + HOUR}, ("starts_at", "shift_in_the_past")),
        ({"starts_at": NINE + MINUTE, "ends_at": NINE + HOUR}, ("starts_at", "shift_before_publication")),
        ({"starts_at": PUBLISHED, "ends_at": PUBLISHED + HOUR}, ("starts_at", "shift_before_publication")),
        ({"starts_at": PUBLISHED + MINUTE, "ends_at": PUBLISHED + HOUR}, None),
        ({"ends_at": LATER}, ("ends_at", "shift_times_wrong")),
        ({"ends_at": LATER + MINUTE}, None),
        ({"ends_at": LATER + HOUR + SECOND}, ("ends_at", "shift_times_wrong")),
        ({"ends_at": LATER + 8 * HOUR}, None),
        ({"ends_at": LATER + 8 * HOUR + MINUTE}, ("ends_at", "shift_long")),
        ({"ends_at": LATER + 24 * HOUR}, ("ends_at", "shift_long")),
        ({"ends_at": LATER + 24 * HOUR + MINUTE}, ("ends_at", "shift_too_long")),
        ({"capacity": 4, "minimum": 5}, ("capacity", "capacity_below_minimum")),
        ({"capacity": 5, "minimum": 5}, None),
    ],
)
def test_a_shift_is_looked_at_by_itself(changed: dict[str, Any], finding: tuple[str, str] | None) -> None:
    """Its field says which one."""
    at_first = [] if finding is None else [(f"shifts.0.{finding[0]}", finding[1])]
    assert found(shifts=(shift(**changed),)) == at_first


class TestTogether:
    def test_one_after_the_other_is_well(self) -> None:
        """Half-open: the second may begin when the first ends."""
        assert found(shifts=(shift(starts_at=SHIFT.ends_at, ends_at=SHIFT.ends_at + HOUR), SHIFT)) == []

    def test_what_overlaps_is_named_where_it_begins_later(self) -> None:
        """Even if another one lies between, shorter than the first."""
        whole = shift(ends_at=LATER + 6 * HOUR)
        short = shift(starts_at=LATER + HOUR, ends_at=LATER + 2 * HOUR)
        late = shift(starts_at=LATER + 5 * HOUR, ends_at=LATER + 7 * HOUR)

        assert found(shifts=(late, whole, short)) == [
            ("shifts.2.starts_at", "shifts_overlap"), ("shifts.0.starts_at", "shifts_overlap"),
        ]  # fmt: skip

    def test_the_same_shift_twice_blocks(self) -> None:
        """It is a slip, not a second group of people."""
        assert found(shifts=(SHIFT, shift(capacity=3, minimum=1))) == [("shifts.1.starts_at", "shift_repeated")]


@pytest.mark.parametrize(
    "text",
    [
        "电话13812345678", "请拨 138-1234-5678", "+86 138 1234 5678", "手机 13812345678".translate(WIDE),
        "座机 0592-1234567", "身份证 350203199001011234", "35020319900101123x", "写信到 a.b@example.org",
        "微信号：beach_2022", "加vx beach2022", "QQ: 123456789",
    ],
)  # fmt: skip
def test_contacts_and_id_numbers_are_found_in_any_writing(text: str) -> None:
    """People are reached through the programme; what is published stays published."""
    assert rules.names_contact(text)


@pytest.mark.parametrize(
    "text",
    [
        "2022-06-01 09:00 到 12:00", "需要 20 人，每人 180 分钟", "项目编号 2022061200345678901", "在微信群里通知",
        "共 1380 袋垃圾", "订单 138123456789", "350203199013411234",
    ],
)  # fmt: skip
def test_other_numbers_are_not(text: str) -> None:
    """Dates, counts and longer numbers; an ID number holds a date that there is."""
    assert not rules.names_contact(text)


@pytest.mark.parametrize("field", ["title", "description", "city", "place", "briefing"])
def test_every_public_text_is_looked_through(field: str) -> None:
    """The positions' names as well; what only reviewers read may name whom to call."""
    assert (field, "personal_contact") in found(**{field: f"{getattr(CONTENT, field)} 13812345678"})
    named = (Position("小王 13812345678", 20),)
    assert found(positions=named) == [("positions.0.name", "personal_contact")]
    assert found(safeguards="安全员电话 13812345678") == []


def test_each_entry_says_what_is_expected_in_both_languages() -> None:
    """And blocks or warns; a finding finds its own entry."""
    for code, entry in rules.CHECKS.items():
        assert all((*entry.title, *entry.expected)), code
        assert rules.Finding("title", code).check is entry
        assert rules.Finding("title", code).is_blocking == (entry.severity is Severity.BLOCKING)
