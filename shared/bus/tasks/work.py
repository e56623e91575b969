"""`work`: the function that does a task, with every limit that it works under."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, get_type_hints

import orjson
from pydantic import TypeAdapter, ValidationError

from shared.bus.tasks.job import Job
from shared.bus.tasks.queueing import Task

P = ParamSpec("P")
MOST_RETRIES = 50
LONGEST_MS = 1_500_000  # 25 min: at 30 min RabbitMQ cuts off who has not acknowledged.
LONGEST_BACKOFF_SECONDS = 600.0


class MismatchedArguments(Exception):
    """The arguments that were queued are not those that the function takes; no retry changes that."""


@dataclass(frozen=True)
class Parameter:
    """One parameter behind the job: how it is read from JSON, and whether it may be missing."""

    adapter: TypeAdapter[Any]
    is_required: bool


@dataclass(frozen=True)
class Work:
    """How one task is done, and its limits: tries after the first, milliseconds a try, seconds to the second try."""

    task: Task
    run: Callable[..., None]
    parameters: tuple[Parameter, ...]
    max_retries: int
    time_limit_ms: int
    backoff_seconds: float

    def __call__(self, job: Job, *arguments: object) -> None:
        """Do it here and now."""
        self.run(job, *arguments)

    def decoded(self, arguments: str) -> Sequence[object]:
        """Read queued arguments as the function's annotations want them. Raises MismatchedArguments."""
        values = orjson.loads(arguments)
        least = sum(parameter.is_required for parameter in self.parameters)
        if not least <= len(values) <= len(self.parameters):
            raise MismatchedArguments(f"{self.task.name} takes {len(self.parameters)} arguments, got {len(values)}")
        try:
            return [
                parameter.adapter.validate_json(orjson.dumps(value), strict=True)
                for parameter, value in zip(self.parameters, values, strict=False)
            ]
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            raise MismatchedArguments(f"{self.task.name}: {problem['msg']}") from None


def work(
    task: Task, *, max_retries: int, time_limit_ms: int, backoff_seconds: float
) -> Callable[[Callable[Concatenate[Job, P], None]], Work]:
    """Say that a function does `task`. It is called with a job and the arguments, and no transaction is open.

    It may be called again after it has succeeded, for the process may end before that is written down. A `Refusal` is
    final; any other failure is tried again up to `max_retries` times, the first time after `backoff_seconds`, doubled
    each time up to ten minutes. Raises ValueError for limits out of bounds, TypeError for a parameter without a type.
    """
    if not 0 <= max_retries <= MOST_RETRIES:
        raise ValueError(f"max_retries: 0 to {MOST_RETRIES}")
    if not 0 < time_limit_ms <= LONGEST_MS:
        raise ValueError(f"time_limit_ms: 1 to {LONGEST_MS}")
    if not 0 < backoff_seconds <= LONGEST_BACKOFF_SECONDS:
        raise ValueError(f"backoff_seconds: above 0, at most {LONGEST_BACKOFF_SECONDS:.0f}")

    def bind(run: Callable[Concatenate[Job, P], None]) -> Work:
        return Work(task, run, _parameters(run), max_retries, time_limit_ms, backoff_seconds)

    return bind


def _parameters(run: Callable[..., None]) -> tuple[Parameter, ...]:
    types = get_type_hints(run)
    _job, *others = inspect.signature(run).parameters.values()
    for other in others:
        if other.name not in types or other.kind is not other.POSITIONAL_OR_KEYWORD:
            raise TypeError(f"{run.__name__}: {other.name} needs a type, and a place of its own")
    return tuple(Parameter(TypeAdapter(types[each.name]), each.default is each.empty) for each in others)
