"""What a benchmark found: for a program as one JSON object, for a person as a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench import contenders
from tests.bench.contenders import Run
from tests.bench.figures import Figure

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one benchmark, and what each contender did."""

    name: str
    runs: Mapping[str, Sequence[Run]]
    figures: Sequence[Figure]
    notes: Sequence[str] = ()  # What no number says.
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        return all(run.is_exact for runs in self.runs.values() for run in runs)

    def as_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """Each figure by its name, then where that comes from."""
        return {
            "benchmark": self.name,
            **{figure.name: figure.as_json()["value"] for figure in self.figures},
            "totals_exact": self.is_exact,
            "figures": {figure.name: figure.as_json() for figure in self.figures},
            "notes": list(self.notes),
            "contenders": {name: contenders.told(runs) for name, runs in self.runs.items()},
            **self.more,
            "machine": dict(machine),
        }
