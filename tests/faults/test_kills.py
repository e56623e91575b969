"""kill -9 at the four points between a check-out and its donation, on both transports.

The oracle is the same each time: the sum of the ledger is the sum of the facts, each fact once, no row left open.
"""

from uuid import UUID

import pytest

from shared import bus
from shared.events.activities import AttendanceSettled
from tests.faults.actor import Point
from tests.faults.conftest import Line
from tests.faults.facts import make_facts
from tests.waiting import until

COUNT = 300


class ChangedMind(Exception):
    """The business transaction fails after it has emitted."""


def tell_and_fail(line: Line, fact: AttendanceSettled) -> None:
    with line.activities.transaction() as tx:
        bus.emit(tx, fact)
        raise ChangedMind


def test_killed_between_commit_and_relay(line: Line, programme_id: UUID) -> None:
    """F1: what was committed is published after the restart, and takes effect once."""
    facts = make_facts(COUNT, programme_id=programme_id)
    line.kill_at(lambda point: line.relay(point, tell=COUNT), Point.CLAIMED)
    assert (line.outbox, line.queue.ready, line.donations) == (COUNT, 0, 0)

    line.recover(facts)

    line.require_exact(facts)


def test_the_relay_killed_after_publishing_and_before_deleting(line: Line, programme_id: UUID) -> None:
    """F2: each fact is twice on the wire, and the inbox drops one of the two."""
    facts = make_facts(COUNT, programme_id=programme_id)
    line.tell(facts)
    line.kill_at(line.relay, Point.PUBLISHED)
    until(lambda: line.queue.ready == COUNT, timeout=20, missing="the letters of the killed relay")
    assert line.outbox == COUNT

    relay = line.relay()
    relay.until(lambda: line.queue.ready == 2 * COUNT, missing="each letter twice on the wire")
    relay.end()
    line.recover(facts)

    line.require_exact(facts)


def test_the_consumer_killed_before_its_commit(line: Line, programme_id: UUID) -> None:
    """F9: nothing of it is in the books; it comes again, and takes effect once."""
    facts = make_facts(COUNT, programme_id=programme_id)
    line.tell(facts)
    relay = line.relay()
    relay.until(lambda: line.queue.ready == COUNT, missing="all letters in the queue")
    line.kill_at(line.consumer, Point.HANDLED)
    assert line.donations == 0

    relay.end()
    line.recover(facts)

    line.require_exact(facts)


def test_the_consumer_killed_after_its_commit_and_before_its_acknowledgement(line: Line, programme_id: UUID) -> None:
    """F9: what was settled comes again without a second effect."""
    facts = make_facts(COUNT, programme_id=programme_id)
    line.tell(facts)
    relay = line.relay()
    relay.until(lambda: line.queue.ready == COUNT, missing="all letters in the queue")
    line.kill_at(line.consumer, Point.COMMITTED)
    assert 0 < line.donations <= COUNT  # A batch is what was there when it was asked for.
    until(lambda: line.queue.ready == COUNT or line.queue.unacked, timeout=20, missing="the letters back in the queue")

    relay.end()
    line.recover(facts)

    line.require_exact(facts)


def test_killed_again_and_again_under_load(line: Line, programme_id: UUID) -> None:
    """Wherever they are hit, a relay and a consumer that come back end with exact books."""
    facts = make_facts(3_000, programme_id=programme_id, seed=2)
    for start in range(0, len(facts), 1_000):
        line.tell(facts[start : start + 1_000])
    left: list[int] = []
    for reached in (1, 1_500):
        relay, consumer = line.relay(), line.consumer()
        consumer.until(lambda reached=reached: line.donations >= reached, missing=f"{reached} donations")
        consumer.kill()
        relay.kill()
        left.append(len(facts) - line.donations)
    assert left[0] > 0, "killed too late to prove anything"

    line.recover(facts)

    line.require_exact(facts)


def test_what_is_rolled_back_is_never_told(line: Line, programme_id: UUID) -> None:
    """F3: no event and no effect, not even when the relay and the consumer are quick."""
    never, told = make_facts(2, programme_id=programme_id)
    relay, consumer = line.relay(), line.consumer()
    with pytest.raises(ChangedMind):
        tell_and_fail(line, never)
    line.tell([told])
    consumer.until(lambda: line.donations == 1 and line.outbox == 0, missing="the fact that was committed")
    relay.end()
    consumer.end()

    line.require_exact([told])
