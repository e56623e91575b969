"""The engine behind every event door: each fact once, all that can, and none lost."""

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.testing import deliver, message_of
from shared.bus.transport import Delivery
from shared.database.faults import is_transient
from shared.database.sessions import Database
from shared.errors import Conflict, Title
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import Settled, heard, hearing, hearing_unless
from tests.shared.bus.running import Owner, counted


class Unwelcome(Conflict):
    """A rule says no to a fact."""

    code = "unwelcome"
    title = Title(zh="不受欢迎", en="Unwelcome")


class Bug(Exception):
    """What a handler raises that nobody expected."""


def make_facts(count: int) -> list[AttendanceSettled]:
    return [make_settled() for _ in range(count)]


def messages_of(facts: Sequence[AttendanceSettled]) -> list[Delivery]:
    return [message_of(fact) for fact in facts]


def changed(delivery: Delivery, *, body: bytes | None = None, **headers: str | None) -> Delivery:
    """Change a message's body and headers (`ce_type` stands for `ce-type`); None takes one away."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {name: value for name, value in ({**delivery.headers} | named).items() if value is not None}
    kept_body = delivery.body if body is None else body
    return Delivery(kept, kept_body, delivery.routing_key, redelivered=False, receipt=None)


def heard_by(database: Database) -> list[UUID]:
    with database.transaction() as tx:
        return heard(tx)


def dead(owner: Owner) -> list[tuple[Any, ...]]:
    return owner.execute("SELECT reason, handler, type, attempts FROM dead_letter ORDER BY died_at, id")


def bad_one(fact: AttendanceSettled, error: Exception) -> Callable[[Session, Settled], None]:
    """Object to one fact in whatever company it comes."""

    def objection(_tx: Session, events: Settled) -> None:
        if fact in events:
            raise error

    return objection


class TestEachOnce:
    def test_every_fact_is_heard_in_order(self, listening: Database, hearer: Owner) -> None:
        """One transaction a batch, and nothing left over."""
        facts = make_facts(30)

        with counted(listening.engine) as seen:
            Inbox(listening, hearing(batch=10)).settle(messages_of(facts))

        assert heard_by(listening) == [fact.attendance_id for fact in facts]
        assert (seen.count("BEGIN"), hearer.count("inbox"), hearer.count("dead_letter")) == (3, 30, 0)

    def test_a_message_that_comes_again_has_no_effect(self, listening: Database) -> None:
        """The broker may repeat itself, in whatever batch."""
        facts = make_facts(3)
        messages = messages_of(facts)
        inbox = Inbox(listening, hearing())

        for batch in (messages, messages[::-1], messages[1:2]):
            inbox.settle(batch)

        assert heard_by(listening) == [fact.attendance_id for fact in facts]

    def test_a_message_twice_in_one_batch_has_one_effect(self, listening: Database) -> None:
        """A relay that was killed publishes its batch again at once."""
        facts = make_facts(2)
        first, second = messages_of(facts)

        Inbox(listening, hearing()).settle([first, second, first, first, second])

        assert heard_by(listening) == [fact.attendance_id for fact in facts]

    def test_two_handlers_of_one_fact_each_hear_it(self, listening: Database) -> None:
        """A mark is a handler's own: what one could not take, the other did."""

        def also_hear(tx: Session, events: Settled) -> None:
            del tx, events
            raise Unwelcome

        subscriptions = Subscriptions("ledger", [*hearing().handlers, *hearing(also_hear).handlers])
        fact = make_settled()

        Inbox(listening, subscriptions).settle([message_of(fact)])

        assert heard_by(listening) == [fact.attendance_id]

    def test_a_message_delivered_by_hand_is_marked_like_any_other(self, listening: Database) -> None:
        """What handlers' tests rely on: `deliver` drops repeats as the consumer does."""
        handler = hearing().handlers[0]
        message = message_of(make_settled())
        with listening.transaction() as tx:
            assert [deliver(tx, handler, *batch) for batch in ((message, message), (message,))] == [1, 0]
            assert len(heard(tx)) == 1


class TestBadAmongGood:
    def test_one_bad_among_five_hundred_is_found_and_the_others_go_on(self, listening: Database, hearer: Owner) -> None:
        """F10: 499 applied, one dead letter with its cause, within 2·log2(500) + 3 transactions."""
        facts = make_facts(500)
        subscriptions = hearing_unless(bad_one(facts[333], Bug("it cannot be")))

        with counted(listening.engine) as seen:
            Inbox(listening, subscriptions).settle(messages_of(facts))

        assert heard_by(listening) == [fact.attendance_id for fact in facts if fact is not facts[333]]
        assert dead(hearer) == [("failed", "shared.hear_unless", facts[333].type, 3)]
        assert seen.count("BEGIN") <= 2 * math.log2(500) + 3

    def test_a_refusal_is_final_and_says_so(self, listening: Database, hearer: Owner) -> None:
        """A rule that said no will say no again."""
        facts = make_facts(3)
        Inbox(listening, hearing_unless(bad_one(facts[1], Unwelcome(minutes=7)))).settle(messages_of(facts))

        assert heard_by(listening) == [facts[0].attendance_id, facts[2].attendance_id]
        assert dead(hearer) == [("refused", "shared.hear_unless", facts[1].type, 1)]
        ((error,),) = hearer.execute("SELECT error FROM dead_letter")
        assert error == "Unwelcome: unwelcome: Unwelcome (minutes=7)"

    def test_a_bug_is_tried_three_times_and_kept_with_its_stack(self, listening: Database, hearer: Owner) -> None:
        """Who mends it finds where it broke, and the message as it was."""
        tries: list[int] = []

        def objection(_tx: Session, events: Settled) -> None:
            tries.append(len(events))
            raise Bug("it cannot be")

        message = message_of(make_settled())
        Inbox(listening, hearing_unless(objection)).settle([message])

        assert (tries, heard_by(listening)) == ([1, 1, 1], [])
        ((stack, body, event_id),) = hearer.execute("SELECT stack, body, event_id FROM dead_letter")
        assert "in objection" in str(stack)
        assert (body, str(event_id)) == (message.body, message.headers["ce-id"])

    def test_a_bug_that_passes_is_no_dead_letter(self, listening: Database, hearer: Owner) -> None:
        """The third try counts."""
        tries: list[int] = []

        def objection(_tx: Session, events: Settled) -> None:
            tries.append(len(events))
            if len(tries) < 3:
                raise Bug("not yet")

        fact = make_settled()
        Inbox(listening, hearing_unless(objection)).settle([message_of(fact)])

        assert (heard_by(listening), hearer.count("dead_letter")) == ([fact.attendance_id], 0)

    def test_what_the_database_refuses_at_the_commit_is_the_letters_fate(
        self, listening: Database, hearer: Owner
    ) -> None:
        """A deferred constraint fails last, and must not stop the consumer."""
        facts = make_facts(4)
        hearer.execute(f"""
            ALTER TABLE heard DROP CONSTRAINT IF EXISTS once;
            ALTER TABLE heard ADD COLUMN IF NOT EXISTS good boolean GENERATED ALWAYS
                AS (attendance_id <> '{facts[2].attendance_id}') STORED
        """)
        hearer.execute("""
            CREATE FUNCTION object() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF NOT new.good THEN RAISE check_violation; END IF; RETURN NULL; END $$
        """)
        hearer.execute("""
            CREATE CONSTRAINT TRIGGER late AFTER INSERT ON heard DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION object()
        """)
        try:
            Inbox(listening, hearing()).settle(messages_of(facts))
        finally:
            hearer.execute("DROP FUNCTION object CASCADE")
            hearer.execute("ALTER TABLE heard DROP COLUMN good")

        assert heard_by(listening) == [fact.attendance_id for fact in facts if fact is not facts[2]]
        assert dead(hearer) == [("failed", "shared.hear", facts[2].type, 3)]

    def test_a_dead_letter_is_not_handled_when_it_comes_again(self, listening: Database, hearer: Owner) -> None:
        """Its mark stands: only a replay tries it anew."""
        fact = make_settled()
        message = message_of(fact)
        Inbox(listening, hearing_unless(bad_one(fact, Unwelcome()))).settle([message])

        Inbox(listening, hearing_unless(bad_one(make_settled(), Unwelcome()))).settle([message])

        assert (heard_by(listening), hearer.count("dead_letter")) == ([], 1)


GOOD = message_of(make_settled())
UNREADABLE = {
    "unknown type": (changed(GOOD, ce_type="activities.attendance.forgotten.v1"), "unknown_type"),
    "newer version": (changed(GOOD, ce_type="activities.attendance.settled.v2"), "unknown_version"),
    "no type": (changed(GOOD, ce_type=None), "broken_envelope"),
    "no id": (changed(GOOD, ce_id=None), "broken_envelope"),
    "an id that is none": (changed(GOOD, ce_id="1"), "broken_envelope"),
    "another CloudEvents": (changed(GOOD, ce_specversion="0.3"), "broken_envelope"),
    "no headers": (Delivery({}, GOOD.body, "", redelivered=False, receipt=None), "broken_envelope"),
    "no JSON": (changed(GOOD, body=b"{"), "broken_body"),
    "nothing": (changed(GOOD, body=b""), "broken_body"),
    "another shape": (changed(GOOD, body=b'{"minutes": 1}'), "broken_body"),
    "negative minutes": (changed(GOOD, body=GOOD.body.replace(b":120", b":-1")), "broken_body"),
    "NUL in the body": (changed(GOOD, body=GOOD.body + b"\x00"), "broken_body"),
    "invalid UTF-8": (changed(GOOD, body=b'{"a": "\xff\xfe"}'), "broken_body"),
    "a surrogate in the body": (changed(GOOD, body=rb'{"programme_id": "\ud800"}'), "broken_body"),
    "NUL in the type": (changed(GOOD, ce_type="a\x00b.v1"), "unknown_type"),
    "NUL in a header": (changed(GOOD, body=b"", ce_note="a\x00b"), "broken_body"),
    "a surrogate in the type": (changed(GOOD, ce_type="a\ud800.v1"), "unknown_type"),
    "a surrogate in the id": (changed(GOOD, ce_id="\ud800"), "broken_envelope"),
    "a surrogate in a header": (changed(GOOD, body=b"", ce_note="\udfff"), "broken_body"),
}


class TestUnreadable:
    @pytest.mark.parametrize("what", UNREADABLE)
    def test_what_cannot_be_read_is_kept_and_blocks_nobody(self, listening: Database, hearer: Owner, what: str) -> None:
        """F23: whoever may publish may publish garbage; none of it is dropped, and its bytes are as they came."""
        garbage, reason = UNREADABLE[what]
        facts = make_facts(2)
        first, last = messages_of(facts)

        Inbox(listening, hearing()).settle([first, garbage, last])

        assert heard_by(listening) == [fact.attendance_id for fact in facts]
        assert hearer.execute("SELECT reason, body, handler FROM dead_letter") == [(reason, garbage.body, None)]

    @pytest.mark.parametrize("what", UNREADABLE)
    def test_the_same_garbage_is_kept_once(self, listening: Database, hearer: Owner, what: str) -> None:
        """It comes again when the consumer dies before its acknowledgement; RabbitMQ then counts in a header."""
        garbage, _ = UNREADABLE[what]
        counted = {**garbage.headers, "x-delivery-count": "1"}
        again = Delivery(counted, garbage.body, garbage.routing_key, redelivered=True, receipt=None)
        inbox = Inbox(listening, hearing())

        for delivery in (garbage, garbage, again):
            inbox.settle([delivery])

        assert hearer.count("dead_letter") == 1

    def test_garbage_of_two_kinds_is_kept_twice(self, listening: Database, hearer: Owner) -> None:
        """Where a header ends and the next begins is part of what makes two letters the same."""
        letters = [changed(GOOD, body=b"", ce_a="1", ce_b="2"), changed(GOOD, body=b"", ce_a="12", ce_b="")]

        Inbox(listening, hearing()).settle(letters)

        assert hearer.count("dead_letter") == 2


def raise_state(state: str) -> Callable[[Session], None]:
    def raise_it(tx: Session) -> None:
        tx.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '{state}'; END $$"))

    return raise_it


def lose_connection(tx: Session) -> None:
    tx.execute(text("SET ROLE NONE"))  # Only the owner may end a connection, as an administrator would.
    tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def find_no_connection(tx: Session) -> None:
    engine = create_engine(tx.get_bind().engine.url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        stack.enter_context(engine.connect())
        engine.connect()


TRANSIENT = {
    "deadlock": raise_state("40P01"),
    "serialization failure": raise_state("40001"),
    "server going down": raise_state("57P01"),
    "too many connections": raise_state("53300"),
    "connection lost": lose_connection,
    "no connection free": find_no_connection,
}


class TestTransient:
    @pytest.mark.parametrize("size", [1, 5])
    @pytest.mark.parametrize("what", TRANSIENT)
    def test_a_busy_database_buries_nothing(self, listening: Database, hearer: Owner, what: str, size: int) -> None:
        """F12: the same batch is tried again and has its effect once; nobody is to blame."""
        failures = [TRANSIENT[what]]

        def objection(tx: Session, _events: Settled) -> None:
            if failures:
                failures.pop()(tx)

        facts = make_facts(size)
        messages = messages_of(facts)
        inbox = Inbox(listening, hearing_unless(objection))

        with pytest.raises(SQLAlchemyError) as failure:
            inbox.settle(messages)

        assert is_transient(failure.value)
        assert (heard_by(listening), hearer.count("inbox"), hearer.count("dead_letter")) == ([], 0, 0)
        inbox.settle(messages)
        assert heard_by(listening) == [fact.attendance_id for fact in facts]

    def test_a_broken_rule_of_the_database_is_not_transient(self, listening: Database, hearer: Owner) -> None:
        """Waiting mends no duplicate key: it is the letter's fate, and the queue moves on."""
        inbox = Inbox(listening, hearing_unless(lambda tx, _events: raise_state("23505")(tx)))

        inbox.settle([message_of(make_settled())])

        assert [reason for reason, *_ in dead(hearer)] == ["failed"]
