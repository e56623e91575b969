"""docs/performance.md: a section for each benchmark, written from a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def section(told: Mapping[str, Any]) -> str:
    """Write what a benchmark told as two tables: its figures beside their goals, and what each contender did."""
    lines = ["| figure | minimum | median | maximum | goal | met |", "|---|--:|--:|--:|---|---|"]
    for name, figure in told["figures"].items():
        spread = " | ".join(_number(figure[each]) for each in ("minimum", "median", "maximum"))
        met = {True: "yes", False: "**no**"}.get(figure.get("met"), "")
        lines.append(f"| `{name}` | {spread} | {figure.get('goal', '')} | {met} |")
    for note in told["notes"]:
        lines += ["", note]
    if told["contenders"]:
        lines += ["", "| contender | a second (median) | CPU µs a unit (median) | totals |", "|---|--:|---|---|"]
    for name, did in told["contenders"].items():
        cpu = ", ".join(f"{process} {_number(spread['median'])}" for process, spread in did["cpu_us"].items())
        exact = "exact" if did["totals_exact"] else "**wrong**"
        lines.append(f"| {name} | {_number(did['per_second']['median'])} | {cpu} | {exact} |")
    on = told["machine"]
    lines += [
        "",
        f"{on['on']}, {on['commit']}: {on['cores']} cores ({on['processor']}), {on['memory_gib']} GiB.",
        f"{on['system']}, Python {on['python']}, PostgreSQL {on['postgresql']}, RabbitMQ {on['rabbitmq']}.",
    ]
    return "\n".join(lines)


def write(told: Mapping[str, Any]) -> None:
    """Put the section between its marks on the page; what stands around them was written by hand and stays.

    Raises ValueError if the page has no such marks.
    """
    begin, end = (f"<!-- {edge} {told['benchmark']} -->" for edge in ("begin", "end"))
    before, found, rest = PAGE.read_text().partition(begin)
    if not found:
        raise ValueError(f"{PAGE.name} has no place for it: {begin}")
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n{section(told)}\n{end}{after}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:g}"
