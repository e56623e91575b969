"""The page of figures: a section of each benchmark is replaced, and what people wrote stays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bench import page
from tests.bench.contenders import Run
from tests.bench.figures import Figure, Goal, Spread
from tests.bench.reports import Report

MACHINE = {
    "on": "2026-11-26", "commit": "abc", "cores": 2, "processor": "Some", "memory_gib": 24, "system": "Linux",
    "python": "3.11", "postgresql": "18", "rabbitmq": "3.10",
}  # fmt: skip


def told(name: str, value: float, *, is_exact: bool = True) -> Mapping[str, Any]:
    runs = {"ours": [Run(value, {"python": 45.0}, is_exact)]}
    return Report(name, runs, [Figure("ratio", Spread.of([value]), Goal(2))]).as_json(MACHINE)


@pytest.fixture
def on_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "performance.md"
    path.write_text("# Ours\n\n<!-- begin ledger -->\nold\n<!-- end ledger -->\n\nBy hand.\n")
    monkeypatch.setattr(page, "PAGE", path)
    return path


def test_a_section_is_replaced_and_the_rest_stays(on_paper: Path) -> None:
    """A run of one benchmark says nothing about another."""
    page.write(told("ledger", 3))
    page.write(told("ledger", 4))
    found = on_paper.read_text()

    assert found.startswith("# Ours\n\n<!-- begin ledger -->\n")
    assert found.endswith("<!-- end ledger -->\n\nBy hand.\n")
    assert found.count("| `ratio` | 4 | 4 | 4 | ≥ 2 (worst) | yes |") == 1
    assert "old" not in found


def test_a_benchmark_that_has_no_place_on_the_page_is_refused(on_paper: Path) -> None:
    """Rather than written after everything else."""
    with pytest.raises(ValueError, match="begin relay"):
        page.write(told("relay", 3))
    assert on_paper.read_text().endswith("By hand.\n")


def test_what_was_missed_or_wrong_is_plain_to_see() -> None:
    """A figure of wrong totals is worth nothing."""
    shown = page.section(told("ledger", 1, is_exact=False))

    assert "| ≥ 2 (worst) | **no** |" in shown
    assert "**wrong**" in shown


def test_a_machine_reads_each_figure_by_its_name() -> None:
    """`ratio` is the figure that counts, and `totals_exact` says whether any does."""
    found = told("ledger", 3, is_exact=False)

    assert (found["ratio"], found["totals_exact"], found["figures"]["ratio"]["met"]) == (3, False, True)
