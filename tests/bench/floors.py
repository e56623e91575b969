"""Floors under a few ratios, so wide that a loaded machine does not reach them and a bad mistake does.

Each is about half of what was measured when it was set. They are no goals: those stand with the benchmarks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tests.bench.figures import Goal, rounded
from tests.bench.reports import Report

Floors = Mapping[str, Mapping[str, float]]

FLOORS: Floors = {
    "ledger": {"ratio_to_dramatiq_statement": 5, "ratio_to_copy_bound": 0.25},
    "relay": {"ratio_to_publish_only": 0.25},
    "check-in": {"ratio_to_fastapi_orm": 1.5},
}


def above(reports: Sequence[Report], floors: Floors = FLOORS) -> Report:
    """Put several benchmarks into one report of the figures that have a floor. Raises KeyError if one is missing."""
    figures = []
    for report in reports:
        found = {figure.name: figure for figure in report.figures}
        for name, bound in floors[report.name].items():
            figures.append(replace(found[name], name=f"{report.name} {name}", goal=Goal(bound)))
    runs = {f"{report.name} {name}": each for report in reports for name, each in report.runs.items()}
    return Report("quick", runs, figures)


def lines(report: Report) -> Iterator[str]:
    """Say each ratio and its floor."""
    for figure in report.figures:
        yield f"{figure.name}: {rounded(figure.value):g} (floor: {figure.goal})"


def failures(report: Report) -> Iterator[str]:
    """Say what is not as it should be; nothing if all is well."""
    for figure in report.figures:
        if figure.goal is not None and not figure.goal.is_met(figure.spread):
            yield f"{figure.name} is {rounded(figure.value):g}, below its floor: {figure.goal}"
    for name, runs in report.runs.items():
        if not all(run.is_exact for run in runs):
            yield f"{name} came to wrong totals"
