"""What becomes of the rows of a sheet: objections by cell, and for each good row what it would do. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from shared.documents.cells import BadCell
from shared.errors import Title

R = TypeVar("R")
Found = Iterator[tuple[str, BadCell]]
Objections = dict[int, dict[str, BadCell]]  # By place of the row, by column.


@dataclass(frozen=True, slots=True)
class Case:
    """Whose sheet is judged or brought in, by whom, and when; local times in it are meant in `timezone`."""

    programme_id: UUID
    import_id: UUID
    timezone: str
    by: UUID
    now: datetime


class Effect(StrEnum):
    """What bringing a good row in does."""

    CREATE = "create"
    UPDATE = "update"
    SKIP = "skip"  # Everything that it says is recorded already.


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with rows, and what the good ones do.

    There is one effect for each row; of a row with objections it means nothing. `before` says of an updated row, by
    its place, what the columns that change hold now: a person decides on that, so it must still be so at the commit.
    """

    objections: Objections
    effects: Sequence[Effect]
    before: Mapping[int, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))


def collected(rows: Sequence[R], judge: Callable[[R], Found]) -> Objections:
    """Judge row by row, in order, and keep those that something is wrong with."""
    found = ((place, dict(judge(row))) for place, row in enumerate(rows))
    return {place: objections for place, objections in found if objections}


def repeated() -> BadCell:
    """Object to a row that says again what another row above it is about."""
    fix = Title(zh="与前面的行重复，请删除", en="Stands above already: delete this row")
    return BadCell("repeated", expected="1 ×", fix=fix)


def unknown() -> BadCell:
    """Object to a reference to what is not recorded."""
    fix = Title(zh="系统中没有此编号，请核对或先登记", en="Not known here: check it, or register it first")
    return BadCell("unknown", expected="…", fix=fix)


def recorded_otherwise() -> BadCell:
    """Object to a row that contradicts what is recorded and may not be changed by a sheet."""
    fix = Title(
        zh="与已有记录不一致；请核对，已记录的内容请用更正流程修改",
        en="The records say otherwise: check it; what is recorded is changed by a correction",
    )
    return BadCell("differs_from_record", expected="…", fix=fix)
