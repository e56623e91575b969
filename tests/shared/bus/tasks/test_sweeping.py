"""The sweeper: whatever becomes of a wake-up, its run is done or fails in sight."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from shared import bus, clock
from shared.bus.tasks import runs
from shared.bus.tasks.running import Runner
from shared.bus.tasks.sweeping import SENT, Sweeper, count_open, forget
from shared.database.sessions import Database
from tests.shared.bus.running import Owner, running
from tests.shared.bus.tasks.probing import SEND, Broken, Unwanted, ask, doing, expire, mails, raising, run_of, states
from tests.waiting import until

FLUSH = text("SELECT pg_stat_force_next_flush()")
READ = text("""
    SELECT seq_tup_read + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'outbox')
    FROM pg_stat_user_tables WHERE relname = 'outbox'
""")


def rows_read(database: Database) -> int:
    """Count what was ever read of the outbox, by its indexes or without."""
    with database.transaction() as tx:
        tx.execute(FLUSH)
    with database.transaction() as tx:
        return int(tx.execute(READ).scalar_one())


def wake(owner: Owner) -> None:
    """Send the wake-ups, and lose them."""
    owner.execute("DELETE FROM outbox")
    owner.execute("UPDATE task_run SET woken_at = now() WHERE woken_at IS NULL")


def woken(owner: Owner) -> int:
    return owner.count("outbox")


def age(owner: Owner, seconds: float) -> None:
    """Let the last wake-up be so long ago."""
    owner.execute("UPDATE task_run SET woken_at = now() - :seconds * interval '1 s'", seconds=seconds)


def woken_at(owner: Owner) -> list[object]:
    return [row[0] for row in owner.execute("SELECT woken_at FROM task_run")]


@pytest.mark.parametrize(("wakes", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30), (500, 30)])
def test_a_lost_wake_up_is_sent_again_later_each_time(
    working: Database, owner: Owner, wakes: int, minutes: int
) -> None:
    """A backlog that simply takes long is not sent again every minute."""
    ask(working, uuid4())
    wake(owner)
    owner.execute("UPDATE task_run SET wakes = :wakes", wakes=wakes)
    sweeper = Sweeper(working)

    age(owner, minutes * 60 - 5)
    assert sweeper.sweep() == 0
    age(owner, minutes * 60 + 1)
    assert sweeper.sweep() == 1
    assert sweeper.sweep() == 0

    assert woken(owner) == 1
    assert owner.execute("SELECT wakes FROM task_run") == [(wakes + 1,)]


def test_one_whose_wake_up_has_not_left_needs_no_other(working: Database, owner: Owner) -> None:
    """The broker is away, or the hour has not come."""
    ask(working, uuid4())
    ask(working, uuid4(), at=clock.now() + timedelta(days=1))
    age(owner, 86_400)

    assert Sweeper(working).sweep() == 0
    assert woken(owner) == 2


def test_at_most_one_wake_up_of_a_run_waits(working: Database, owner: Owner) -> None:
    """However long the broker is away: also one that was sent again stands in the outbox once."""
    ask(working, uuid4())
    wake(owner)

    counts = []
    for _ in range(4):
        age(owner, 86_400)
        counts.append(Sweeper(working).sweep())

    assert (counts, woken(owner)) == ([1, 0, 0, 0], 1)


def test_a_run_whose_wake_up_has_not_left_is_not_looked_at(working: Database, owner: Owner) -> None:
    """A hundred thousand that wait for their hour cost the sweeper nothing: they have no place in its order."""
    first = ask(working, uuid4(), at=clock.now() + timedelta(days=1))
    assert woken_at(owner) == [None]

    with working.transaction() as tx:
        tx.execute(SENT, {"ids": [first]})
    assert woken_at(owner) != [None]

    age(owner, 61)
    assert Sweeper(working).sweep() == 1
    assert woken_at(owner) == [None]
    ((again,),) = owner.execute("SELECT event_id FROM outbox")
    with working.transaction() as tx:
        tx.execute(SENT, {"ids": [again]})
    assert woken_at(owner) != [None]


def test_a_try_that_failed_waits_for_its_wake_up(working: Database, owner: Owner) -> None:
    """Whoever queues a run posts its wake-up: there is nothing to sweep before that has left."""
    run_id = ask(working, uuid4())
    wake(owner)
    Runner(working, [doing(raising(Broken()))]).run(run_id)

    assert (woken_at(owner), woken(owner)) == ([None], 1)


def test_patience_begins_when_the_first_wake_up_has_left(working: Database, owner: Owner) -> None:
    """A thousand that waited an hour for the broker are not all sent twice when it is back."""
    with working.transaction() as tx:
        ids = bus.task_all(tx, SEND, [[uuid4()] for _ in range(3)])
    age(owner, 3_600)

    with working.transaction() as tx:
        tx.execute(SENT, {"ids": ids[:2]})

    assert Sweeper(working).sweep() == 0
    assert woken(owner) == 1
    age(owner, 61)
    assert Sweeper(working).sweep() == 2


def test_one_that_waits_for_its_next_try_needs_none(working: Database, owner: Owner) -> None:
    """Its wake-up is on its way, and due when it is."""
    ask(working, uuid4())
    wake(owner)
    age(owner, 86_400)
    owner.execute("UPDATE task_run SET next_try_at = now() + interval '1 min'")

    assert Sweeper(working).sweep() == 0


def test_one_that_is_over_needs_none(working: Database, owner: Owner) -> None:
    """Done or failed."""
    Runner(working, [doing()]).run(ask(working, uuid4()))
    Runner(working, [doing(raising(Unwanted()))]).run(ask(working, uuid4()))
    wake(owner)
    age(owner, 86_400)

    assert Sweeper(working).sweep() == 0
    assert states(owner) == {"done": 1, "failed": 1}


def test_what_a_dead_worker_left_is_taken_back(working: Database, owner: Owner) -> None:
    """Not before its lease is over, at once then, and the try that it had counts."""
    letter = uuid4()
    run_id = ask(working, letter)
    wake(owner)
    with working.transaction() as tx:
        runs.take(tx, run_id, known=["probe.send_letter"], seconds=60)
    age(owner, 86_400)
    assert Sweeper(working).sweep() == 0

    expire(owner)
    assert Sweeper(working).sweep() == 1

    found = run_of(owner, run_id)
    assert (found.state, found.attempts, found.error) == ("queued", 1, "its worker has fallen silent")
    assert woken(owner) == 1
    Runner(working, [doing()]).run(run_id)
    assert (mails(owner), run_of(owner, run_id).attempts) == ([letter], 2)


def test_several_at_once_share_the_work(working: Database, owner: Owner) -> None:
    """Each run is woken by one of them."""
    with working.transaction() as tx:
        bus.task_all(tx, SEND, [[uuid4()] for _ in range(12_000)])
    wake(owner)
    age(owner, 120)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: sum(iter(Sweeper(working).sweep, 0)), range(4)))

    assert sum(counts) == woken(owner) == 12_000


def test_the_outbox_is_not_read_for_each_run(working: Database, owner: Owner) -> None:
    """Whatever plan was made while there was nothing to do: 6,000 runs wait now."""
    own = Database(working.url, role=working.role, pool_size=1)
    for _ in range(15):
        Sweeper(own).sweep()
    with own.transaction() as tx:
        bus.task_all(tx, SEND, [[uuid4()] for _ in range(6_000)])
    wake(owner)
    age(owner, 120)
    before = rows_read(own)

    while Sweeper(own).sweep():
        pass

    assert woken(owner) == 6_000
    assert rows_read(own) - before < 100_000
    own.close()


def test_who_holds_the_only_broker_begins_anew(working: Database, owner: Owner) -> None:
    """What was in memory is lost with the process, and nobody else can hold a lease: all is woken, each once."""
    runs_left = [ask(working, uuid4()) for _ in range(3)]
    later = ask(working, uuid4())
    wake(owner)
    with working.transaction() as tx:
        runs.take(tx, runs_left[0], known=["probe.send_letter"], seconds=3_600)
    owner.execute("UPDATE task_run SET next_try_at = now() + interval '1 hour' WHERE id = :id", id=later)
    sweeper = Sweeper(working)

    sweeper.begin_anew()
    with running(sweeper.run):
        until(lambda: woken(owner) == 3, timeout=20, missing="three wake-ups")
        until(lambda: sweeper.sweep() == 0, timeout=20, missing="a sweeper with nothing to do")

    assert {UUID(str(row[0])) for row in owner.execute("SELECT body::json->>'run' FROM outbox")} == set(runs_left)
    assert states(owner) == {"queued": 4}


def test_who_begins_anew_leaves_what_waits_for_its_hour(working: Database, owner: Owner) -> None:
    """Its wake-up stands in the outbox, and is not lost with any broker."""
    ask(working, uuid4(), at=clock.now() + timedelta(days=1))
    sweeper = Sweeper(working)

    sweeper.begin_anew()

    assert (sweeper.sweep(), woken_at(owner)) == (0, [None])


def test_a_database_that_is_away_is_waited_for(working: Database, owner: Owner) -> None:
    """The net is there when everything else has failed."""
    sweeper = Sweeper(working, patience_seconds=0.1)
    with running(sweeper.run):
        with owner.away():
            pool = working.engine.pool
            until(lambda: pool.checkedout() == 0, timeout=20, missing="a free pool")  # type: ignore[attr-defined]  # It counts.
        ask(working, uuid4())
        wake(owner)
        until(lambda: woken(owner) == 1, timeout=20, missing="a wake-up")


def test_a_statement_that_takes_too_long_ends_nothing(working: Database, owner: Owner) -> None:
    """A table that somebody holds for a minute must not end the process, again and again."""
    sweeper = Sweeper(working, patience_seconds=0.1)
    with capture_logs() as lines, running(sweeper.run):
        with owner.locked("task_run"):
            until(owner.cancel_waiting, timeout=20, missing="a statement that waits")
        until(lambda: "sweeper.database_away" in str(lines), timeout=20, missing="a wait")
        ask(working, uuid4())
        wake(owner)
        until(lambda: woken(owner) == 1, timeout=20, missing="a wake-up")


def test_open_runs_are_those_that_somebody_could_be_at(working: Database, owner: Owner) -> None:
    """An idle platform has none: what waits for its hour or its next try is not counted."""
    ask(working, uuid4())
    held = ask(working, uuid4())
    ask(working, uuid4(), at=clock.now() + timedelta(days=1))
    waiting = ask(working, uuid4())
    Runner(working, [doing()]).run(ask(working, uuid4()))
    with working.transaction() as tx:
        runs.take(tx, held, known=["probe.send_letter"], seconds=60)
    owner.execute("UPDATE task_run SET next_try_at = now() + interval '1 min' WHERE id = :id", id=waiting)

    with working.transaction() as tx:
        assert count_open(tx) == 2


def test_done_runs_are_forgotten_but_for_their_keys(working: Database, owner: Owner) -> None:
    """A key must be known for good, unless a timer made it, which comes by each instant once; failures stay."""
    runner, day = Runner(working, [doing()]), timedelta(days=1)
    young = ask(working, uuid4())
    for run_id in (young, ask(working, uuid4()), ask(working, uuid4(), key="once")):
        runner.run(run_id)
    Runner(working, [doing(raising(Unwanted()))]).run(ask(working, uuid4()))
    grow_old(owner, days=1, but=young)
    ask(working, uuid4())

    with working.transaction() as tx:
        assert forget(tx, age=2 * day, limit=10) == 0
        assert forget(tx, age=day, limit=10) == 1
        assert forget(tx, age=day, limit=10) == 0
    assert states(owner) == {"done": 2, "failed": 1, "queued": 1}
    with working.transaction() as tx:
        assert forget(tx, age=day, limit=10, timers=["probe.send_letter"]) == 1


def test_no_more_is_forgotten_at_once_than_was_said(working: Database, owner: Owner) -> None:
    """A long transaction would hold others up."""
    runner = Runner(working, [doing()])
    for _ in range(3):
        runner.run(ask(working, uuid4()))
    grow_old(owner, days=1)

    with working.transaction() as tx:
        assert forget(tx, age=timedelta(days=1), limit=2) == 2
    assert states(owner) == {"done": 1}


@pytest.mark.parametrize(("days", "left"), [(29, 1), (30, 0)])
def test_a_sweeper_forgets_after_a_month(working: Database, owner: Owner, days: int, left: int) -> None:
    """By itself; what a timer fired too."""
    Runner(working, [doing()]).run(ask(working, uuid4(), key="tick"))
    grow_old(owner, days=days)

    Sweeper(working, timers=["probe.send_letter"]).forget_old()

    assert owner.count("task_run") == left


def grow_old(owner: Owner, *, days: int, but: UUID | None = None) -> None:
    """Let what is over have been over for that long."""
    owner.execute(
        "UPDATE task_run SET finished_at = now() - :days * interval '1 day' WHERE finished_at < now() AND id <> :but",
        days=days, but=but or uuid4(),
    )  # fmt: skip
