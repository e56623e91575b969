"""Replays are carried out letter by letter, each once, whatever else goes on."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from shared import clock
from shared.bus.burial import Origin
from shared.bus.dead_letters import replays
from shared.bus.dead_letters.post_mortem import Wanted
from shared.bus.dead_letters.replayer import MOST_TRIES, Replayer
from shared.bus.dead_letters.replays import Progress
from shared.bus.tables import DeadLetter
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import PROGRAMME, make_settled
from tests.shared.bus.dead_letters.dying import HANDLER, Broken, Retrier, letter, make_dead
from tests.shared.bus.hearing import heard
from tests.shared.bus.running import Owner, running
from tests.waiting import until

ANYONE = UUID("01800000-0000-7000-8000-00000000000a")
CANCEL_WAITING = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def order(database: Database, *ids: UUID, rate: int = 1_000, why: str = "mended") -> UUID:
    """Have letters replayed; without ids all that are dead."""
    with database.transaction() as tx:
        chosen = Wanted(ids=ids or None)
        return replays.request(
            tx, chosen, programme_id=PROGRAMME, requested_by=ANYONE, why=why, letters_per_second=rate, now=clock.now()
        ).id


def progress(database: Database, replay_id: UUID) -> Progress:
    with database.transaction() as tx:
        return replays.get_progress(tx, replay_id, programme_id=PROGRAMME)


def counts(database: Database, replay_id: UUID) -> tuple[int, int, int, int]:
    found = progress(database, replay_id)
    return found.replayed, found.failed, found.skipped, found.left


def until_finished(database: Database, *ids: UUID) -> None:
    def all_over() -> bool:
        return all(progress(database, replay_id).replay.finished_at for replay_id in ids)

    until(all_over, timeout=20, missing="the end of each replay")


def carry_out(database: Database, retrier: Retrier, *ids: UUID) -> None:
    with running(Replayer(database, retrier).run):
        until_finished(database, *ids)


def heard_by(database: Database) -> list[UUID]:
    with database.transaction() as tx:
        return heard(tx)


def make_facts(count: int) -> list[AttendanceSettled]:
    return [make_settled() for _ in range(count)]


def bury_all(database: Database, facts: Sequence[AttendanceSettled]) -> list[UUID]:
    return [make_dead(database, fact) for fact in facts]


@contextmanager
def held(owner: Owner, statement: str) -> Iterator[None]:
    """Keep the locks of a statement during the block."""
    engine = create_engine(owner.server.database_url(owner.service), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))
        yield


def cancel_whoever_waits(owner: Owner) -> None:
    """End the statement that waits for a lock, as its timeout would."""
    until(lambda: owner.execute(CANCEL_WAITING), timeout=10, missing="somebody who waits")


class TestOutcome:
    def test_a_letter_that_works_now_is_closed_with_who_and_why(self, listening: Database) -> None:
        """And what waited behind it is let go in the same transaction, when it is dead no more."""
        fact, retrier = make_settled(), Retrier()
        dead = make_dead(listening, fact)

        carry_out(listening, retrier, order(listening, dead, why="the policy is approved"))

        found = letter(listening, dead)
        assert (found.state, found.closed_by, found.closed_why) == ("replayed", ANYONE, "the policy is approved")
        assert found.closed_at is not None
        assert heard_by(listening) == [fact.attendance_id]
        assert retrier.released == [(HANDLER, str(fact.attendance_id))]

    def test_a_letter_that_fails_again_says_of_what(self, listening: Database) -> None:
        """It is as dead as before, with the new error and stack; what it did until then is undone."""

        def object_to_all(_tx: Session, _event: AttendanceSettled) -> None:
            raise Broken("in another way")

        dead, retrier = make_dead(listening), Retrier(object_to_all)
        before = letter(listening, dead)

        replay = order(listening, dead)
        carry_out(listening, retrier, replay)

        found = letter(listening, dead)
        assert (found.state, found.attempts, found.error) == ("dead", before.attempts + 1, "Broken: in another way")
        assert "object_to_all" in (found.stack or "")
        assert found.died_at > before.died_at
        assert found.cause != before.cause
        assert (counts(listening, replay), heard_by(listening), retrier.released) == ((0, 1, 0, 0), [], [])

    def test_one_bad_letter_does_not_stop_the_others(self, listening: Database) -> None:
        """Whatever it raises, and even if only the commit would notice."""
        facts = make_facts(5)
        raised: list[Exception] = [Broken("returned"), ValueError("raised")]

        def object_to_two(_tx: Session, event: AttendanceSettled) -> None:
            if event in facts[1:3]:
                raise raised[facts.index(event) - 1]

        ids = bury_all(listening, facts)
        replay = order(listening)
        carry_out(listening, Retrier(object_to_two), replay)

        assert counts(listening, replay) == (3, 2, 0, 0)
        assert heard_by(listening) == [facts[place].attendance_id for place in (0, 3, 4)]
        assert [letter(listening, each).error for each in ids[1:3]] == ["Broken: returned", "ValueError: raised"]

    def test_a_letter_that_is_dead_no_more_is_skipped(self, listening: Database) -> None:
        """Somebody was quicker, by another replay or by giving it up."""
        dead = bury_all(listening, make_facts(2))
        first, second = order(listening, dead[0]), order(listening)

        carry_out(listening, Retrier(), first, second)

        assert (counts(listening, first), counts(listening, second)) == ((1, 0, 0, 0), (1, 0, 1, 0))

    def test_the_same_failure_after_a_replay_is_dead_again(self, listening: Database) -> None:
        """Only burying the same letter brings it back; one that died meanwhile is no part of the replay."""
        first, late = make_settled(), make_settled()
        dead = make_dead(listening, first)
        replay = order(listening)
        newer = make_dead(listening, late)

        carry_out(listening, Retrier(), replay)

        assert (letter(listening, dead).state, letter(listening, newer).state) == ("replayed", "dead")
        assert heard_by(listening) == [first.attendance_id]

    def test_a_way_of_its_own_for_each_origin(self, listening: Database) -> None:
        """Where a letter died says how it is tried again."""
        went: list[tuple[Origin, str]] = []

        def way_of(origin: Origin) -> object:
            def go(_tx: Session, found: DeadLetter) -> None:
                went.append((origin, found.origin))

            return go

        for origin in Origin:
            make_dead(listening, origin=origin)
        ways = {origin: way_of(origin) for origin in Origin}
        replay = order(listening)
        with running(Replayer(listening, Retrier(), ways=ways).run):  # type: ignore[arg-type]  # They return nothing.
            until_finished(listening, replay)

        assert went == [(origin, origin.value) for origin in Origin]


class TestTogether:
    def test_two_at_once_do_each_letter_once(self, listening: Database) -> None:
        """F17, PITFALLS.md O6: over two overlapping replays and two Replayers; new failures are untouched."""
        facts = make_facts(60)
        ids = bury_all(listening, facts)
        both = order(listening), order(listening, *ids[20:40])
        newer = make_dead(listening)

        with running(Replayer(listening, Retrier()).run, Replayer(listening, Retrier()).run):
            until_finished(listening, *both)

        assert sorted(heard_by(listening)) == sorted(fact.attendance_id for fact in facts)
        (all_replayed, _, all_skipped, _), (some, _, skipped, _) = (counts(listening, each) for each in both)
        assert (all_replayed + some, all_skipped + skipped) == (60, 20)
        assert letter(listening, newer).state == "dead"

    def test_a_small_replay_does_not_wait_for_a_large_one(self, listening: Database) -> None:
        """A Replayer looks up now and then: one letter need not wait for the hours of a hundred thousand."""
        bury_all(listening, make_facts(40))
        large = order(listening, rate=3)
        one = make_dead(listening)
        replayer = Replayer(listening, Retrier())

        with running(replayer.run):
            until(lambda: counts(listening, large)[0] > 0, timeout=10, missing="the beginning of the large one")
            small = order(listening, one)
            until_finished(listening, small)

        assert progress(listening, large).replay.finished_at is None

    def test_one_that_lost_its_lease_commits_nothing(self, listening: Database, hearer: Owner) -> None:
        """It was away for too long, and somebody else has taken its replay up meanwhile."""
        dead = make_dead(listening)
        replay = order(listening, dead)
        tried = threading.Event()

        def lose_the_lease(tx: Session, _event: AttendanceSettled) -> None:
            if not tried.is_set():
                tried.set()
                tx.execute(text("SET ROLE NONE"))
                tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        def steal() -> datetime:
            assert tried.wait(10)
            ((until_at,),) = hearer.execute("""
                UPDATE replay SET lease = gen_random_uuid(), lease_until = clock_timestamp() + interval '3 s'
                RETURNING lease_until
            """)
            assert isinstance(until_at, datetime)
            return until_at

        with ThreadPoolExecutor(1) as pool:
            stolen_until = pool.submit(steal)
            carry_out(listening, Retrier(lose_the_lease), replay)

        assert (counts(listening, replay), hearer.count("heard")) == ((1, 0, 0, 0), 1)
        ((tried_at,),) = hearer.execute("SELECT tried_at FROM replay_letter")
        assert tried_at > stolen_until.result()  # type: ignore[operator]  # Both are instants.

    def test_one_that_stops_lets_go(self, listening: Database, hearer: Owner) -> None:
        """A deploy does not leave a replay to its lease: the next process goes on at once, behind the last letter."""
        bury_all(listening, make_facts(30))
        replay = order(listening, rate=20)
        with running(Replayer(listening, Retrier()).run):
            until(lambda: counts(listening, replay)[0] >= 3, timeout=10, missing="three letters")

        left = counts(listening, replay)[3]
        assert 0 < left <= 27
        assert hearer.execute("SELECT lease, lease_until FROM replay") == [(None, None)]
        assert hearer.execute("SELECT sum(tries) FROM replay_letter") == [(30 - left,)]  # Counted and not made: none.
        carry_out(listening, Retrier(), replay)
        assert (counts(listening, replay), hearer.count("heard")) == ((30, 0, 0, 0), 30)


class TestFaults:
    def test_a_database_that_is_away_is_waited_for(self, listening: Database, hearer: Owner) -> None:
        """The letter in hand is not to blame, and the lease is our own when the database is back."""
        facts = make_facts(20)
        bury_all(listening, facts)
        replay = order(listening, rate=20)

        with structlog.testing.capture_logs() as lines, running(Replayer(listening, Retrier()).run):
            until(lambda: counts(listening, replay)[0] > 0, timeout=10, missing="the first letter")
            with hearer.away():
                until(lambda: "replayer.database_away" in str(lines), timeout=10, missing="a try without a database")
            until_finished(listening, replay)

        assert counts(listening, replay) == (20, 0, 0, 0)
        assert sorted(heard_by(listening)) == sorted(fact.attendance_id for fact in facts)

    def test_a_deadlock_is_no_failure_of_the_letter(self, listening: Database) -> None:
        """The same try is made again."""
        failures = [True]

        def be_busy(tx: Session, _event: AttendanceSettled) -> None:
            if failures.pop() if failures else False:
                tx.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40P01'; END $$"))

        dead = make_dead(listening)
        replay = order(listening, dead)
        carry_out(listening, Retrier(be_busy), replay)

        assert counts(listening, replay) == (1, 0, 0, 0)

    def test_a_statement_that_took_too_long_ends_nobody(self, listening: Database, hearer: Owner) -> None:
        """Neither while an order is taken up nor while a letter is in hand; what was in hand is tried again."""
        bury_all(listening, make_facts(10))
        replay = order(listening, rate=10)

        with running(Replayer(listening, Retrier()).run):
            with held(hearer, "LOCK TABLE replay"):
                cancel_whoever_waits(hearer)
            until(lambda: counts(listening, replay)[0] > 0, timeout=10, missing="the first letter")
            with held(hearer, "SELECT FROM replay FOR UPDATE"):
                cancel_whoever_waits(hearer)
            until_finished(listening, replay)

        assert counts(listening, replay) == (10, 0, 0, 0)
        assert hearer.count("heard") == 10

    def test_a_letter_that_takes_too_long_has_failed(self, listening: Database) -> None:
        """It would take as long the next time, and nobody behind it would have a turn."""

        def take_long(tx: Session, _event: AttendanceSettled) -> None:
            tx.execute(text("SET LOCAL statement_timeout = '50ms'"))
            tx.execute(text("SELECT pg_sleep(5)"))

        dead = make_dead(listening)
        replay = order(listening, dead)
        carry_out(listening, Retrier(take_long), replay)

        assert counts(listening, replay) == (0, 1, 0, 0)
        assert letter(listening, dead).exception == "OperationalError"

    def test_a_letter_that_ends_the_process_is_not_tried_for_ever(self, listening: Database, hearer: Owner) -> None:
        """PITFALLS.md R1: tries are counted before they are made, so that a death counts; its neighbours go on."""
        deadly, harmless = (make_settled(), make_settled())
        ids = bury_all(listening, [deadly, harmless])
        replay = order(listening)
        hearer.execute("UPDATE replay_letter SET tries = :t WHERE dead_letter_id = :id", t=MOST_TRIES, id=ids[0])

        carry_out(listening, Retrier(), replay)

        assert counts(listening, replay) == (1, 1, 0, 0)
        assert heard_by(listening) == [harmless.attendance_id]
        assert "EndsTheProcess" in letter(listening, ids[0]).error

    def test_the_pace_is_kept(self, listening: Database) -> None:
        """Whoever replays ten thousand letters must be able to spare what they hit."""
        bury_all(listening, make_facts(11))
        begun = time.monotonic()

        carry_out(listening, Retrier(), order(listening, rate=10))

        assert time.monotonic() - begun >= 1.0
