"""What only the embedded broker can suffer: a connection that the server ends under a transport in use."""

from collections.abc import Callable

import pytest

from shared.bus.transport import Transport, TransportDown
from shared.database.server import Server
from tests.shared.bus.running import Owner
from tests.shared.bus.transport.letters import CONFIRMED, INBOX, ids, make_letter, make_letters, receive
from tests.waiting import until

Connect = Callable[[], Transport]
pytestmark = pytest.mark.parametrize("connect", ["postgres"], indirect=True)


@pytest.fixture
def broker(server: Server) -> Owner:
    return Owner(server, "bus")


def test_a_lost_connection_is_told_once_and_its_letters_come_again(connect: Connect, broker: Owner) -> None:
    """The lock went with it, and so did the claims."""
    transport = connect()
    letters = make_letters(3)
    transport.publish(letters)
    inbox = transport.subscribe(INBOX, batch=10)
    stale = receive(inbox, 3)

    broker.cut()

    with pytest.raises(TransportDown):
        inbox.fetch(timeout=1)
    again = receive(inbox, 3)
    inbox.ack(stale)
    assert ids(again) == [letter.id for letter in letters]
    assert all(delivery.redelivered for delivery in again)
    assert transport.stats(INBOX).unacked == 3


def test_an_acknowledgement_that_cannot_be_written_is_told(connect: Connect, broker: Owner) -> None:
    """The consumer knows that its letters will come again."""
    transport = connect()
    transport.publish(make_letters(3))
    inbox = transport.subscribe(INBOX, batch=10)
    batch = receive(inbox, 3)
    broker.cut()

    with pytest.raises(TransportDown):
        inbox.ack(batch)

    assert ids(receive(inbox, 3)) == ids(batch)


def test_the_next_consumer_takes_over_from_one_that_was_cut_off(connect: Connect, broker: Owner) -> None:
    """At most one is active; the first waits its turn when it comes back."""
    first, second = connect().subscribe(INBOX, batch=10), connect().subscribe(INBOX, batch=10)
    connect().publish([make_letter()])
    receive(first, 1)
    assert second.fetch(timeout=0.1) == []

    leader = broker.leader()
    assert leader is not None
    broker.cut(leader)

    assert len(receive(second, 1)) == 1
    with pytest.raises(TransportDown):
        first.fetch(timeout=0)
    assert first.fetch(timeout=0.2) == []


def test_a_server_that_is_away_is_down_for_every_call(connect: Connect, broker: Owner) -> None:
    """And everything works again without anybody's help when it is back."""
    transport = connect()
    letter = make_letter()
    inbox = transport.subscribe(INBOX, batch=10)
    inbox.fetch(timeout=0)
    with broker.away():
        calls: list[Callable[[], object]] = [
            lambda: transport.publish([letter]),
            lambda: transport.check([INBOX]),
            lambda: transport.stats(INBOX),
            lambda: inbox.fetch(timeout=0),
        ]
        for call in calls * 2:
            with pytest.raises(TransportDown):
                call()

    assert transport.publish([letter]) == {letter.id: CONFIRMED}
    assert ids(receive(inbox, 1)) == [letter.id]


def test_closing_a_transport_gives_back_what_its_subscriptions_hold(connect: Connect) -> None:
    """Nobody waits for a lock that a closed transport forgot."""
    transport, other = connect(), connect()
    transport.publish(make_letters(2))
    held = transport.subscribe(INBOX, batch=10)
    receive(held, 2)

    transport.close()

    until(lambda: other.stats(INBOX).ready == 2, timeout=5, missing="both letters back")
    assert len(receive(other.subscribe(INBOX, batch=10), 2)) == 2
