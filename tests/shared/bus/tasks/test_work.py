"""`work`: a function's limits and the reading of its arguments."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from shared import bus
from shared.bus.tasks.work import MismatchedArguments
from tests.shared.bus.tasks.probing import SEND, doing

LIMITS: dict[str, Any] = {"max_retries": 5, "time_limit_ms": 20_000, "backoff_seconds": 2}


def report(job: bus.Job, until: datetime, on: date, name: str, copies: int = 1, to: UUID | None = None) -> None:
    """Take one argument of each kind."""


@pytest.mark.parametrize(
    "limits",
    [
        {"max_retries": 0, "time_limit_ms": 1, "backoff_seconds": 0.001},
        {"max_retries": 50, "time_limit_ms": 1_500_000, "backoff_seconds": 600},
    ],
)
def test_limits_within_bounds_are_taken(limits: dict[str, Any]) -> None:
    """Both ends of each belong to it."""
    work = bus.work(SEND, **limits)(report)

    assert (work.max_retries, work.time_limit_ms, work.backoff_seconds) == tuple(limits.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_retries": -1},
        {"max_retries": 51},
        {"time_limit_ms": 0},
        {"time_limit_ms": 1_500_001},
        {"backoff_seconds": 0},
        {"backoff_seconds": 600.1},
    ],
)
def test_limits_out_of_bounds_fail_at_import(wrong: dict[str, Any]) -> None:
    """Nobody waits eleven minutes for a retry, or half an hour for a function, by a slip of the keyboard."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        bus.work(SEND, **LIMITS | wrong)


@pytest.mark.parametrize("missing", LIMITS)
def test_each_limit_is_stated(missing: str) -> None:
    """There are no defaults, for there is no limit that suits a mail and a report (PITFALLS D9)."""
    with pytest.raises(TypeError, match=missing):
        bus.work(SEND, **{name: value for name, value in LIMITS.items() if name != missing})


def test_arguments_are_read_by_annotation() -> None:
    """Optional ones may be missing: a release that adds one does what the release before has asked for."""
    work = bus.work(SEND, **LIMITS)(report)
    until, on = datetime(2031, 3, 4, 1, tzinfo=UTC), date(2031, 3, 4)

    assert work.decoded('["2031-03-04T09:00:00+08:00", "2031-03-04", "a"]') == [until, on, "a"]
    assert work.decoded(f'["2031-03-04T01:00:00Z", "2031-03-04", "a", 2, "{UUID(int=7)}"]') == [
        until, on, "a", 2, UUID(int=7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        '["2031-03-04T09:00:00Z", "2031-03-04"]',
        '["2031-03-04T09:00:00Z", "2031-03-04", "a", 1, null, 5]',
        '["soon", "2031-03-04", "a"]',
        '["2031-03-04T09:00:00Z", "2031-03-04", 5]',
        '["2031-03-04T09:00:00Z", "2031-03-04", "a", "1"]',
    ],
)
def test_arguments_that_do_not_fit_are_not_bent(arguments: str) -> None:
    """What was asked for is not what would be done."""
    with pytest.raises(MismatchedArguments, match=r"probe\.send_letter"):
        bus.work(SEND, **LIMITS)(report).decoded(arguments)


def test_what_was_sent_is_not_in_the_message_of_a_mismatch() -> None:
    """It may be somebody's address."""
    with pytest.raises(MismatchedArguments) as found:
        doing().decoded('["chen@example.org"]')

    assert "chen" not in str(found.value)


def test_a_parameter_without_a_type_fails_at_import() -> None:
    """Nobody could read its argument."""

    def vague(job: bus.Job, what) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  That is the point.
        """Take anything."""

    def many(job: bus.Job, *what: str) -> None:
        """Take any number."""

    for function in (vague, many):
        with pytest.raises(TypeError, match="what needs a type"):
            bus.work(SEND, **LIMITS)(function)
