"""A broker that misbehaves: each fault really happens, can be repeated, and breaks no promise of a transport."""

import contextlib
from random import Random
from uuid import UUID

from shared.bus.testing import Fault, FaultyTransport, MemoryTransport, by_itself
from shared.bus.topology import Topology
from shared.bus.transport import Delivery, Transport, TransportDown
from tests.shared.bus.transport.letters import INBOX, ids, make_letter, make_letters, publish_all

INBOX_ONLY = Topology({INBOX: frozenset({"activities.attendance.settled"})})
CALLS = 60


class Reader:
    """Reads a faulty queue to its end, acknowledging what a consumer would."""

    def __init__(self, transport: Transport, *, batch: int = 10) -> None:
        self.transport = transport
        self.subscription = transport.subscribe(INBOX, batch=batch)
        self.seen: list[Delivery] = []
        self.batches: list[int] = []

    def read(self) -> list[Delivery]:
        """Return all that was handed out, repeats included."""
        while (stats := self.transport.stats(INBOX)).ready or stats.unacked:
            with contextlib.suppress(TransportDown):
                batch = self.subscription.fetch(timeout=0)
                self.seen += batch
                self.batches.append(len(batch))
                self.subscription.ack(batch)
        return self.seen


def faulty(**shares: float) -> FaultyTransport:
    return FaultyTransport(MemoryTransport(INBOX_ONLY), Random(5), stream_of=by_itself, **shares)  # noqa: S311  No secret.


class TestFaults:
    def test_without_shares_nothing_happens(self) -> None:
        """The wrapper itself changes nothing."""
        transport = faulty()
        letters = make_letters(30)
        transport.publish(letters)

        assert ids(Reader(transport).read()) == [letter.id for letter in letters]
        assert not transport.happened

    def test_letters_come_twice(self) -> None:
        """From the publisher as two letters, from the broker as one handed out again, marked or not."""
        transport = faulty(duplicate=0.3)
        letters = make_letters(200)
        transport.publish(letters)

        seen = Reader(transport).read()

        assert transport.happened.keys() == {Fault.SENT_TWICE, Fault.HANDED_TWICE}
        assert len(seen) == len(letters) + transport.happened.total()
        assert set(ids(seen)) == {letter.id for letter in letters}
        assert {delivery.redelivered for delivery in seen} == {True, False}

    def test_letters_come_in_another_order(self) -> None:
        """Within a batch at least."""
        transport = faulty(reorder=1)
        letters = make_letters(100)
        transport.publish(letters)

        seen = ids(Reader(transport).read())

        assert transport.happened[Fault.SHUFFLED] == 10
        assert seen != [letter.id for letter in letters]
        assert sorted(seen) == sorted(letter.id for letter in letters)

    def test_letters_come_late(self) -> None:
        """Those behind them overtake; batches are no larger for it."""
        transport = faulty(delay=0.3)
        letters = make_letters(100)
        transport.publish(letters)

        reader = Reader(transport)
        seen = ids(reader.read())

        assert transport.happened[Fault.HELD_BACK] > 10
        assert seen != [letter.id for letter in letters]
        assert sorted(seen) == sorted(letter.id for letter in letters)
        assert max(reader.batches) <= 10

    def test_letters_of_one_stream_keep_their_order(self) -> None:
        """As with one active consumer of one queue: late and shuffled, but each key's own first, second, third."""
        transport = FaultyTransport(
            MemoryTransport(INBOX_ONLY), Random(9), duplicate=0.2, reorder=1, delay=0.4, drop=0.2,  # noqa: S311  No secret.
            stream_of=lambda delivery: int(delivery.body) % 4,
        )  # fmt: skip
        letters = [make_letter(body=str(number).encode()) for number in range(200)]
        for letter in letters:
            publish_all(transport, [letter])

        order = [int(delivery.body) for delivery in Reader(transport).read()]

        for stream in range(4):
            assert list(dict.fromkeys(one for one in order if one % 4 == stream)) == list(range(stream, 200, 4))
        assert list(dict.fromkeys(order)) != list(range(200))

    def test_connections_drop(self) -> None:
        """Before, while and after a call; nothing that was confirmed is missing, the rest may be there or not."""
        transport = faulty(drop=0.4)
        letters = make_letters(CALLS * 5)
        confirmed: set[UUID] = set()
        for start in range(0, len(letters), 5):
            with contextlib.suppress(TransportDown):
                confirmed |= transport.publish(letters[start : start + 5]).keys()

        seen = Reader(transport).read()

        assert transport.happened.keys() == {Fault.LOST, Fault.UNCONFIRMED, Fault.UNANSWERED, Fault.CUT}
        assert confirmed <= set(ids(seen)) <= {letter.id for letter in letters}
        assert len(confirmed) < len(set(ids(seen))) < len(letters)
        assert len(seen) > len(set(ids(seen)))
        assert any(delivery.redelivered for delivery in seen)

    def test_an_acknowledgement_settles_nothing_that_is_held_back(self) -> None:
        """A broker takes "all up to this one"; a letter that nobody has handled must not be among them."""
        transport = faulty(delay=0.5)
        letters = make_letters(10)
        transport.publish(letters)
        subscription = transport.subscribe(INBOX, batch=10)
        given = subscription.fetch(timeout=0)
        subscription.ack(given)
        assert 0 < len(given) < len(letters)

        subscription.close()

        again = transport.transport.subscribe(INBOX, batch=10).fetch(timeout=0)
        assert set(ids(given)) | set(ids(again)) == {letter.id for letter in letters}

    def test_the_same_seed_gives_the_same_faults(self) -> None:
        """What a run has found can be looked at again."""
        letters = make_letters(50)
        runs = []
        for _ in range(2):
            transport = faulty(duplicate=0.2, reorder=0.5, delay=0.2, drop=0.1)
            publish_all(transport, letters)
            runs.append((ids(Reader(transport).read()), transport.happened))

        assert runs[0] == runs[1]
