import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.launch.commands import Terminal
from tests.launch.season.seasons import Figures
from tests.servers.postgres import open_folder

SPRING = Figures(
    first_round=date(2023, 3, 6),
    reporting_date=date(2023, 5, 1),
    rounds=8,
    opened=(date(2023, 3, 1),),
    signed=(3,),
    carried_over=2,
    held=8,
    off=4,
    rejected=3,
    participations=30,
    charity_hours=Decimal(55),
)


@dataclass(frozen=True)
class Played:
    """A platform on which a small season was played, and which was stopped; what the demo printed of it."""

    folder: Path
    season: Figures
    facts: dict[str, Any]


@pytest.fixture(scope="session")
def terminal() -> Iterator[Terminal]:
    with open_folder() as home:
        yield Terminal(home)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a platform, which is not there yet."""
    with open_folder() as parent:
        yield parent / "platform"


@pytest.fixture(scope="session")
def played(terminal: Terminal) -> Iterator[Played]:
    with open_folder() as parent:
        file = parent / "spring.toml"
        file.write_text(SPRING.text)
        ran = terminal.run("demo", "--season", file, "--data", parent / "platform", "--exit", "--json")
        assert ran.code == 0, ran.err
        yield Played(parent / "platform", SPRING, json.loads(ran.out))
