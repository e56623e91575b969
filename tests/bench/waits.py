"""How long finance waits for an old ledger beside a young one, question by question."""

from collections.abc import Mapping, Sequence

from tests.bench.figures import Figure, Goal, Spread, ratio, rounded

SLOWER = Goal(1.5, is_ceiling=True)
WORST = "worst_query"

Waits = Mapping[str, tuple[float, float]]  # The seconds of each question, asked of the young and of the old ledger.


def figures(repetitions: Sequence[Waits]) -> list[Figure]:
    """Say how much longer each takes, the worst of each repetition first."""
    each = [_figure(name, repetitions) for name in repetitions[0]]
    worst = [max(old / young for young, old in waits.values()) for waits in repetitions]
    return [Figure(WORST, Spread.of(worst), SLOWER), *each]


def note(repetitions: Sequence[Waits]) -> str:
    """Name the worst, and say what people wait for it."""
    worst = max((_figure(name, repetitions) for name in repetitions[0]), key=lambda figure: figure.value)
    young, old = (Spread.of([1_000 * waits[worst.name][place] for waits in repetitions]) for place in (0, 1))
    return f"Worst query: `{worst.name}`, {_range(young)} ms of a young ledger, {_range(old)} ms of an old one."


def in_milliseconds(repetitions: Sequence[Waits]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the times themselves."""
    return {
        name: {
            age: Spread.of([1_000 * waits[name][place] for waits in repetitions]).as_json()
            for place, age in enumerate(("young", "old"))
        }
        for name in repetitions[0]
    }


def _range(spread: Spread) -> str:
    least, most = (f"{rounded(value):g}" for value in (spread.minimum, spread.maximum))
    return least if least == most else f"{least} to {most}"


def _figure(name: str, repetitions: Sequence[Waits]) -> Figure:
    young, old = zip(*(waits[name] for waits in repetitions), strict=True)
    return ratio(name, old, young, SLOWER)
