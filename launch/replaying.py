"""Watching replays from the command line until they are over."""

import sys
import time
from collections.abc import Iterable, Mapping
from threading import Event
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from launch.asking import print_json, print_rows
from launch.reach import Reached
from shared.errors import Hindrance

LOOK_SECONDS = 0.3
STILL_SECONDS = 60.0
COUNTED = ("total", "replayed", "failed", "skipped", "left")


class Stands(Hindrance):
    """A replay does not move."""


def until_over(way: Reached, orders: Mapping[str, Any]) -> dict[str, Any]:
    """Wait until each letter was tried, shown on a terminal; return the replays as they ended, by service.

    Raises Stands when none has moved for a minute: the replay stays, and goes on when somebody carries it out.
    """
    found, left, moved_at = dict(orders), _left(orders), time.monotonic()
    with _progress() as bar:
        task = bar.add_task("replay", total=left)
        while any(each["finished_at"] is None for each in found.values()):
            Event().wait(LOOK_SECONDS)
            for name, each in orders.items():
                found[name] = way.api.get(f"/api/{name}/replays/{each['id']}", token=way.token)
            if _left(found) < left:
                left, moved_at = _left(found), time.monotonic()
            if time.monotonic() - moved_at > STILL_SECONDS:
                raise Stands(f"no letter was tried for {STILL_SECONDS:.0f} s: does a process with role consumer run?")
            bar.update(task, completed=_left(orders) - left)
    return found


def tell(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print replays; exit code 1 if letters failed again."""
    if as_json:
        print_json(found)
    else:
        print_replays(found.items())
    if any(each["failed"] for each in found.values()):
        raise typer.Exit(1)


def print_replays(found: Iterable[tuple[str, Any]]) -> None:
    """Print replays as a table."""
    rows = [
        (name, each["id"], *(str(each[number]) for number in COUNTED), each["why"][:60]) for name, each in found
    ]  # fmt: skip
    print_rows("replays", ("service", "replay", *COUNTED, "why"), rows)


def _left(found: Mapping[str, Any]) -> int:
    return sum(each["left"] for each in found.values())


def _progress() -> Progress:
    columns = (TextColumn("replayed"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
