"""The ways back: what a letter becomes again depends on where it died."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import delete, select

from shared.bus.burial import Origin
from shared.bus.dead_letters.ways_back import NoWayBack, StillLeaving, to_outbox, to_task, ways_back
from shared.bus.tables import DeadLetter, Outbox, TaskRun
from shared.bus.testing import emitted
from shared.database.sessions import Database
from tests.factories.ledger import make_settled
from tests.shared.bus.dead_letters.dying import Retrier, headers_of, letter, make_dead
from tests.shared.bus.running import Owner
from tests.waiting import until

FAILED_RUN = """
    INSERT INTO task_run (id, task, arguments, programme_id, traceparent, state, attempts, wakes, finished_at, error)
    VALUES ('{id}', 'notify.deliver_message', '[]', '{programme}', '', 'failed', 5, 7, now(), 'it broke')
"""
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_every_origin_has_a_way() -> None:
    """And what died on its way into a handler, or in the broker, is the inbox's business."""
    ways, retrier = ways_back(Retrier()), Retrier()

    assert set(ways) == set(Origin)
    assert {ways_back(retrier)[origin] for origin in (Origin.INBOX, Origin.BROKER)} == {retrier.retry}


class TestToOutbox:
    def test_an_event_is_told_again_as_it_was_told(self, telling: Database) -> None:
        """Under its id, so that who took it already drops it; of its time, in its trace, for its key and programme."""
        fact = make_settled()
        dead = letter(telling, make_dead(telling, fact, origin=Origin.UNROUTED, handler=None))

        with telling.transaction() as tx:
            assert to_outbox(tx, dead) is None

        headers = headers_of(dead)
        with telling.transaction() as tx:
            row = tx.scalars(select(Outbox)).one()
            assert emitted(tx) == [fact]
        assert (row.lane, row.event_id, row.type) == ("event", UUID(headers["ce-id"]), headers["ce-type"])
        assert (row.programme_id, row.partition_key) == (fact.programme_id, str(fact.attendance_id))
        assert (row.traceparent, row.emitted_at) == (
            headers["ce-traceparent"], datetime.fromisoformat(headers["ce-time"]),
        )  # fmt: skip
        assert (row.attempts, row.next_try_at) == (0, None)

    def test_one_that_is_still_leaving_stays_dead(self, telling: Database, told: Owner) -> None:
        """The relay is about to delete the row that the broker has: nothing is told by it, so nobody may close it."""
        dead = letter(telling, make_dead(telling, origin=Origin.UNROUTED, handler=None))
        with telling.transaction() as tx:
            assert to_outbox(tx, dead) is None

        with telling.transaction() as tx:
            assert isinstance(to_outbox(tx, dead), StillLeaving)
        assert told.count("outbox") == 1

        told.execute("DELETE FROM outbox")
        with telling.transaction() as tx:
            assert to_outbox(tx, dead) is None
        assert told.count("outbox") == 1

    def test_one_that_the_relay_just_deletes_is_told(self, telling: Database, told: Owner) -> None:
        """A row whose deletion is not committed yet is waited for."""
        dead = letter(telling, make_dead(telling, origin=Origin.UNROUTED, handler=None))
        with telling.transaction() as tx:
            to_outbox(tx, dead)

        def tell() -> Exception | None:
            with telling.transaction() as tx:
                return to_outbox(tx, dead)

        with ThreadPoolExecutor(1) as pool:
            with telling.transaction() as tx:
                tx.execute(delete(Outbox))
                telling_again = pool.submit(tell)
                until(lambda: told.execute(WAITING), timeout=10, missing="a replay that waits for the relay")
            assert telling_again.result(20) is None

        assert told.count("outbox") == 1

    @pytest.mark.parametrize(
        "headers",
        [{"ce_time": "yesterday"}, {"ce_time": "2022-06-01T09:00:00"}, {"ce_programmeid": "none"}, {"ce_id": "7"}],
    )
    def test_what_is_no_event_of_ours_is_not_told(self, telling: Database, headers: dict[str, str]) -> None:
        """It says what is missing, and changes nothing."""
        dead = letter(telling, make_dead(telling, origin=Origin.UNROUTED, handler=None))
        dead.headers = orjson.dumps(
            headers_of(dead) | {name.replace("_", "-"): value for name, value in headers.items()}
        ).decode()

        with telling.transaction() as tx:
            assert isinstance(to_outbox(tx, dead), NoWayBack)
            assert emitted(tx) == []

    def test_what_is_no_text_is_not_told(self, telling: Database) -> None:
        """Nor is an envelope without a type."""
        dead = letter(telling, make_dead(telling, origin=Origin.UNROUTED, handler=None))
        dead.body = b"\xff"
        with telling.transaction() as tx:
            assert isinstance(to_outbox(tx, dead), NoWayBack)

        dead.headers = "{}"
        with telling.transaction() as tx:
            assert isinstance(to_outbox(tx, dead), NoWayBack)


class TestToTask:
    def test_a_failed_run_is_queued_anew(self, telling: Database, told: Owner) -> None:
        """With all its tries before it, and a worker is woken for it."""
        run_id, programme_id = uuid4(), uuid4()
        told.execute(FAILED_RUN.format(id=run_id, programme=programme_id))
        dead = DeadLetter(event_id=run_id)

        with telling.transaction() as tx:
            assert to_task(tx, dead) is None

        with telling.transaction() as tx:
            run, wake_up = tx.get_one(TaskRun, run_id), tx.scalars(select(Outbox)).one()
        assert (run.state, run.attempts, run.wakes, run.error, run.finished_at) == ("queued", 0, 1, None, None)
        assert (wake_up.lane, wake_up.type, wake_up.programme_id) == ("task", "notify.deliver_message", programme_id)
        assert (wake_up.partition_key, orjson.loads(wake_up.body)) == (str(run_id), {"run": str(run_id)})

    @pytest.mark.parametrize("run_id", [None, uuid4()])
    def test_a_run_that_is_gone_is_not_queued(self, telling: Database, run_id: UUID | None) -> None:
        """Nobody makes work up."""
        with telling.transaction() as tx:
            assert isinstance(to_task(tx, DeadLetter(event_id=run_id)), NoWayBack)
            assert emitted(tx) == []
