"""`python -m tests.faults.table` writes docs/faults.md: which test shows which fault, over which transport.

It asks pytest for its tests, runs none, and reads the faults' numbers from their docstrings.
"""

import contextlib
import io
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS, Fault, On

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "faults.md"
HEAD = """\
# Faults

What may go wrong between a fact and its effect, what holds all the same, and the tests that show it. The oracle is the
same everywhere: *sum of the ledger = sum of the facts, each fact once, no row left open.*

`./popcandy test -- tests/faults` runs most of them, `./popcandy test -m cluster` those that want three nodes.
This file is made by `python -m tests.faults.table` from the docstrings of the tests; a test compares.
"""
APART = "without a broker"
_NUMBERS = re.compile(r"F\d+\b")
_ONLY_RABBIT = {"rabbitmq", "rabbit", "cluster", "node"}  # Fixtures and markers.
_ONLY_POSTGRES = {"platform"}


@dataclass
class Shown:
    """One test that shows faults, and where."""

    name: str
    promise: str
    transports: set[str] = field(default_factory=set)


class Collected:
    """A plugin that takes away what pytest has found, so that no server is started for it."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.items, items[:] = list(items), []


def collect() -> list[pytest.Item]:
    """Return every test there is. Raises RuntimeError if they cannot be imported."""
    found = Collected()
    arguments = ["--collect-only", "-qq", "-p", "no:randomly", "-p", "no:cacheprovider", "-m", "", f"--rootdir={ROOT}"]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main([*arguments, str(ROOT / "tests")], plugins=[found])
    if code != pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(f"pytest cannot collect the tests: {said.getvalue()[-2000:]}")
    return found.items


def shown_by(items: Iterable[pytest.Item]) -> dict[str, list[Shown]]:
    """Return the tests of each fault, by its number."""
    shown: dict[str, dict[str, Shown]] = {}
    for item in items:
        numbers, promise = read(getattr(getattr(item, "obj", None), "__doc__", None))
        name = item.nodeid.partition("[")[0]
        for number in numbers:
            test = shown.setdefault(number, {}).setdefault(name, Shown(name, promise))
            test.transports.add(transport_of(item))
    return {number: [tests[name] for name in sorted(tests)] for number, tests in shown.items()}


def read(docstring: str | None) -> tuple[list[str], str]:
    """Part a docstring like `F6, F8: the row stays.` into numbers and the first line of its promise."""
    codes, colon, promise = (docstring or "").partition(": ")
    if not colon or not re.match(r"F\d+\b", codes):
        return [], ""
    return _NUMBERS.findall(codes), promise.strip().splitlines()[0]


def transport_of(item: pytest.Item) -> str:
    """Say over which transport a test runs, by its parameters, fixtures and markers."""
    callspec = getattr(item, "callspec", None)
    chosen = {str(value) for value in callspec.params.values()} if callspec is not None else set()
    named = {*getattr(item, "fixturenames", ()), *(marker.name for marker in item.iter_markers())}
    for transport in ("memory", *On):
        if transport in chosen:
            return str(transport)
    if named & _ONLY_RABBIT:
        return On.RABBIT
    return On.POSTGRES if named & _ONLY_POSTGRES else APART


def missing(shown: dict[str, list[Shown]]) -> list[str]:
    """Name each fault and transport that no test shows."""
    gaps = []
    for fault in FAULTS:
        seen = {transport for test in shown.get(fault.number, []) for transport in test.transports}
        gaps += [
            f"no test shows {fault.number} on {on}"
            for on in fault.transports
            if not (on in seen or (fault.apart and APART in seen))
        ]
    return gaps


def written(shown: dict[str, list[Shown]]) -> str:
    """Write the document."""
    rows = [
        f"| {fault.number} | {', '.join(fault.transports)} | {fault.what} | {fault.must_hold} |" for fault in FAULTS
    ]
    table = ["| # | over | fault | what holds |", "|---|---|---|---|", *rows]
    return "\n".join([HEAD, *table, "", *(_section(fault, shown.get(fault.number, [])) for fault in FAULTS)])


def _section(fault: Fault, tests: list[Shown]) -> str:
    lines = [
        f"- `{test.name.removeprefix('tests/')}` ({', '.join(sorted(test.transports))}): {test.promise}"
        for test in tests
    ]
    return "\n".join([f"## {fault.number}: {fault.what}", "", *(lines or ["No test yet."]), ""])


def main() -> int:
    """Write the file, or with `--check` compare it; say what is not shown by any test, which is a failure."""
    shown = shown_by(collect())
    text, complaints = written(shown), missing(shown)
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
    elif text != FILE.read_text(encoding="utf-8"):
        complaints.append("docs/faults.md is not as the tests are: python -m tests.faults.table")
    sys.stdout.writelines(f"{complaint}\n" for complaint in complaints)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
