"""Facts that wait for their time: told once it has come, unless they are called back before."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from shared import bus, clock
from shared.bus.relay import Relay
from shared.database.sessions import Database
from tests.factories.ledger import make_settled
from tests.shared.bus.brokers import Scripted
from tests.shared.bus.running import Owner

NOON = datetime(2022, 5, 14, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Desk:
    """A relay that is asked to look, at times that a test says."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.broker = Scripted()
        self.relay = Relay(database, self.broker, service="activities")

    def look(self, at: datetime) -> list[str]:
        """Return whose facts leave when the clock says `at`."""
        before = len(self.broker.letters)
        clock.travel(at)
        try:
            with self.database.engine.connect() as connection:
                while self.relay.pump(connection):
                    pass
        finally:
            clock.come_back()
        return [letter.headers["ce-partitionkey"] for letter in self.broker.letters[before:]]


@pytest.fixture
def desk(telling: Database, told: Owner) -> Desk:
    del told
    return Desk(telling)


def remind(desk: Desk, at: datetime, key: str | None = None) -> str:
    """Emit a fact for later; return whose it is."""
    fact = make_settled()
    with desk.database.transaction() as tx:
        bus.emit(tx, fact, at=at, key=key)
    return fact.partition_key


def cancel(desk: Desk, key: str) -> bool:
    with desk.database.transaction() as tx:
        return bus.cancel(tx, key)


def cancel_and_fail(desk: Desk, key: str) -> None:
    with desk.database.transaction() as tx:
        assert bus.cancel(tx, key)
        raise ZeroDivisionError


def test_a_fact_waits_for_its_instant(desk: Desk) -> None:
    """Not a second before; and then in order of the instants, past ones too."""
    later, sooner, past = remind(desk, NOON + HOUR), remind(desk, NOON), remind(desk, NOON - HOUR)

    assert desk.look(NOON - timedelta(seconds=1)) == [past]
    assert desk.look(NOON) == [sooner]
    assert desk.look(NOON + HOUR) == [later]
    assert desk.look(NOON + 24 * HOUR) == []


def test_what_is_overdue_leaves_in_the_order_of_its_instants(desk: Desk) -> None:
    """After a stop as well: two reminders of one thing do not swap."""
    hours = (5, 1, 4, 2, 3, 6)
    facts = {hour: remind(desk, NOON + hour * HOUR) for hour in hours}

    assert desk.look(NOON + 24 * HOUR) == [facts[hour] for hour in sorted(hours)]


def test_a_cancelled_fact_is_never_told(desk: Desk) -> None:
    """And cancelling says whether it was in time."""
    remind(desk, NOON, "shift:1")
    other = remind(desk, NOON, "shift:2")

    assert cancel(desk, "shift:1")
    assert not cancel(desk, "shift:1")
    assert desk.look(NOON) == [other]
    assert not cancel(desk, "shift:2")


def test_a_change_that_is_rolled_back_cancels_nothing(desk: Desk) -> None:
    """N6: the reminder lives and dies with the change itself."""
    fact = remind(desk, NOON, "shift:1")
    with pytest.raises(ZeroDivisionError):
        cancel_and_fail(desk, "shift:1")

    assert desk.look(NOON) == [fact]


def test_the_same_key_replaces_what_waits_under_it(desk: Desk, told: Owner) -> None:
    """A shift that is moved reminds once, at its new time and with its new facts."""
    remind(desk, NOON, "shift:1")
    moved = remind(desk, NOON + HOUR, "shift:1")

    assert told.count("outbox") == 1
    assert desk.look(NOON) == []
    assert desk.look(NOON + HOUR) == [moved]
    again = remind(desk, NOON + 2 * HOUR, "shift:1")  # What was told is told; a new one waits anew.
    assert desk.look(NOON + 2 * HOUR) == [again]


def test_a_key_without_an_instant_is_a_mistake(desk: Desk) -> None:
    """As is one key for two facts: nobody could say which of them it names."""
    for facts, at in (([make_settled()], None), ([make_settled(), make_settled()], NOON)):
        with pytest.raises(ValueError, match="one event and the instant"), desk.database.transaction() as tx:
            bus.emit(tx, *facts, at=at, key="shift:1")


def test_a_clock_that_jumps_neither_loses_nor_repeats(desk: Desk) -> None:
    """F22: an hour ahead and back again; each is told once, what was told early is not told again."""
    first, second, third = (remind(desk, NOON + number * HOUR) for number in range(3))

    assert desk.look(NOON) == [first]
    assert desk.look(NOON + HOUR) == [second]
    assert desk.look(NOON - HOUR) == []
    assert desk.look(NOON + HOUR) == []
    assert desk.look(NOON + 3 * HOUR) == [third]


def test_two_relays_tell_it_once(desk: Desk, telling: Database, told: Owner) -> None:
    """F22: both look at the same instant."""
    facts = sorted(remind(desk, NOON) for _ in range(50))
    other = Relay(telling, desk.broker, service="activities")
    start = threading.Barrier(2)

    def look(relay: Relay) -> None:
        start.wait(10)
        with telling.engine.connect() as connection:
            relay.pump(connection)

    threads = [threading.Thread(target=look, args=(relay,)) for relay in (desk.relay, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert told.count("outbox") == 0
    assert told.execute("SELECT count(*), count(DISTINCT event_id) FROM event_archive") == [(50, 50)]
    assert sorted({letter.headers["ce-partitionkey"] for letter in desk.broker.letters}) == facts


def test_cancelling_and_telling_at_once_do_one_or_the_other(desk: Desk, telling: Database, told: Owner) -> None:
    """Whoever is later sees what the earlier one did."""
    outcomes: list[bool] = []
    for number in range(20):
        key = f"shift:{number}"
        remind(desk, NOON, key)
        before = len(desk.broker.letters)
        with telling.transaction() as tx:
            in_time = bus.cancel(tx, key)
            assert desk.look(NOON) == []  # The row is locked: passed over, not waited for.
        outcomes.append(in_time)
        assert desk.look(NOON) == []
        assert len(desk.broker.letters) == before

    assert all(outcomes)
    assert told.count("outbox") == 0
