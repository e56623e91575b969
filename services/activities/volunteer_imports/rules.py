"""What the sheet of volunteers holds: who may serve, and under which name."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.documents.cells import BadCell, text
from shared.documents.columns import Column
from shared.errors import Title
from shared.imports.judging import Case, Effect, Verdict, collected, repeated

EXAMPLES = (("EXAMPLE-0001", "示例甲"), ("EXAMPLE-0002", "示例乙"))
NUMBER = Title(
    zh="每人一个，导入后不可更改；请先将列格式设为文本，以保留前面的 0",
    en="one for each person, never changed; keep the column formatted as text, lest leading zeros be lost",
)
ERASED = Title(
    zh="本人已要求删除个人信息，请删除此行；本人愿意恢复时请单独登记",
    en="This person asked to be erased: delete the row; if they wish to come back, register them by hand",
)
NAME = Title(zh="与已登记的不同时，导入会更新显示名", en="where another is registered, the import changes it")


class VolunteerRow(NamedTuple):
    """A person to be registered, or to be called by another name."""

    employee_number: str
    display_name: str


class Facts(NamedTuple):
    """What rows are judged by: names by employee number, and the numbers of people who were erased."""

    names: Mapping[str, str]
    erased: Collection[str] = ()


def columns(_zone: ZoneInfo) -> tuple[Column, ...]:
    """Return the columns, in order."""
    return (
        Column("employee_number", ("员工编号", "employee_number"), text(max_length=40), note=NUMBER),
        Column("display_name", ("显示名", "display_name"), text(max_length=80), note=NAME),
    )


def judge(_case: Case, rows: Sequence[VolunteerRow], facts: Facts) -> Verdict:
    """Object to a person given twice or erased at their own wish; another name than the known one is a change."""
    known = facts.names
    seen: set[str] = set()

    def of_row(row: VolunteerRow) -> Iterator[tuple[str, BadCell]]:
        if row.employee_number in seen:
            yield "employee_number", repeated()
        elif row.employee_number in facts.erased:
            yield "employee_number", BadCell("erased_earlier", expected="", fix=ERASED)
        seen.add(row.employee_number)

    effects = [_effect(row, known) for row in rows]
    before = {
        place: {"display_name": known[row.employee_number]}
        for place, row in enumerate(rows)
        if effects[place] is Effect.UPDATE
    }
    return Verdict(collected(rows, of_row), effects, before)


def _effect(row: VolunteerRow, known: Mapping[str, str]) -> Effect:
    name = known.get(row.employee_number)
    if name is None:
        return Effect.CREATE
    return Effect.SKIP if name == row.display_name else Effect.UPDATE
