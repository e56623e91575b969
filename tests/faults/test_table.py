"""The table of faults says what the tests show, and they show all of it."""

import subprocess
import sys

import pytest

from tests.faults.processes import ROOT
from tests.faults.table import read


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """Collect the tests in a process of its own, for pytest cannot do so while it runs."""
    command = [sys.executable, "-m", "tests.faults.table", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  Ours.
    assert done.returncode in {0, 1}, done.stderr
    assert not done.stderr
    return done.stdout.splitlines()


def test_the_document_is_as_the_tests_are(complaints: list[str]) -> None:
    """Who adds a fault test has it in docs/faults.md."""
    assert [line for line in complaints if line.startswith("docs/")] == []


def test_every_fault_is_shown_over_every_transport_it_names(complaints: list[str]) -> None:
    """None of PITFALLS.md's fault tests is missing."""
    assert [line for line in complaints if line.startswith("no test")] == []


@pytest.mark.parametrize(
    ("docstring", "numbers", "promise"),
    [
        ("F9: it comes again.", ["F9"], "it comes again."),
        ("F6, F24: refused.\n\nMore.", ["F6", "F24"], "refused."),
        ("F16, PITFALLS.md O7: in order.", ["F16"], "in order."),
        ("As F9 says: no.", [], ""),
        ("F9 is not meant.", [], ""),
        ("Fewer: no.", [], ""),
        (None, [], ""),
    ],
)
def test_numbers_are_read_from_the_beginning_of_a_docstring(
    docstring: str | None, numbers: list[str], promise: str
) -> None:
    """A fault that is only spoken of is not shown."""
    assert read(docstring) == (numbers, promise)
