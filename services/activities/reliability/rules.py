"""How far somebody's word about a place can be relied on, and why. Source: DOMAIN.md section 4, "Volunteer".

It tells people where they stand: nobody is shown or refused anything for it. Facts lose half their weight in
`HALF_LIFE_DAYS`, what is excused or was only missed counts nothing, and everybody begins with a good name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from shared.errors import Conflict, Title

HALF_LIFE_DAYS: Final = 180
OLDEST_DAYS: Final = 5 * HALF_LIFE_DAYS  # What is older weighs next to nothing, and is not shown.
FULL: Final = 1_000  # The weight of what happens today, in thousandths of a place.
START: Final = 2 * FULL  # Everybody begins as if two places had been kept.


class Fact(StrEnum):
    """What became of a place."""

    ATTENDED = "attended"
    LATE_WITHDRAWN = "late_withdrawn"
    NO_SHOW = "no_show"
    MISSED = "missed"


# How much of its weight a fact keeps, in percent; None: it counts neither for nor against.
KEEPS: Final[Mapping[Fact, int | None]] = MappingProxyType(
    {Fact.ATTENDED: 100, Fact.LATE_WITHDRAWN: 50, Fact.NO_SHOW: 0, Fact.MISSED: None}
)
TITLES: Final[Mapping[Fact, Title]] = MappingProxyType(
    {
        Fact.ATTENDED: Title(zh="到场服务", en="Attended"),
        Fact.LATE_WITHDRAWN: Title(zh="临近开始才退出，计一半", en="Withdrawn late: counts half"),
        Fact.NO_SHOW: Title(zh="缺席", en="Did not come"),
        Fact.MISSED: Title(zh="漏签，不计入", en="No check-in was scanned: counts nothing"),
    }
)
APPEALABLE: Final = frozenset(fact for fact, keeps in KEEPS.items() if keeps not in {None, 100})


class NotAppealable(Conflict):
    """What became of this place does not count against anybody."""

    code = "not_appealable"
    title = Title(zh="此记录不影响可靠度，无需申诉", en="This does not count against you")


class AppealMade(Conflict):
    """There is an appeal about this place already."""

    code = "appeal_made"
    title = Title(zh="已就此记录提出申诉", en="You have appealed against this already")


class AppealDecided(Conflict):
    """The appeal was decided; it stays so."""

    code = "appeal_decided"
    title = Title(zh="该申诉已有结论", en="This appeal was decided already")


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of one place, when its shift ended, and whether that was excused on appeal."""

    sign_up_id: UUID
    fact: Fact
    at: datetime
    is_excused: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """What one fact counts: so much of so much, in thousandths of a place."""

    happened: Happened
    age_days: int
    kept: int
    of: int


def weight(age_days: int) -> int:
    """Return what a fact of this age weighs, in thousandths of a place, rounded down."""
    return int(FULL * 0.5 ** (max(age_days, 0) / HALF_LIFE_DAYS))


def explain(facts: Iterable[Happened], *, now: datetime) -> list[Line]:
    """Say what each fact counts, in the order given; what is older than `OLDEST_DAYS` is left out."""
    lines = (_line(each, (now - each.at).days) for each in facts)
    return [line for line in lines if line.age_days <= OLDEST_DAYS]


def score(lines: Iterable[Line]) -> int:
    """Return the share of what was kept, in whole percent, rounded down; 100 of whom there are no facts."""
    counted = list(lines)
    return (START + sum(line.kept for line in counted)) * 100 // (START + sum(line.of for line in counted))


def require_appealable(fact: str) -> None:
    """Refuse an appeal against what counts against nobody. Raises NotAppealable."""
    if fact not in APPEALABLE:
        raise NotAppealable(state=fact)


def require_first(*, is_appealed: bool) -> None:
    """Refuse a second appeal about one place. Raises AppealMade."""
    if is_appealed:
        raise AppealMade


def require_undecided(is_excused: bool | None) -> None:  # noqa: FBT001  It is the row's, and None is one of its values.
    """Refuse to decide what was decided. Raises AppealDecided."""
    if is_excused is not None:
        raise AppealDecided


def _line(happened: Happened, age_days: int) -> Line:
    keeps = None if happened.is_excused else KEEPS[happened.fact]
    of = 0 if keeps is None else weight(age_days)
    return Line(happened, age_days, of * (keeps or 0) // 100, of)
