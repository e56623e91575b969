"""What the bus has kept for long enough goes, a batch a time; the rest stays."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.bus import forgetting
from shared.database.sessions import Database
from shared.privacy import retention
from tests.shared.bus.dead_letters.dying import make_dead
from tests.shared.bus.running import Owner

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LETTERS, RUNS = retention.age("dead_letters"), retention.age("failed_task_runs")
DAY = timedelta(days=1)


def forget(database: Database, *, now: datetime = NOW) -> dict[str, int]:
    with database.transaction() as tx:
        return forgetting.forget_expired(tx, now=now)


def close(owner: Owner, letter_id: UUID, *, age: timedelta) -> None:
    owner.execute(
        """
        UPDATE dead_letter SET state = 'discarded', closed_at = now() - CAST(:age AS interval), closed_why = 'known'
        WHERE id = :id
        """,
        id=letter_id, age=age,
    )  # fmt: skip


def replay(owner: Owner, letter_id: UUID, *, finished_ago: timedelta | None) -> None:
    """Note that a replay tried a letter, and whether it is over."""
    owner.execute(
        """
        WITH tried AS (
            INSERT INTO replay (programme_id, requested_by, why, selection, letters_per_second, total, requested_at,
                finished_at)
            VALUES (uuidv7(), uuidv7(), 'mended', '{}', 1, 1, now(), now() - CAST(:age AS interval)) RETURNING id)
        INSERT INTO replay_letter (replay_id, dead_letter_id) SELECT id, :id FROM tried
        """,
        id=letter_id, age=finished_ago,
    )  # fmt: skip


def make_run(owner: Owner, *, age: timedelta, state: str = "failed", key: str | None = None, task: str = "t") -> UUID:
    ((run_id,),) = owner.execute(
        """
        INSERT INTO task_run (task, key, arguments, traceparent, state, finished_at)
        VALUES (:task, :key, '[]', '', :state, now() - CAST(:age AS interval)) RETURNING id
        """,
        age=age, state=state, key=key, task=task,
    )  # fmt: skip
    return UUID(str(run_id))


def left(owner: Owner, table: str) -> set[UUID]:
    return {UUID(str(row_id)) for (row_id,) in owner.execute(f"SELECT id FROM {table}")}  # noqa: S608  Ours.


class TestLetters:
    def test_closed_ones_go_when_their_time_is_over(self, listening: Database, hearer: Owner) -> None:
        """An open one stays however old it is, and a closed one to its last day."""
        old, young, open_one = (make_dead(listening) for _ in range(3))
        close(hearer, old, age=LETTERS + DAY)
        close(hearer, young, age=LETTERS - DAY)
        hearer.execute("UPDATE dead_letter SET died_at = now() - interval '10 years'")

        assert forget(listening)["dead_letters"] == 1
        assert left(hearer, "dead_letter") == {young, open_one}
        assert forget(listening)["dead_letters"] == 0

    def test_with_a_letter_goes_what_a_finished_replay_wrote_of_it(self, listening: Database, hearer: Owner) -> None:
        """One that a running replay has in hand stays until that is over."""
        done, running = make_dead(listening), make_dead(listening)
        for each in (done, running):
            close(hearer, each, age=LETTERS + DAY)
        replay(hearer, done, finished_ago=LETTERS + DAY)
        replay(hearer, running, finished_ago=None)

        assert forget(listening) == {
            "dead_letters": 1, "replays": 1, "failed_task_runs": 0, "event_archive_months": 0,
        }  # fmt: skip
        assert left(hearer, "dead_letter") == {running}
        assert (hearer.count("replay"), hearer.count("replay_letter")) == (1, 1)

    def test_a_backlog_goes_a_batch_a_time(
        self, listening: Database, hearer: Owner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No transaction grows with what was left lying, and the next run goes on."""
        monkeypatch.setattr(retention, "AT_ONCE", 2)
        for _ in range(3):
            close(hearer, make_dead(listening), age=LETTERS + DAY)

        assert [forget(listening)["dead_letters"] for _ in range(3)] == [2, 1, 0]


def test_failed_runs_go_but_those_that_something_rests_on(telling: Database, told: Owner) -> None:
    """A key stays unique, and a dead letter that is open can still be replayed."""
    gone, of_timer = make_run(told, age=RUNS + DAY), make_run(told, age=RUNS + DAY, key="at nine", task="timer")
    young, done = make_run(told, age=RUNS - DAY), make_run(told, age=RUNS + DAY, state="done")
    keyed, mourned = make_run(told, age=RUNS + DAY, key="k"), make_run(told, age=RUNS + DAY)
    letter = make_dead(telling)
    told.execute("UPDATE dead_letter SET event_id = :run WHERE id = :id", run=mourned, id=letter)
    told.execute("DELETE FROM schedule")
    told.execute(
        "INSERT INTO schedule (name, cron, zone, missed, due_at) VALUES ('timer', '* * * * *', 'UTC', 'once', now())"
    )

    assert forget(telling)["failed_task_runs"] == 2
    assert left(told, "task_run") == {young, done, keyed, mourned}, (gone, of_timer)


class TestArchive:
    @pytest.fixture
    def months(self, told: Owner) -> Owner:
        """Keep five months of 2001, of which only these tests know, and one of today."""
        for month in range(1, 6):
            told.execute("SELECT make_archive_month(:month)", month=datetime(2001, month, 1, tzinfo=UTC).date())
        told.execute("SELECT make_archive_month(current_date)")
        return told

    def there(self, owner: Owner) -> list[str]:
        rows = owner.execute("SELECT relname FROM pg_class WHERE relname ~ '^event_archive_2001_..$' ORDER BY 1")
        return [str(name)[-2:] for (name,) in rows]

    def test_months_go_whole_and_a_few_at_a_time(self, telling: Database, months: Owner) -> None:
        """The oldest first; dropping one locks the archive for a moment only."""
        over = datetime(2001, 5, 31, tzinfo=UTC) + retention.age("event_archive")

        assert forget(telling, now=over)["event_archive_months"] == forgetting.MONTHS_AT_ONCE
        assert self.there(months) == ["04", "05"]
        assert forget(telling, now=over)["event_archive_months"] == 1
        assert self.there(months) == ["05"]  # Of May not everything is old enough.

    def test_nobody_drops_a_young_month(self, telling: Database, months: Owner) -> None:
        """Not even who asks the function itself, as the service's role can."""
        with telling.transaction() as tx:
            dropped = tx.execute(text("SELECT drop_archive_months(now() + interval '9 years', 1000)")).all()

        assert len(dropped) >= 5
        this_month = months.execute("SELECT to_regclass('event_archive_' || to_char(now(), 'YYYY_MM')) IS NOT NULL")
        assert this_month == [(True,)]
        assert self.there(months) == []
