"""Two batches in hand: settled beside each other under load, and nothing else is different."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import bus
from shared.bus.consumer import Consumer
from shared.bus.hand import Hand
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.transport import Delivery, TransportDown
from shared.database.sessions import Database
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.brokers import Handing
from tests.shared.bus.hearing import Settled, hear, heard, hearing_unless
from tests.shared.bus.running import Owner
from tests.waiting import until

MOMENT = 0.3


class End(BaseException):
    """What no inbox takes for the fate of a letter."""


class Meeting:
    """A handler in which each batch stays a moment, so that another one that is settled beside it can join it."""

    def __init__(self) -> None:
        self.met = 0
        self._barrier = threading.Barrier(2)

    def __call__(self, _tx: Session, _events: Settled) -> None:
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(MOMENT)
            self.met += 1
        self._barrier.reset()


def make_batches(count: int, *, size: int = 2) -> list[list[Delivery]]:
    return [[message_of(make_settled()) for _ in range(size)] for _ in range(count)]


def consume(handing: Handing, database: Database, subscriptions: Subscriptions) -> None:
    """Consume until there is nothing more to hand out."""
    Consumer(handing, Inbox(database, subscriptions)).run(handing.over)


def all_of(batches: Sequence[Sequence[Delivery]]) -> list[Delivery]:
    return [delivery for batch in batches for delivery in batch]


class TestBeside:
    def test_under_load_a_batch_is_settled_beside_the_one_before_it(self, listening: Database, hearer: Owner) -> None:
        """Each in a transaction of its own; the acknowledgements come in the order of the letters."""
        batches = make_batches(4)
        handing, meeting = Handing(*batches), Meeting()

        consume(handing, listening, hearing_unless(meeting, batch=2))

        assert meeting.met >= 2
        assert handing.acked == all_of(batches)
        assert (hearer.count("heard"), hearer.count("dead_letter")) == (8, 0)

    def test_never_more_than_two(self, listening: Database) -> None:
        """As many as have a connection."""
        inside, most = set[int](), 0

        def objection(_tx: object, _events: Settled) -> None:
            nonlocal most
            inside.add(threading.get_ident())
            most = max(most, len(inside))
            threading.Event().wait(0.05)
            inside.remove(threading.get_ident())

        consume(Handing(*make_batches(8)), listening, hearing_unless(objection, batch=2))

        assert most == 2

    def test_where_order_is_asked_for_one_follows_the_other(self, listening: Database) -> None:
        """Another handler of the same service asks for it; letters that wait behind a dead one rely on it."""
        batches, meeting = make_batches(3), Meeting()
        handing = Handing(*batches)

        def attend(tx: Session, events: Settled) -> None:
            hear(tx, events)
            meeting(tx, events)

        handlers = [
            bus.on(AttendanceSettled, batch=2)(attend),
            bus.on(AttendanceSettled, batch=2, ordered=True)(hear),
        ]
        consume(handing, listening, Subscriptions("ledger", handlers))

        assert meeting.met == 0
        assert handing.acked == all_of(batches)

    def test_what_was_handed_out_before_is_taken_alone(self, listening: Database) -> None:
        """One of it may end the process, and must take no other batch along."""
        first, again, last = make_batches(3)
        suspects = [again[0], replace(again[1], redelivered=True)]
        handing, meeting = Handing(first, suspects, last), Meeting()

        consume(handing, listening, hearing_unless(meeting, batch=2))

        assert meeting.met == 0
        assert handing.acked == [*first, *suspects, *last]

    def test_at_low_load_there_is_no_other_thread(self, listening: Database) -> None:
        """A letter is settled where it was fetched, at once."""
        threads: list[int] = []

        def objection(_tx: object, _events: Settled) -> None:
            threads.append(threading.get_ident())

        consume(Handing(*make_batches(3, size=1)), listening, hearing_unless(objection, batch=50))

        assert threads == [threading.get_ident()] * 3


class TestAcknowledging:
    def test_the_second_waits_for_the_first(self, listening: Database) -> None:
        """Its acknowledgement would be taken for that of the first as well."""
        batches = make_batches(2)
        handing = Handing(*batches)
        first = {fact_id(delivery) for delivery in batches[0]}
        acked_before: list[int] = []

        def objection(_tx: Session, events: Settled) -> None:
            if {str(event.attendance_id) for event in events} == first:
                until(partial(_has_heard, listening, 2), timeout=10, missing="the second batch")
                acked_before.append(len(handing.acked))

        consume(handing, listening, hearing_unless(objection, batch=2))

        assert acked_before == [0]
        assert handing.acked == all_of(batches)

    @pytest.mark.parametrize("ending", [0, 1])
    def test_what_is_raised_ends_the_consumer(self, listening: Database, ending: int) -> None:
        """The other batch is finished; from the one that raised on nothing is acknowledged, and nothing is begun."""
        batches, meeting = make_batches(4), Meeting()
        handing = Handing(*batches)
        ends_over = fact_id(batches[ending][0])

        def objection(tx: Session, events: Settled) -> None:
            meeting(tx, events)
            if ends_over in {str(event.attendance_id) for event in events}:
                raise End

        with pytest.raises(End):
            consume(handing, listening, hearing_unless(objection, batch=2))

        assert handing.acked == all_of(batches[:ending])
        with listening.transaction() as tx:
            assert {f"{each}" for each in heard(tx)} >= {fact_id(delivery) for delivery in batches[1 - ending]}
            assert ends_over not in {f"{each}" for each in heard(tx)}

    def test_told_to_stop_it_finishes_both(self, listening: Database) -> None:
        """F21: what is in hand takes effect and is acknowledged; nothing more is fetched."""
        batches, meeting = make_batches(4), Meeting()
        handing = Handing(*batches)

        def objection(tx: Session, events: Settled) -> None:
            meeting(tx, events)
            handing.over.set()

        consume(handing, listening, hearing_unless(objection, batch=2))

        assert handing.acked == all_of(batches[:2])
        with listening.transaction() as tx:
            assert len(heard(tx)) == 4

    def test_a_broker_that_goes_away_ends_neither(self, listening: Database) -> None:
        """What is in hand is settled once; whether its acknowledgement still counts, the subscription knows."""
        first, second = make_batches(2)
        handing, meeting = Handing(first, TransportDown("gone"), second), Meeting()

        consume(handing, listening, hearing_unless(meeting, batch=2))

        assert handing.acked == [*first, *second]


def test_a_batch_that_is_given_up_hides_no_bug_in_the_other() -> None:
    """What was raised beside it is raised by closing; nothing is acknowledged."""
    given_up, broken = make_batches(2)
    handing = Handing()

    def settle(deliveries: Sequence[Delivery]) -> bool:
        if deliveries is broken:
            raise End
        return False

    hand = Hand(handing, settle, most=2)
    assert hand.take(given_up)
    assert not hand.take(broken)

    with pytest.raises(End):
        hand.close()

    assert handing.acked == []


class TestDatabase:
    @pytest.mark.parametrize("state", ["40001", "40P01"])
    def test_one_that_had_to_give_way_is_tried_again(self, listening: Database, hearer: Owner, state: str) -> None:
        """F12: a serialization failure or a deadlock between the two is nobody's fault."""
        batches, meeting = make_batches(2), Meeting()
        handing, given_way = Handing(*batches), threading.Event()

        def objection(tx: Session, events: Settled) -> None:
            meeting(tx, events)
            if fact_id(batches[0][0]) in {str(event.attendance_id) for event in events} and not given_way.is_set():
                given_way.set()
                tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '{state}'; END $$"))

        consume(handing, listening, hearing_unless(objection, batch=2))

        assert given_way.is_set()
        assert handing.acked == all_of(batches)
        assert (hearer.count("heard"), hearer.count("dead_letter")) == (4, 0)

    def test_what_both_contain_takes_effect_once(self, listening: Database, hearer: Owner) -> None:
        """The broker repeats a letter into the next batch; whoever comes second waits, and drops it."""
        facts = [make_settled() for _ in range(40)]
        messages = [message_of(fact) for fact in facts]
        batches = [messages[start : start + 4][::-1] for start in range(0, 38, 2)]
        handing = Handing(*batches)

        consume(handing, listening, hearing_unless(lambda _tx, _events: None, batch=4))

        assert handing.acked == all_of(batches)
        assert hearer.count("dead_letter") == 0
        with listening.transaction() as tx:
            assert sorted(heard(tx)) == sorted(fact.attendance_id for fact in facts)


def fact_id(delivery: Delivery) -> str:
    """Return whose attendance a letter is about."""
    return delivery.headers["ce-partitionkey"]


def _has_heard(database: Database, count: int) -> bool:
    with database.transaction() as tx:
        return len(heard(tx)) == count
