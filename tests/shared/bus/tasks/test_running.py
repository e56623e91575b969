"""One run from its wake-up to its outcome; what is written down is what happened, whatever that was."""

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from shared import bus
from shared.bus.tasks import runs
from shared.bus.tasks.job import LeaseLost
from shared.bus.tasks.running import Runner
from shared.database.sessions import Database
from tests.shared.bus.running import Owner, running
from tests.shared.bus.tasks.probing import (
    SEND,
    Broken,
    Unwanted,
    ask,
    doing,
    expire,
    graves,
    hasten,
    mails,
    raising,
    run_of,
    send,
)
from tests.waiting import until

TASK = "probe.send_letter"
Work = Callable[[bus.Job, UUID], None]


def waiting(begun: threading.Event, go_on: threading.Event) -> Work:
    """Make work that stops in the middle, until a test lets it go on."""

    def wait(job: bus.Job, letter_id: UUID) -> None:
        begun.set()
        assert go_on.wait(20)
        send(job, letter_id)

    return wait


def spinning(begun: threading.Event) -> Work:
    """Make work that never ends by itself."""

    def spin(_job: bus.Job, _letter_id: UUID) -> None:
        begun.set()
        never = threading.Event()
        while not never.wait(0.01):
            pass

    return spin


def test_a_run_is_done_once(working: Database, owner: Owner) -> None:
    """Woken again, as it may be at any time, it does nothing."""
    letter = uuid4()
    run_id, runner = ask(working, letter), Runner(working, [doing()])

    runner.run(run_id)
    runner.run(run_id)

    assert mails(owner) == [letter]
    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.error, found.is_held) == ("done", 1, None, False)


def test_a_run_that_is_not_there_is_nothing(working: Database, owner: Owner) -> None:
    """Its row may be forgotten by the time a late wake-up comes."""
    Runner(working, [doing()]).run(uuid4())

    assert mails(owner) == []


def test_a_refusal_is_final(working: Database, owner: Owner) -> None:
    """A rule says no tomorrow as well; the first no is a dead letter."""
    run_id = ask(working, uuid4())
    Runner(working, [doing(raising(Unwanted(letters=0)))]).run(run_id)

    found = run_of(owner, run_id)
    assert (found.state, found.attempts) == ("failed", 1)
    assert found.error == "Unwanted: unwanted: Not wanted (letters=0)"
    assert graves(owner) == [("refused", TASK, 1)]


def test_a_failure_is_tried_again_and_then_it_is_over(working: Database, owner: Owner) -> None:
    """With two retries three tries are made, and the last one's error is on the dead letter."""
    letter, programme = uuid4(), uuid4()
    run_id = ask(working, letter, programme_id=programme)
    runner = Runner(working, [doing(raising(Broken("no ink")), max_retries=2)])

    for attempt in (1, 2):
        hasten(owner)
        runner.run(run_id)
        found = run_of(owner, run_id)
        assert (found.state, found.attempts, found.error, found.is_held) == ("queued", attempt, "Broken: no ink", False)
        assert graves(owner) == []
    hasten(owner)
    runner.run(run_id)

    assert run_of(owner, run_id).state == "failed"
    assert graves(owner) == [("failed", TASK, 3)]
    (letter_row,) = owner.execute(
        "SELECT origin, event_id, programme_id, body, exception, stack LIKE '%no ink%' FROM dead_letter"
    )
    assert letter_row == ("task", run_id, programme, f'["{letter}"]'.encode(), "Broken", True)


def test_the_last_retry_may_succeed(working: Database, owner: Owner) -> None:
    """And then nothing of the failures before stays on the row."""
    run_id = ask(working, uuid4())

    def third_time_lucky(job: bus.Job, letter_id: UUID) -> None:
        if job.attempt < 3:
            raise Broken
        send(job, letter_id)

    runner = Runner(working, [doing(third_time_lucky, max_retries=2)])
    for _ in range(3):
        hasten(owner)
        runner.run(run_id)

    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.error) == ("done", 3, None)
    assert graves(owner) == []


def test_a_retry_waits_longer_each_time(working: Database, owner: Owner) -> None:
    """Doubled from the stated back-off, with jitter, and never beyond ten minutes (PITFALLS D4)."""
    work = bus.work(SEND, max_retries=50, time_limit_ms=1_000, backoff_seconds=40)(raising(Broken()))
    run_id, runner = ask(working, uuid4()), Runner(working, [work])
    owner.execute("DELETE FROM outbox")

    for longest in (40, 80, 160, 320, 600, 600):
        owner.execute("UPDATE task_run SET next_try_at = NULL")
        runner.run(run_id)
        ((seconds, parcel),) = owner.execute("""
            WITH o AS (DELETE FROM outbox RETURNING next_try_at)
            SELECT extract(epoch FROM r.next_try_at - now()), o.next_try_at = r.next_try_at FROM task_run AS r, o
        """)
        assert longest / 2 - 2 <= float(str(seconds)) <= longest
        assert parcel, "the wake-up is due when the run is"


def test_one_that_is_not_due_is_left_alone(working: Database, owner: Owner) -> None:
    """A doubled wake-up does not shorten the wait."""
    run_id = ask(working, uuid4())
    owner.execute("UPDATE task_run SET next_try_at = now() + interval '1 min'")

    Runner(working, [doing()]).run(run_id)

    assert run_of(owner, run_id).attempts == 0


def test_arguments_that_do_not_fit_are_final(working: Database, owner: Owner) -> None:
    """No retry changes them."""
    with working.transaction() as tx:
        run_id = bus.task(tx, SEND, "no id")

    Runner(working, [doing()]).run(run_id)

    assert run_of(owner, run_id).state == "failed"
    assert graves(owner) == [("broken_body", TASK, 1)]


def test_no_transaction_is_open_while_the_work_is_done(working: Database, owner: Owner) -> None:
    """It may last; meanwhile it holds no lock, and no connection."""
    begun, go_on = threading.Event(), threading.Event()
    run_id, runner = ask(working, uuid4()), Runner(working, [doing(waiting(begun, go_on))])

    with running(lambda _stop: runner.run(run_id)):
        assert begun.wait(20)
        try:
            assert run_of(owner, run_id).state == "running"
            assert working.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # A queue pool counts.
        finally:
            go_on.set()

    assert run_of(owner, run_id).state == "done"


def test_what_one_does_no_other_does(working: Database, owner: Owner) -> None:
    """A second wake-up of a run that is being done is nothing."""
    begun, go_on, letter = threading.Event(), threading.Event(), uuid4()
    run_id, runner = ask(working, letter), Runner(working, [doing(waiting(begun, go_on))])

    with running(lambda _stop: runner.run(run_id)):
        assert begun.wait(20)
        Runner(working, [doing()]).run(run_id)
        assert mails(owner) == []
        go_on.set()

    assert mails(owner) == [letter]
    assert run_of(owner, run_id).attempts == 1


@pytest.mark.parametrize("outcome", [send, raising(Broken()), raising(Unwanted())])
def test_who_lost_the_lease_writes_nothing(working: Database, owner: Owner, outcome: Work) -> None:
    """Taken for dead, it comes back when another is already at it: whatever it brings is dropped."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(job: bus.Job, letter_id: UUID) -> None:
        begun.set()
        assert go_on.wait(20)
        outcome(job, letter_id)

    run_id, runner = ask(working, uuid4()), Runner(working, [doing(slow, max_retries=0)])
    with capture_logs() as lines, running(lambda _stop: runner.run(run_id)):
        assert begun.wait(20)
        expire(owner)
        with working.transaction() as tx:
            assert runs.take(tx, run_id, known=[TASK], seconds=60) is not None
        go_on.set()

    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.is_held) == ("running", 2, True)
    assert "task.lease_lost" in [line["event"] for line in lines]
    assert graves(owner) == []


def test_one_that_ends_its_process_each_time_is_given_up(working: Database, owner: Owner) -> None:
    """Its tries are counted when they begin, so that it cannot go on for ever."""
    run_id = ask(working, uuid4())
    for _ in range(3):
        with working.transaction() as tx:
            assert runs.take(tx, run_id, known=[TASK], seconds=60) is not None
        expire(owner)

    Runner(working, [doing(max_retries=2)]).run(run_id)

    assert run_of(owner, run_id).state == "failed"
    assert graves(owner) == [("killed", TASK, 3)]
    assert mails(owner) == []


def test_one_that_ended_its_process_on_all_but_the_last_try_is_tried(working: Database, owner: Owner) -> None:
    """The other side of that limit."""
    run_id = ask(working, uuid4())
    for _ in range(2):
        with working.transaction() as tx:
            assert runs.take(tx, run_id, known=[TASK], seconds=60) is not None
        expire(owner)

    Runner(working, [doing(max_retries=2)]).run(run_id)

    assert run_of(owner, run_id).state == "done"


def test_one_that_takes_too_long_has_failed(working: Database, owner: Owner) -> None:
    """It is interrupted in the middle, and the rest of what it wanted to do is not done."""
    begun = threading.Event()
    run_id = ask(working, uuid4())
    runner = Runner(working, [doing(spinning(begun), time_limit_ms=200, max_retries=0)])

    with running(runner.limits.run):
        runner.run(run_id)

    found = run_of(owner, run_id)
    assert (found.state, found.error) == ("failed", "TimeLimitExceeded: ")
    assert graves(owner) == [("failed", TASK, 1)]


def test_one_that_is_stopped_is_put_back_as_if_never_tried(working: Database, owner: Owner) -> None:
    """A deploy is not its fault; somebody is woken for it at once."""
    begun = threading.Event()
    run_id, runner = ask(working, uuid4()), Runner(working, [doing(spinning(begun), max_retries=0)])
    owner.execute("DELETE FROM outbox")

    with running(runner.limits.run, lambda _stop: runner.run(run_id)):
        assert begun.wait(20)
        runner.stop(seconds=0.1)
        until(lambda: run_of(owner, run_id).state == "queued", timeout=20, missing="the run back in the queue")

    found = run_of(owner, run_id)
    assert (found.attempts, found.waits, found.is_held) == (0, False, False)
    assert owner.execute("SELECT body, next_try_at FROM outbox") == [(f'{{"run":"{run_id}"}}', None)]
    assert graves(owner) == []


def test_progress_is_seen_while_it_runs(working: Database, owner: Owner) -> None:
    """Each step in a transaction of its own."""
    seen: list[object] = []

    def count(job: bus.Job, _letter_id: UUID) -> None:
        for done in (1, 2):
            job.progress(done, 2)
            seen.append(run_of(owner, job.id).progress)

    run_id = ask(working, uuid4())
    Runner(working, [doing(count)]).run(run_id)

    assert seen == [(1, 2), (2, 2)]
    assert run_of(owner, run_id).progress == (2, 2)


def test_progress_of_who_lost_the_lease_ends_the_work(working: Database, owner: Owner) -> None:
    """There is no sense in going on."""
    after: list[str] = []

    def lose(job: bus.Job, _letter_id: UUID) -> None:
        expire(owner)
        with working.transaction() as tx:
            runs.take(tx, job.id, known=[TASK], seconds=60)
        with pytest.raises(LeaseLost):
            job.progress(1, 2)
        after.append("refused")

    run_id = ask(working, uuid4())
    with capture_logs():
        Runner(working, [doing(lose)]).run(run_id)

    assert after == ["refused"]
    assert run_of(owner, run_id).progress == (None, None)


def test_a_single_transaction_has_its_effect_with_its_mark(working: Database, owner: Owner) -> None:
    """Whoever finishes in it neither loses the effect nor has it twice, even if taken for dead in the middle."""
    letter = uuid4()

    def write(job: bus.Job, letter_id: UUID) -> None:
        with job.transaction() as tx:
            tx.execute(text("INSERT INTO mail (letter_id) VALUES (:id)"), {"id": letter_id})
            job.finish(tx)

    def lose_and_write(job: bus.Job, letter_id: UUID) -> None:
        expire(owner)
        Runner(working, [doing(write)]).run(job.id)
        write(job, letter_id)

    run_id = ask(working, letter)
    with capture_logs():
        Runner(working, [doing(lose_and_write)]).run(run_id)

    assert mails(owner) == [letter]
    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.error) == ("done", 2, None)


def test_the_trace_is_that_of_whoever_asked(working: Database, owner: Owner) -> None:
    """Who reads a log finds what followed from what, retries included (PITFALLS D8)."""
    run_id, runner = ask(working, uuid4()), Runner(working, [doing(raising(Broken()))])
    for _ in range(2):
        hasten(owner)
        runner.run(run_id)

    traces = owner.execute("SELECT DISTINCT trace_id FROM mail")
    assert traces == owner.execute("SELECT split_part(traceparent, '-', 2) FROM task_run")
    assert traces == owner.execute("SELECT DISTINCT split_part(traceparent, '-', 2) FROM outbox")


def test_a_database_that_is_away_is_waited_for(working: Database, owner: Owner) -> None:
    """The wake-up in hand is not lost, nor is the outcome of work that was done."""
    letter = uuid4()
    run_id = ask(working, letter)
    runner, sent = Runner(working, [doing()]), threading.Event()

    def send_and_say(job: bus.Job, letter_id: UUID) -> None:
        send(job, letter_id)
        owner.cut()
        sent.set()

    runner = Runner(working, [doing(send_and_say)])
    with owner.away():
        thread = threading.Thread(target=runner.run, args=(run_id,), daemon=True)
        with capture_logs() as lines:
            thread.start()
            until(
                lambda: [line for line in lines if line["event"] == "task.database_away"], timeout=20, missing="a wait"
            )
    thread.join(20)

    assert sent.is_set()
    assert (mails(owner), run_of(owner, run_id).state) == ([letter], "done")


def test_a_task_that_nobody_here_knows_waits_for_another_release(working: Database, owner: Owner) -> None:
    """In a rolling deploy an old worker may get it first: no try is counted, and it is woken again (PITFALLS D5)."""
    run_id, stranger = ask(working, uuid4()), Runner(working, [])
    stranger.run(run_id)

    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.waits) == ("queued", 0, True)
    assert found.error == "no worker knows this task"
    assert owner.count("outbox") == 2
    hasten(owner)
    Runner(working, [doing()]).run(run_id)
    assert run_of(owner, run_id).state == "done"


@pytest.mark.parametrize(("wakes", "state"), [(149, "queued"), (150, "failed")])
def test_a_task_that_nobody_knows_fails_in_sight_after_a_day(
    working: Database, owner: Owner, wakes: int, state: str
) -> None:
    """It must not wait for ever where nobody looks."""
    run_id = ask(working, uuid4())
    owner.execute("UPDATE task_run SET wakes = :wakes", wakes=wakes)

    Runner(working, []).run(run_id)

    assert run_of(owner, run_id).state == state
    assert graves(owner) == ([("unknown_type", TASK, 1)] if state == "failed" else [])


def test_a_failed_run_can_be_tried_again_with_all_its_tries(working: Database, owner: Owner) -> None:
    """What is done, or still being tried, cannot."""
    run_id = ask(working, uuid4())
    Runner(working, [doing(raising(Unwanted()))]).run(run_id)
    owner.execute("DELETE FROM outbox")

    with working.transaction() as tx:
        assert runs.try_again(tx, run_id)
        assert not runs.try_again(tx, run_id)
    Runner(working, [doing()]).run(run_id)
    with working.transaction() as tx:
        assert not runs.try_again(tx, run_id)

    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.error) == ("done", 1, None)
    assert owner.count("outbox") == 1


def test_a_task_has_one_function(working: Database) -> None:
    """Which of two would it be?"""
    with pytest.raises(ValueError, match=r"probe\.send_letter is done by two functions"):
        Runner(working, [doing(), doing()])
