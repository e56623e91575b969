"""What runs side by side: repetition by repetition, each contender in turn, in another order each time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.figures import Spread


@dataclass(frozen=True, slots=True)
class Run:
    """What one contender did once: units a second, processor microseconds a unit by process, whether all was right."""

    rate: float
    cpu: Mapping[str, float] = field(default_factory=dict)
    is_exact: bool = True


Contender = Callable[[], Run]


def compete(contenders: Mapping[str, Contender], *, repeat: int, say: Callable[[str], None]) -> dict[str, list[Run]]:
    """Run each so many times, interleaved, and return what they did by name."""
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(repeat):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            run = contenders[name]()
            runs[name].append(run)
            say(f"{number + 1}/{repeat} {name}: {run.rate:,.0f}/s{'' if run.is_exact else ', WRONG TOTALS'}")
    return runs


def rates(runs: Sequence[Run]) -> list[float]:
    return [run.rate for run in runs]


def told(runs: Sequence[Run]) -> dict[str, Any]:
    """Say what one contender did in all repetitions."""
    processes = runs[0].cpu
    return {
        "per_second": Spread.of(rates(runs)).as_json(),
        "cpu_us": {name: Spread.of([run.cpu[name] for run in runs]).as_json() for name in processes},
        "totals_exact": all(run.is_exact for run in runs),
    }
