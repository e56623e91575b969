"""`./popcandy bench NAME`: measure, say what came out, and keep it for the page."""

import json
from typing import Annotated, Protocol

import typer

from shared.telemetry import configure_logging
from tests.bench import (
    boards,
    chain,
    check_in,
    floors,
    growth,
    latency,
    ledger,
    machine,
    page,
    quick,
    relay,
    season,
    sign_up,
    start,
)
from tests.bench.places import Places, places
from tests.bench.reports import Report, Say


class Benchmark(Protocol):
    def __call__(self, places: Places, *, repeat: int, say: Say) -> Report: ...


BENCHMARKS: dict[str, Benchmark] = {
    "boards": boards.measure,
    "chain": chain.measure,
    "check-in": check_in.measure,
    "growth": growth.measure,
    "latency": latency.measure,
    "ledger": ledger.measure,
    "quick": quick.measure,
    "relay": relay.measure,
    "season": season.measure,
    "sign-up": sign_up.measure,
    "start": start.measure,
}
QUICK = "quick"  # It has floors instead of goals and a page.


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(BENCHMARKS)}.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    to_page: Annotated[bool, typer.Option("--page", help="Write the table into docs/performance.md.")] = False,
    repeat: Annotated[
        int | None, typer.Option(min=1, help="Repetitions; each runs every contender once. 3, of quick 1, if not said.")
    ] = None,
) -> None:
    """Measure Popcandy, its peers and the bound side by side, on servers of this run's own."""
    if name not in BENCHMARKS:
        raise typer.BadParameter(f"{name} is none of {', '.join(BENCHMARKS)}", param_hint="NAME")
    if to_page and name == QUICK:
        raise typer.BadParameter(f"{QUICK} is too small for the page", param_hint="--page")
    configure_logging(level="error")
    with places() as found:
        on = machine.described(found)
        report = BENCHMARKS[name](
            found, repeat=repeat or (1 if name == QUICK else 3), say=lambda line: typer.echo(line, err=True)
        )
    told = report.as_json(on)
    shown = "\n".join(floors.lines(report)) if name == QUICK else page.section(told)
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else shown)
    if to_page:
        page.write(told)
    if name == QUICK:
        _require_floors(report)


def _require_floors(report: Report) -> None:
    """Say what is below its floor, and end with 1 if anything is."""
    failures = list(floors.failures(report))
    for failure in failures:
        typer.echo(failure, err=True)
    if failures:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
