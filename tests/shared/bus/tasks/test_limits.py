"""Time limits strike in the middle of a function and never behind it; leases live as long as their holder."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from shared.bus.tasks import runs
from shared.bus.tasks.limits import Interrupted, Leases, Limits, Stopped, TimeLimitExceeded
from shared.database.sessions import Database
from tests.shared.bus.running import Owner, running
from tests.shared.bus.tasks.probing import ask, run_of
from tests.waiting import until

_never = threading.Event()


def spin(seconds: float) -> None:
    """Run Python code for a while, as work does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _never.wait(0.005)


@pytest.fixture
def limits() -> Iterator[Limits]:
    watching = Limits()
    with running(watching.run):
        yield watching


def test_what_is_quick_is_left_alone(limits: Limits) -> None:
    """Thousands of short functions in one thread, and no strike goes astray."""
    for _ in range(2_000):
        with limits.within(60_000):
            pass
    spin(0.3)


def test_what_is_slow_is_struck_soon_after_its_limit(limits: Limits) -> None:
    """Not before it."""
    begun = time.monotonic()
    with pytest.raises(TimeLimitExceeded), limits.within(200):
        spin(20)

    assert 0.2 <= time.monotonic() - begun < 5


def test_no_strike_falls_behind_the_block(limits: Limits) -> None:
    """What ends when its limit does is either interrupted within, or not at all: no outcome is struck."""
    struck = 0
    for number in range(60):
        try:
            with limits.within(20):
                spin(0.02 + 0.005 * (number % 20))
        except TimeLimitExceeded:
            struck += 1
        for _step in range(200):  # A strike that goes astray would be raised here.
            _never.wait(0)

    assert 0 < struck < 60


def test_a_function_that_swallows_the_strike_has_failed_all_the_same(limits: Limits) -> None:
    """Its limit was broken, whatever it makes of that."""

    def stubborn() -> None:
        try:
            spin(20)
        except Interrupted:
            return

    with pytest.raises(TimeLimitExceeded), limits.within(100):
        stubborn()


def test_threads_have_their_own_limits(limits: Limits) -> None:
    """One is struck, its neighbour goes on."""
    ended: dict[int, str] = {}

    def work(milliseconds: int) -> None:
        try:
            with limits.within(milliseconds):
                spin(1)
        except TimeLimitExceeded:
            ended[milliseconds] = "struck"
        else:
            ended[milliseconds] = "done"

    with running(lambda _stop: work(100), lambda _stop: work(20_000)):
        until(lambda: len(ended) == 2, timeout=20, missing="both ends")

    assert ended == {100: "struck", 20_000: "done"}


def test_at_the_end_of_the_process_nobody_has_more_than_the_rest(limits: Limits) -> None:
    """Neither who is at work then nor who begins later; who would be through by then is not touched."""
    outcomes: dict[str, type[BaseException] | None] = {}
    begun = threading.Barrier(3)

    def work(name: str, milliseconds: int, seconds: float) -> None:
        try:
            with limits.within(milliseconds):
                begun.wait(20)
                spin(seconds)
        except Interrupted as struck:
            outcomes[name] = type(struck)
        else:
            outcomes[name] = None

    with running(lambda _stop: work("long", 60_000, 20), lambda _stop: work("short", 60_000, 0.05)):
        begun.wait(20)
        limits.end_within(0.3)
        until(lambda: len(outcomes) == 2, timeout=20, missing="both ends")
    assert outcomes == {"long": Stopped, "short": None}

    with pytest.raises(Stopped), limits.within(60_000):
        spin(20)


def test_a_lease_outlives_its_first_term(working: Database, owner: Owner) -> None:
    """As long as its holder is at it, and no longer (F13)."""
    run_id, leases = ask(working, uuid4()), Leases(working, seconds=0.4)
    with working.transaction() as tx:
        held = runs.take(tx, run_id, known=["probe.send_letter"], seconds=0.4)
    assert held is not None

    with running(leases.run):
        with leases.held(held.lease, limit_ms=60_000):
            spin(1.5)
            assert not is_expired(owner)
        until(lambda: is_expired(owner), timeout=20, missing="the end of the lease")
    assert run_of(owner, run_id).state == "running"


def test_a_lease_is_not_renewed_for_a_thread_that_hangs(working: Database, owner: Owner) -> None:
    """Half a minute beyond its limit another may try: no limit breaks a blocking call (PITFALLS D7)."""
    run_id, leases = ask(working, uuid4()), Leases(working, seconds=0.4)
    with working.transaction() as tx:
        held = runs.take(tx, run_id, known=["probe.send_letter"], seconds=0.4)
    assert held is not None

    with running(leases.run), leases.held(held.lease, limit_ms=-31_000):
        until(lambda: is_expired(owner), timeout=20, missing="the end of the lease")


def test_a_database_that_is_away_ends_no_renewal(working: Database, owner: Owner) -> None:
    """It goes on when the database is back, for as long as nobody else has taken the lease."""
    run_id, leases = ask(working, uuid4()), Leases(working, seconds=0.4)
    with working.transaction() as tx:
        held = runs.take(tx, run_id, known=["probe.send_letter"], seconds=0.4)
    assert held is not None

    with ExitStack() as stack:
        lines = stack.enter_context(capture_logs())
        stack.enter_context(running(leases.run))
        stack.enter_context(leases.held(held.lease, limit_ms=60_000))
        with owner.away():
            until(lambda: "task.leases_not_renewed" in str(lines), timeout=20, missing="a renewal that failed")
        until(lambda: not is_expired(owner), timeout=20, missing="a lease that is alive again")


def is_expired(owner: Owner) -> bool:
    return owner.execute("SELECT lease_until < now() FROM task_run") == [(True,)]
