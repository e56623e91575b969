"""Tasks and timers of the services: each is done by somebody, and says under which limits."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from launch.services import SERVICES
from tests.architecture.sources import nodes, place

LIMITS = {
    "bus.work": {"max_retries", "time_limit_ms", "backoff_seconds"},
    "bus.every": {"tz", "missed", "max_retries", "time_limit_ms"},
}
DECLARED = "bus.Task"


def unlimited(code: Iterable[tuple[Path, ast.AST]]) -> Iterator[str]:
    """Return each declaration of work that does not state all its limits by name, where it stands."""
    for module, call in ((module, node) for module, node in code if isinstance(node, ast.Call)):
        if LIMITS.get(ast.unparse(call.func), set()) - {keyword.arg for keyword in call.keywords}:
            yield place(module, call)


def declared(code: Iterable[tuple[Path, ast.AST]]) -> Iterator[str]:
    """Return the name of each task that is declared."""
    for _, node in code:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == DECLARED:
            yield str(ast.literal_eval(node.args[0]))


def test_each_task_and_timer_states_its_limits() -> None:
    """Where a reader sees them, not in a default or a dictionary (PITFALLS D9)."""
    assert list(unlimited(nodes("services"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "bus.work(a, max_retries=5, time_limit_ms=1)",
        "bus.work(a, **LIMITS)",
        "bus.every('* * * * *', tz='UTC', max_retries=1, time_limit_ms=1)",
    ],
)
def test_a_missing_limit_is_noticed(line: str) -> None:
    """Or the test above would prove nothing as long as no service has work."""
    assert list(unlimited((Path("x.py"), node) for node in ast.walk(ast.parse(line)))) == ["x.py:1"]


def test_each_declared_task_is_done_by_its_service() -> None:
    """What nobody does would wait for a day and then be a dead letter."""
    done = {work.task.name for service in SERVICES for work in service.works}

    assert set(declared(nodes("services"))) <= done


def test_work_is_named_for_its_service() -> None:
    """A run's name says whose it is, and two services never share a timer."""
    for service in SERVICES:
        assert all(work.task.name.startswith(f"{service.name}.") for work in service.works), service.name
