"""`./popcandy bench NAME`: measure, say what came out, and keep it for the page."""

import json
from typing import Annotated, Protocol

import typer

from shared.telemetry import configure_logging
from tests.bench import chain, check_in, latency, ledger, machine, page, relay, season, start
from tests.bench.places import Places, places
from tests.bench.reports import Report, Say


class Benchmark(Protocol):
    def __call__(self, places: Places, *, repeat: int, say: Say) -> Report: ...


BENCHMARKS: dict[str, Benchmark] = {
    "chain": chain.measure,
    "check-in": check_in.measure,
    "latency": latency.measure,
    "ledger": ledger.measure,
    "relay": relay.measure,
    "season": season.measure,
    "start": start.measure,
}


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(BENCHMARKS)}.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    to_page: Annotated[bool, typer.Option("--page", help="Write the table into docs/performance.md.")] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Repetitions; each runs every contender once.")] = 3,
) -> None:
    """Measure Popcandy, its peers and the bound side by side, on servers of this run's own."""
    if name not in BENCHMARKS:
        raise typer.BadParameter(f"{name} is none of {', '.join(BENCHMARKS)}", param_hint="NAME")
    configure_logging(level="error")
    with places() as found:
        on = machine.described(found)
        report = BENCHMARKS[name](found, repeat=repeat, say=lambda line: typer.echo(line, err=True))
    told = report.as_json(on)
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else page.section(told))
    if to_page:
        page.write(told)


if __name__ == "__main__":
    typer.run(main)
