"""A consumer in trouble, as a process of its own over each transport: a bad fact, a deadly one, a slow one, a rival."""

from functools import partial
from random import Random
from uuid import UUID

from sqlalchemy import delete, func, select

from services.ledger.donations.tables import Donation
from services.ledger.main import SERVICE as LEDGER
from shared import clock
from shared.bus import archive
from shared.bus.inbox import Inbox
from shared.bus.relay import event_letter
from shared.bus.tables import DeadLetter, ParkedLetter
from shared.bus.tables import Inbox as Mark
from tests.factories.ledger import make_revised
from tests.faults.actor import Point
from tests.faults.conftest import Line
from tests.faults.facts import make_facts
from tests.faults.processes import Process
from tests.waiting import until

COUNT = 400
FAIL_OVER_SECONDS = 5


def until_settled(line: Line, process: Process, donations: int) -> None:
    """Wait until all that can be settled is, and the queue is empty."""
    process.until(lambda: line.outbox == 0 and line.donations == donations, missing=f"{donations} donations")
    process.until(lambda: line.queue.ready == 0 and not line.queue.unacked, missing="an empty queue")


def _is_decided(line: Line, consumer: Process) -> bool:
    return consumer.is_over or bool(line.dead)


def test_one_bad_fact_among_five_hundred_is_found(line: Line, programme_id: UUID) -> None:
    """F10: 499 donations, one dead letter with its cause after three tries."""
    facts = make_facts(500, programme_id=programme_id)
    bad = facts[333]
    line.tell(facts)
    relay, consumer = line.relay(), line.consumer(Point.NOWHERE, f"--refuse={bad.attendance_id}")
    until_settled(line, consumer, 499)
    relay.end()
    consumer.end()

    assert line.dead == [(bad.attendance_id, "failed", 3)]
    line.require_exact([fact for fact in facts if fact is not bad], dead=1)


def test_a_fact_that_kills_is_isolated_and_takes_no_neighbour_along(line: Line, programme_id: UUID) -> None:
    """F11: after three ended processes it is the one dead letter; all others are in the books."""
    facts = make_facts(60, programme_id=programme_id)
    killer = facts[31]
    line.tell(facts)
    relay = line.relay()
    relay.until(lambda: line.queue.ready == len(facts), missing="all letters in the queue")
    ends = 0
    while True:
        consumer = line.consumer(Point.NOWHERE, f"--die-of={killer.attendance_id}")
        until(partial(_is_decided, line, consumer), timeout=60, missing="an end or a dead letter")
        if not consumer.is_over:
            break
        ends += 1
    until_settled(line, consumer, len(facts) - 1)
    relay.end()
    consumer.end()

    assert ends == 3
    assert line.dead == [(killer.attendance_id, "killed", 3)]
    line.require_exact([fact for fact in facts if fact is not killer], dead=1)


def test_a_slow_handler_keeps_its_connection_and_runs_once(line: Line, programme_id: UUID) -> None:
    """F13: slower than three heartbeats; it is neither cut off nor run a second time beside itself."""
    facts = make_facts(20, programme_id=programme_id)
    line.tell(facts)
    relay = line.relay()
    relay.until(lambda: line.queue.ready == len(facts), missing="all letters in the queue")
    first = line.consumer(Point.NOWHERE, "--slow-seconds=5")
    first.until(lambda: line.is_slow, missing="a handler that has begun")
    second = line.consumer()
    second.until(lambda: "ready" in second.output, missing="a second consumer")
    first.until(lambda: line.donations == len(facts), missing="the donations of the slow handler")
    for process in (first, second, relay):
        process.end()

    assert "broker_away" not in first.output
    assert "repeats_dropped" not in first.output + second.output
    line.require_exact(facts)


def test_when_the_active_consumer_is_killed_the_other_takes_over(line: Line, programme_id: UUID) -> None:
    """F15: within seconds, and never both at once: while the first lives the second gets nothing."""
    facts = make_facts(40, programme_id=programme_id)
    relay, first = line.relay(), line.consumer()
    line.tell(facts[:10])
    first.until(lambda: line.donations == 10, missing="donations by the first")
    second = line.consumer()
    second.until(lambda: "ready" in second.output, missing="a second consumer")
    line.tell(facts[10:20])
    first.until(lambda: line.donations == 20, missing="more donations by the first")
    assert "handled" not in second.output
    first.kill()
    line.tell(facts[20:])
    second.until(lambda: line.donations == 40, missing="donations by the second", timeout=FAIL_OVER_SECONDS)
    until_settled(line, second, 40)
    relay.end()
    second.end()

    line.require_exact(facts)


def test_when_the_active_relay_is_killed_the_other_takes_over(line: Line, programme_id: UUID) -> None:
    """F15: within seconds; what the first had published and not deleted is dropped as a repeat."""
    facts = make_facts(40, programme_id=programme_id)
    line.tell(facts[:20])
    first = line.relay(Point.PUBLISHED)
    first.until(lambda: line.queue.ready == 20, missing="the letters of the first relay")
    second, consumer = line.relay(), line.consumer()
    second.until(lambda: "ready" in second.output, missing="a second relay")
    consumer.until(lambda: line.donations == 20, missing="the first donations")
    assert line.outbox == 20
    line.tell(facts[20:])
    first.kill()
    second.until(lambda: line.donations == 40, missing="the other donations", timeout=FAIL_OVER_SECONDS)
    until_settled(line, consumer, 40)
    second.end()
    consumer.end()

    line.require_exact(facts)


def test_later_versions_wait_behind_a_dead_one_where_order_is_asked_for(line: Line, programme_id: UUID) -> None:
    """F16: K is parked, L flows; the replay of K's dead letter releases the rest of K in order."""
    blocked, free = make_facts(2, programme_id=programme_id)
    later = make_revised(blocked, minutes=60)
    tampering = (f"--refuse={blocked.attendance_id}", "--ordered", "--batch=1")
    relay, consumer = line.relay(), line.consumer(Point.NOWHERE, *tampering)
    line.tell([blocked, later, free])
    until_settled(line, consumer, 1)
    relay.end()
    consumer.end()
    assert [key for key, _, _ in line.dead] == [blocked.attendance_id]

    inbox = Inbox(line.ledger, LEDGER.subscriptions)
    with line.ledger.transaction() as tx:
        letter = tx.scalars(select(DeadLetter)).one()
        assert inbox.retry(tx, letter) is None
        letter.state, letter.closed_at = "replayed", clock.now()
        tx.flush()
        assert inbox.release(tx, f"{letter.handler}", f"{letter.partition_key}") == 1

    with line.ledger.transaction() as tx:
        decided = tx.execute(
            select(Donation.attendance_id, Donation.version).order_by(Donation.decided_at, Donation.id)
        )
        assert [tuple(row) for row in decided] == [
            (free.attendance_id, 1),
            (blocked.attendance_id, 1),
            (blocked.attendance_id, 2),
        ]
        assert tx.scalar(select(func.count()).select_from(ParkedLetter)) == 0


def test_told_to_end_under_load_it_finishes_what_it_has_in_hand(line: Line, programme_id: UUID) -> None:
    """F21: clean exit within the grace period; the rest is back in its queue, and nothing was done by halves."""
    facts = make_facts(3_000, programme_id=programme_id)
    line.tell(facts)
    relay = line.relay()
    relay.until(lambda: line.queue.ready == len(facts), missing="all letters in the queue")
    consumer = line.consumer(Point.NOWHERE, "--batch=100")
    consumer.until(lambda: line.donations >= 100, missing="the first batch")
    consumer.end()
    relay.end()
    until(lambda: line.queue.ready + line.donations == len(facts), timeout=20, missing="the rest in its queue")
    assert line.queue.ready > 0, "told too late to prove anything"

    line.recover(facts)

    line.require_exact(facts)


def test_everything_told_again_after_the_inbox_forgot_it_changes_nothing(line: Line, programme_id: UUID) -> None:
    """F18: twice, shuffled, from the archive; the ledger's own keys know what the inbox forgot."""
    facts = make_facts(COUNT, programme_id=programme_id)
    line.tell(facts)
    line.recover(facts)
    with line.activities.transaction() as tx:
        told = [event_letter("activities", row) for row in archive.read(tx, LEDGER.subscriptions.models)]
    assert len(told) == COUNT
    with line.ledger.transaction() as tx:
        tx.execute(delete(Mark))

    again = told * 2
    Random(5).shuffle(again)  # noqa: S311  Not a secret.
    line.transport.publish(again)
    consumer = line.consumer()
    consumer.until(
        lambda: line.marks == COUNT and line.queue.ready == 0 and not line.queue.unacked, missing="all of it"
    )
    consumer.end()

    line.require_exact(facts)
