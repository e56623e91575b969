"""`./popcandy demo`: a whole synthetic season on a fresh platform, and the figures that come of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from launch import report
from launch.client import Api
from launch.embedded import EmbeddedPlatform
from launch.oidc.records import of_season
from launch.season.access import Doors
from launch.season.doors import STEPS, Tell, bring_in
from launch.season.facts import SyntheticSeason
from launch.season.file import read_season
from launch.season.synthesis import synthesise
from shared import clock
from shared.errors import Hindrance
from shared.roles import Role


class NoSeasonFile(Hindrance):
    """The season file cannot be read."""


@dataclass(frozen=True)
class Plan:
    """A season that is consistent and synthesised, and not yet brought in anywhere."""

    name: str
    zone: ZoneInfo
    season: SyntheticSeason


def plan(path: Path) -> Plan:
    """Read a season file and synthesise its season. Raises NoSeasonFile, BadSeason."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NoSeasonFile(f"cannot read {path}: {error}") from error
    season = read_season(text, name=path.name)
    return Plan(season.reported.season.programme, season.zone, synthesise(season))


def play(platform: EmbeddedPlatform, plan: Plan, api_url: str, *, to: Console) -> report.Figures:
    """Bring a season in through the doors of a running platform and return what comes of it."""
    with Api(api_url) as api:
        try:
            with _progress(to) as tell:
                doors = Doors(platform, api, plan.zone)
                bring_in(doors, plan.season, tell)
        finally:
            clock.come_back()
        platform.provider.people.settle(of_season(api, doors.token))
        tokens = report.Tokens(auditor=platform.token(Role.AUDITOR), ops=platform.token(Role.OPS))
        return report.figures(api, tokens)


@contextmanager
def _progress(to: Console) -> Iterator[Tell]:
    """Show a bar on a terminal, and nothing elsewhere."""
    columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=to, disable=not to.is_terminal, transient=True) as bar:
        task = bar.add_task("start", total=STEPS)

        def tell(what: str) -> None:
            bar.update(task, description=what, advance=1)

        yield tell
