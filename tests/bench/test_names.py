"""The names of the benchmarks, wherever they are told."""

import re
from pathlib import Path

import pytest

from launch.quality import BENCHMARKS
from tests.bench import page

BENCH = Path(__file__).parent
QUICK = {"quick"}  # It has no place on the page.


@pytest.mark.parametrize(
    ("path", "pattern", "named"),
    [
        (BENCH / "__main__.py", r'^    "([a-z-]+)": \w+\.measure,$', set(BENCHMARKS)),
        (BENCH / "README.md", r"^\| `([a-z-]+)` \|", set(BENCHMARKS)),
        (page.PAGE, r"^<!-- begin ([a-z-]+) -->\n", set(BENCHMARKS) - QUICK),
        (page.PAGE, r"^<!-- end ([a-z-]+) -->\n", set(BENCHMARKS) - QUICK),
    ],
)
def test_every_benchmark_is_named_everywhere(path: Path, pattern: str, named: set[str]) -> None:
    """`./popcandy bench --help` cannot ask the benchmarks themselves, which live in another environment."""
    assert set(re.findall(pattern, path.read_text(), re.MULTILINE)) == named
