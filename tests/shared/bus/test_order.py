"""Order where a handler asks for it: nothing of a key overtakes its dead letter, and nobody else waits."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared import bus
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import RELEASED_AT_ONCE, Inbox
from shared.bus.tables import DeadLetter
from shared.bus.testing import deliver, message_of
from shared.bus.upkeep import Upkeep
from shared.database.sessions import Database
from shared.errors import Conflict, Title
from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import Settled
from tests.shared.bus.running import Owner
from tests.waiting import until

WRITE = text("INSERT INTO heard (attendance_id, trace_id) VALUES (:id, :minutes)")
HEARD = text("SELECT trace_id FROM heard WHERE attendance_id = :key ORDER BY place")

WAITING = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


class Unwelcome(Conflict):
    """A rule says no to a fact."""

    code = "unwelcome"
    title = Title(zh="不受欢迎", en="Unwelcome")


class Doorkeeper:
    """An inbox with one handler that wants order and refuses some facts by their minutes."""

    def __init__(self, database: Database, *, ordered: bool = True, batch: int = 500) -> None:
        self.database = database
        self.unwelcome: set[int] = set()
        handler = bus.on(AttendanceSettled, batch=batch, ordered=ordered)(self._hear)
        self.inbox = Inbox(database, Subscriptions("ledger", [handler]))
        self.name = handler.name

    def _hear(self, tx: Session, events: Settled) -> None:
        for event in events:
            tx.execute(WRITE, {"id": event.attendance_id, "minutes": str(event.service_minutes)})
            if event.service_minutes in self.unwelcome:
                raise Unwelcome(minutes=event.service_minutes)

    def settle(self, *facts: AttendanceSettled) -> None:
        self.inbox.settle([message_of(fact) for fact in facts])

    def heard(self, key: UUID) -> list[int]:
        """Return the minutes that were heard of one key, in order."""
        with self.database.transaction() as tx:
            return [int(minutes) for minutes in tx.scalars(HEARD, {"key": key})]

    def replay(self) -> list[Exception | None]:
        """Try every dead letter again, each with what is parked behind it, as a replay does."""
        with self.database.transaction() as tx:
            return self.replay_within(tx)

    def replay_within(self, tx: Session) -> list[Exception | None]:
        """Do the same in the caller's transaction."""
        outcomes = []
        for letter in tx.scalars(select(DeadLetter).where(DeadLetter.state == "dead").order_by(DeadLetter.id)):
            outcomes.append(self.inbox.retry(tx, letter))
            if outcomes[-1] is None:
                close(tx, letter)
                assert letter.handler is not None
                assert letter.partition_key is not None
                self.inbox.release(tx, letter.handler, letter.partition_key)
        return outcomes


def close(tx: Session, letter: DeadLetter) -> None:
    tx.execute(text("UPDATE dead_letter SET state = 'replayed', closed_at = now() WHERE id = :id"), {"id": letter.id})


def versions(key: UUID, *minutes: int) -> list[AttendanceSettled]:
    """Make facts of one key, told apart by their minutes."""
    return [make_settled(attendance_id=key, minutes=each) for each in minutes]


@pytest.fixture
def keys() -> tuple[UUID, UUID]:
    return uuid4(), uuid4()


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_later_facts_of_a_dead_key_wait_and_follow_in_order(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID], batch: int
) -> None:
    """F16: K is parked behind its dead letter, L flows; a replay releases K in its order."""
    blocked, free = keys
    door = Doorkeeper(listening, batch=batch)
    door.unwelcome = {1}
    first, second, third = versions(blocked, 1, 2, 3)
    others = versions(free, 8, 9)

    door.settle(first, others[0], second)
    door.settle(third, others[1])

    assert (door.heard(blocked), door.heard(free)) == ([], [8, 9])
    assert hearer.count("parked_letter") == 2
    assert hearer.execute("SELECT count(*) FROM dead_letter") == [(1,)]

    door.unwelcome = set()
    assert door.replay() == [None]
    assert (hearer.count("parked_letter"), hearer.count("inbox")) == (0, 5)
    door.settle(*versions(blocked, 4))
    assert door.heard(blocked) == [1, 2, 3, 4]


def test_without_order_nobody_waits(listening: Database, hearer: Owner, keys: tuple[UUID, UUID]) -> None:
    """A handler that goes by versions has no need of it."""
    door = Doorkeeper(listening, ordered=False)
    door.unwelcome = {1}

    door.settle(*versions(keys[0], 1, 2))

    assert door.heard(keys[0]) == [2]
    assert hearer.count("parked_letter") == 0


def test_a_released_letter_that_fails_blocks_the_rest(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID]
) -> None:
    """It is the dead letter now, with its own cause; what comes after it still waits."""
    door = Doorkeeper(listening)
    door.unwelcome = {1, 3}
    door.settle(*versions(keys[0], 1, 2, 3, 4))
    door.unwelcome = {3}

    assert door.replay() == [None]

    assert door.heard(keys[0]) == [1, 2]
    assert hearer.execute("SELECT state, error FROM dead_letter ORDER BY id") == [
        ("replayed", "Unwelcome: unwelcome: Unwelcome (minutes=1)"),
        ("dead", "Unwelcome: unwelcome: Unwelcome (minutes=3)"),
    ]
    assert hearer.count("parked_letter") == 1


def test_a_release_that_was_cut_short_goes_on(listening: Database, hearer: Owner, keys: tuple[UUID, UUID]) -> None:
    """Letters that wait behind nothing are found; until then, later ones still wait behind them."""
    door = Doorkeeper(listening)
    door.unwelcome = {1}
    door.settle(*versions(keys[0], 1, 2))
    hearer.execute("UPDATE dead_letter SET state = 'discarded', closed_at = now()")
    door.settle(*versions(keys[0], 3))
    assert door.heard(keys[0]) == []

    assert Upkeep(door.inbox, []).release_orphaned() == 2

    assert door.heard(keys[0]) == [2, 3]
    assert hearer.count("parked_letter") == 0


def test_a_parked_letter_that_comes_again_is_a_repeat(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID]
) -> None:
    """It has its mark: the broker may repeat itself as with any other."""
    door = Doorkeeper(listening)
    door.unwelcome = {1}
    messages = [message_of(fact) for fact in versions(keys[0], 1, 2)]
    for _ in range(3):
        door.inbox.settle(messages)

    assert (hearer.count("parked_letter"), hearer.count("dead_letter")) == (1, 1)
    assert door.inbox.repeats == 4


def test_a_fact_that_comes_during_a_replay_waits_for_its_end(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID]
) -> None:
    """It neither slips in between nor is parked behind a letter that is dead no more."""
    door = Doorkeeper(listening)
    door.unwelcome = {1}
    door.settle(*versions(keys[0], 1, 2))
    door.unwelcome = set()
    with ThreadPoolExecutor(1) as pool:
        with listening.transaction() as tx:
            assert door.replay_within(tx) == [None]
            later = pool.submit(door.settle, *versions(keys[0], 3))
            until(lambda: hearer.execute(WAITING), timeout=10, missing="a consumer that waits")
        later.result(20)

    assert door.heard(keys[0]) == [1, 2, 3]
    assert hearer.count("parked_letter") == 0


def test_a_replay_that_meets_a_busy_consumer_waits_for_it(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID]
) -> None:
    """What the consumer is about to park is there when the replay releases the key."""
    door = Doorkeeper(listening)
    door.unwelcome = {1}
    door.settle(*versions(keys[0], 1))
    door.unwelcome = set()
    handler = door.inbox.subscriptions.handlers[0]
    with ThreadPoolExecutor(1) as pool:
        with listening.transaction() as tx:
            assert deliver(tx, handler, message_of(*versions(keys[0], 2))) == 1
            replay = pool.submit(door.replay)
            until(lambda: hearer.execute(WAITING), timeout=10, missing="a replay that waits")
        assert replay.result(20) == [None]

    assert door.heard(keys[0]) == [1, 2]
    assert hearer.count("parked_letter") == 0


def test_a_long_queue_behind_one_key_is_released_in_parts(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID]
) -> None:
    """The handler's other letters wait for one part at most; order holds from part to part."""
    door = Doorkeeper(listening)
    door.unwelcome = {1}
    count = RELEASED_AT_ONCE + 50
    door.settle(*versions(keys[0], *range(1, count + 1)))
    door.unwelcome = set()

    assert door.replay() == [None]
    assert hearer.count("parked_letter") == count - 1 - RELEASED_AT_ONCE
    door.settle(*versions(keys[0], count + 1))
    assert len(door.heard(keys[0])) == RELEASED_AT_ONCE + 1

    assert Upkeep(door.inbox, []).release_orphaned() == 50
    assert door.heard(keys[0]) == list(range(1, count + 2))


def test_nothing_is_released_past_a_dead_letter(listening: Database, hearer: Owner, keys: tuple[UUID, UUID]) -> None:
    """Whoever comes second, with an old list in hand, finds it dead and leaves the rest."""
    door = Doorkeeper(listening)
    door.unwelcome = {1, 2}
    door.settle(*versions(keys[0], 1, 2, 3))
    door.unwelcome = {2}
    assert door.replay() == [None]

    with listening.transaction() as tx:
        assert door.inbox.release(tx, door.name, str(keys[0])) == 0

    assert door.heard(keys[0]) == [1]
    assert hearer.count("parked_letter") == 1


def test_letters_of_a_handler_that_is_gone_hold_up_nobody(
    listening: Database, hearer: Owner, keys: tuple[UUID, UUID]
) -> None:
    """They stay for who may bring it back, and are not looked at again and again."""
    door = Doorkeeper(listening)
    door.unwelcome = {1}
    door.settle(*versions(keys[0], 1, 2))
    hearer.execute("UPDATE dead_letter SET state = 'discarded', closed_at = now()")
    hearer.execute("UPDATE parked_letter SET handler = 'ledger.gone'")

    assert Upkeep(door.inbox, []).release_orphaned() == 0

    assert hearer.count("parked_letter") == 1
