"""What the sheet of volunteers holds: who may serve, under which name, and what the personnel department knows of them.

Only number and name have to be there. An empty cell, or a column that is missing, says nothing: what is known stays.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.activities.eligibility.rules import Interval
from services.activities.profiles.rules import MOST_CHARACTERS, MOST_LANGUAGES, MOST_SKILLS, is_language, tidy
from shared.documents.cells import BadCell, Cell, Form, Parser, fold, text
from shared.documents.columns import Column
from shared.documents.moments import local_date
from shared.errors import Title
from shared.imports.judging import Case, Effect, Verdict, collected, repeated

EXAMPLES = (
    ("EXAMPLE-0001", "示例甲", "示例部", "上海", "reading, translation", "zh, en", "2020-01-01", ""),
    ("EXAMPLE-0002", "示例乙", "", "", "", "", "", ""),
)
PROFILE = ("department", "city", "skills", "languages")
NONE: Mapping[Any, Any] = MappingProxyType({})
NUMBER = Title(
    zh="每人一个，导入后不可更改；请先将列格式设为文本，以保留前面的 0",
    en="one for each person, never changed; keep the column formatted as text, lest leading zeros be lost",
)
ERASED = Title(
    zh="本人已要求删除个人信息，请删除此行；本人愿意恢复时请单独登记",
    en="This person asked to be erased: delete the row; if they wish to come back, register them by hand",
)
MERGED = Title(
    zh="此编号的记录已并入同一人的另一编号，请删除此行或改用那个编号",
    en="This number's record was merged into another of the same person: delete the row, or use the other number",
)
NAME = Title(zh="与已登记的不同时，导入会更新显示名", en="where another is registered, the import changes it")
KEEPS = Title(zh="留空则保持原有内容", en="left empty, what is recorded stays")
SKILLS = Title(zh="技能目录中的代码，用逗号分隔；可留空", en="codes of the catalogue, with commas; else empty")
LANGUAGES = Title(zh="语言代码，用逗号分隔，如 zh, en；可留空", en="codes, with commas, as zh, en; else empty")
FROM = Title(zh="在职的第一天", en="the first day of employment")
UNTIL = Title(
    zh="不再在职的第一天；此日起的服务不再配捐，服务时长照常记录",
    en="the first day after it; service from then on is recorded and not matched",
)
_BETWEEN = re.compile(r"[,;，；、\s]+")
_MOST_TEXT = 1_000


class VolunteerRow(NamedTuple):
    """A person to be registered, to be called otherwise, or of whom something else is known; None is not said."""

    employee_number: str
    display_name: str
    department: str | None = None
    city: str | None = None
    skills: str | None = None
    languages: str | None = None
    employed_from: date | None = None
    employed_until: date | None = None

    @property
    def employed(self) -> Interval | None:
        """When the person is employed, if the row says so."""
        is_said = self.employed_from is not None or self.employed_until is not None
        return Interval(self.employed_from, self.employed_until) if is_said else None

    @property
    def has_profile(self) -> bool:
        """Whether the row says anything that stands in a profile."""
        return any(getattr(self, name) is not None for name in PROFILE)


class Facts(NamedTuple):
    """What rows are judged by: names by employee number, and the numbers of people who were erased, or merged.

    Of those whom rows say more of also what their profiles say, by column, and when they are employed; and whether each
    skill of the catalogue may be chosen.
    """

    names: Mapping[str, str]
    erased: Collection[str] = ()
    profiles: Mapping[str, Mapping[str, str]] = NONE
    intervals: Mapping[str, Sequence[Interval]] = NONE
    offered: Mapping[str, bool] = NONE
    merged: Collection[str] = ()


def columns(_zone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns, in order; sheets from before there were more than two are as good as ever."""
    most = MOST_CHARACTERS
    return (
        Column("employee_number", ("员工编号", "employee_number"), text(max_length=40), note=NUMBER),
        Column("display_name", ("显示名", "display_name"), text(max_length=80), note=NAME),
        _optional("department", "部门", text(max_length=most), KEEPS),
        _optional("city", "城市", text(max_length=most), KEEPS),
        _optional("skills", "技能", _words(most=MOST_SKILLS, is_word=lambda _word: True, fix=SKILLS), SKILLS),
        _optional("languages", "语言", _words(most=MOST_LANGUAGES, is_word=is_language, fix=LANGUAGES), LANGUAGES),
        _optional("employed_from", "在职起始", local_date(), FROM),
        _optional("employed_until", "在职截止（不含）", local_date(), UNTIL),
    )


def words(cell: str | None) -> list[str]:
    """Return the words of a parsed cell."""
    return cell.split(", ") if cell else []


def written(found: Sequence[str]) -> str:
    """Write words as a parsed cell holds them."""
    return ", ".join(found)


def judge(_case: Case, rows: Sequence[VolunteerRow], facts: Facts) -> Verdict:
    """Object to a person given twice, erased at their own wish or merged; something else than is known is a change."""
    seen: set[str] = set()

    def of_row(row: VolunteerRow) -> Iterator[tuple[str, BadCell]]:
        if row.employee_number in seen:
            yield "employee_number", repeated()
        elif row.employee_number in facts.erased:
            yield "employee_number", BadCell("erased_earlier", expected="", fix=ERASED)
        elif row.employee_number in facts.merged:
            yield "employee_number", BadCell("record_merged", expected="", fix=MERGED)
        seen.add(row.employee_number)
        yield from _unknown(row, facts)

    changes = [_changes(row, facts) for row in rows]
    before = {place: changed for place, changed in enumerate(changes) if changed}
    return Verdict(collected(rows, of_row), [_effect(changed) for changed in changes], before)


def _effect(changed: Mapping[str, str] | None) -> Effect:
    if changed is None:
        return Effect.CREATE
    return Effect.UPDATE if changed else Effect.SKIP


def _unknown(row: VolunteerRow, facts: Facts) -> Iterator[tuple[str, BadCell]]:
    """Object to a skill that is not offered and that the person did not have, and to an employment without a day."""
    had = words(facts.profiles.get(row.employee_number, NONE).get("skills"))
    offered = facts.offered
    if any(not (offered.get(code) or (code in offered and code in had)) for code in words(row.skills)):
        yield "skills", BadCell("unknown_skill", expected="…", fix=SKILLS)
    if row.employed is not None and row.employed.is_empty:
        yield "employed_until", BadCell("not_after_start", expected=f"> {row.employed_from}", fix=UNTIL)


def _changes(row: VolunteerRow, facts: Facts) -> dict[str, str] | None:
    """Say what the columns hold now that a row changes; None for somebody new."""
    name = facts.names.get(row.employee_number)
    if name is None:
        return None
    changed = {} if name == row.display_name else {"display_name": name}
    if row.has_profile:
        had = facts.profiles.get(row.employee_number, NONE)
        said = {column: getattr(row, column) for column in PROFILE}
        changed |= {c: had.get(c, "") for c, value in said.items() if value is not None and value != had.get(c, "")}
    if row.employed is not None:
        changed |= _replaced(row.employed, facts.intervals.get(row.employee_number, ()))
    return changed


def _replaced(employed: Interval, known: Sequence[Interval]) -> dict[str, str]:
    """Say what an interval takes the place of: those that it overlaps. Nothing if it is recorded already."""
    if employed in known:
        return {}
    replaced = [each for each in known if not (each.is_before(employed) or employed.is_before(each))]
    return {
        "employed_from": written([str(each.since or "") for each in replaced]),
        "employed_until": written([str(each.until or "") for each in replaced]),
    }


def _optional(name: str, title: str, parse: Parser, note: Title) -> Column:
    return Column(name, (title, name), parse, required=False, blank=True, note=note)


def _words(*, most: int, is_word: Callable[[str], bool], fix: Title) -> Parser:
    """Make the parser of a list of codes: each once, in order of the alphabet."""
    whole = text(max_length=_MOST_TEXT)

    def parse(cell: Cell) -> str | None:
        found = tidy(fold(word) for word in _BETWEEN.split(str(whole(cell))) if word)
        if len(found) > most:
            raise BadCell("too_many", expected=f"≤ {most}", fix=fix)
        if not all(is_word(word) for word in found):
            raise BadCell("unknown_choice", expected="zh, en, …", fix=fix)
        return written(found) or None

    return Parser(parse, Form("text", minimum=1, maximum=_MOST_TEXT))
