"""A process's background threads: they end together, and in sight."""

import threading
from threading import Event as Flag

import pytest
import structlog

from launch.workers import Crew


def patient(stop: Flag) -> None:
    stop.wait(20)


def broken(_stop: Flag) -> None:
    raise LookupError


def leaving(_stop: Flag) -> None:
    return


def exiting(_stop: Flag) -> None:
    raise SystemExit(3)


def test_works_until_it_is_told_to_stop() -> None:
    """Whoever ends the process waits for what is in hand."""
    crew, ended = Crew(), threading.Event()

    def work(stop: Flag) -> None:
        stop.wait(20)
        ended.set()

    crew.start("worker", work)
    crew.finish()
    crew.finish()

    assert ended.is_set()
    assert crew.failed is None


@pytest.mark.parametrize("work", [broken, leaving, exiting])
def test_one_that_ends_early_ends_all(work: object) -> None:
    """A process that lost its relay must not go on as if nothing were; a supervisor starts it anew."""
    crew = Crew()
    crew.start("patient", patient)
    with structlog.testing.capture_logs():
        crew.start("fragile", work)  # type: ignore[arg-type]  # One of the three above.

        assert crew.stop.wait(10)
        crew.finish()
    assert crew.failed == "fragile"


def test_the_first_to_fail_is_named() -> None:
    """The others fail because of it."""
    crew, first_is_over = Crew(), threading.Event()

    def follow(stop: Flag) -> None:
        stop.wait(20)
        first_is_over.set()
        raise LookupError

    with structlog.testing.capture_logs():
        crew.start("follower", follow)
        crew.start("first", broken)
        assert first_is_over.wait(10)
        crew.finish()

    assert crew.failed == "first"
