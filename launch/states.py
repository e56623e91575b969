"""The page of states, made from the rules: for each thing with a life, what each command makes of it in each state."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeVar

from services.activities.attendance import rules as attendance
from services.activities.claims import rules as claims
from services.activities.deliverables import rules as deliverables
from services.activities.kit_returns import rules as kit_costs
from services.activities.kits import rules as kits
from services.activities.listings import rules as shifts
from services.activities.proposals import rules as proposals
from services.activities.rounds import rules as rounds
from services.activities.sign_ups import rules as sign_ups
from shared.errors import Title

S = TypeVar("S", bound=StrEnum)
C = TypeVar("C", bound=StrEnum)

PAGE = Path(__file__).parents[1] / "docs" / "states.md"
HEAD = """# States

Made from the rules by `./popcandy contents`; a test compares. A cell names the state that a command leads to; in an
empty one it is refused, with a code that `problems.md` explains, or changes nothing where it is so already. Who may
give a command, and until when, the doors and their rules say.
"""


class Life(NamedTuple):
    """A thing with states: what each command makes of it, by where it stands."""

    title: Title
    states: tuple[str, ...]
    commands: tuple[StrEnum, ...]
    table: Mapping[tuple[str, str], str]


def _life(title: Title, states: type[S], commands: type[C], table: Mapping[tuple[S, C], S]) -> Life:
    told = {(str(state), str(command)): str(after) for (state, command), after in table.items()}
    return Life(title, tuple(states), tuple(commands), told)


def _claims() -> Life:
    """Claims have a second axis: why one waits for a reviewer."""
    names = {key: f"{key[0]} ({key[1]})" if key[1] else str(key[0]) for key in claims.TRANSITIONS}
    ends = tuple(state for state in claims.State if (state, None) not in claims.TRANSITIONS)
    table = {
        (names[key], str(command)): str(after)
        for key, following in claims.TRANSITIONS.items()
        for command, after in following.items()
    }
    states = (*names.values(), *(str(state) for state in ends if str(state) not in names.values()))
    return Life(Title(zh="补签申请", en="Claims"), states, tuple(claims.Command), table)


LIVES = (
    _life(Title(zh="招募轮次", en="Rounds"), rounds.State, rounds.Command, rounds.TRANSITIONS),
    _life(Title(zh="活动方案", en="Proposals"), proposals.State, proposals.Command, proposals.TRANSITIONS),
    _life(Title(zh="场次", en="Shifts"), shifts.ShiftState, shifts.ShiftCommand, shifts.TRANSITIONS),
    _life(Title(zh="报名", en="Sign-ups"), sign_ups.State, sign_ups.Command, sign_ups.TRANSITIONS),
    _life(Title(zh="签到记录", en="Attendance"), attendance.State, attendance.Command, attendance.TRANSITIONS),
    _claims(),
    _life(Title(zh="交付物", en="Deliverables"), deliverables.State, deliverables.Command, deliverables.TRANSITIONS),
    _life(Title(zh="物料包", en="Kits"), kits.State, kits.Command, kits.TRANSITIONS),
    _life(Title(zh="物料费用申报", en="Kit costs"), kit_costs.State, kit_costs.Command, kit_costs.TRANSITIONS),
)


def page() -> str:
    """Return the page as the rules have it now."""
    return "\n".join([HEAD, *(line for life in LIVES for line in _section(life))])


def write() -> str:
    """Write the page; return where."""
    PAGE.write_text(page(), "utf-8")
    return str(PAGE.relative_to(PAGE.parents[1]))


def _section(life: Life) -> Iterator[str]:
    yield f"## {life.title.zh} · {life.title.en}\n"
    yield f"| | {' | '.join(f'`{command}`' for command in life.commands)} |"
    yield f"|---|{'---|' * len(life.commands)}"
    for state in life.states:
        cells = (life.table.get((state, command), "") for command in life.commands)
        yield f"| `{state}` | {' | '.join(cells)} |"
    yield ""
