"""What every transport promises; the bus relies on nothing else."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.bus.topology import Topology
from shared.bus.transport import (
    MAX_BODY_BYTES,
    MAX_HEADERS_BYTES,
    Letter,
    Outcome,
    TopologyMissing,
    Transport,
    TransportDown,
    unfitness,
)
from tests.shared.bus.transport.letters import (
    CONFIRMED,
    FOREIGN,
    INBOX,
    SETTLED,
    UNROUTED,
    drain,
    ids,
    make_letter,
    make_letters,
    receive,
)
from tests.waiting import until

Connect = Callable[[], Transport]


def with_header(name: str, value: str) -> Letter:
    letter = make_letter()
    return replace(letter, headers={**letter.headers, name: value})


UNFIT = {
    "long key": (make_letter(routing_key="k" * 256), "routing key"),
    "long key of few characters": (make_letter(routing_key="志" * 86), "255 bytes"),
    "long header name": (with_header("n" * 256, ""), "255 bytes"),
    "headers larger than a frame": (with_header("ce-subject", "志" * 43_000), "100,000 bytes"),
    "null in the key": (make_letter(routing_key="a\0b"), "null character"),
    "null in a header": (with_header("ce-subject", "\0"), "null character"),
    "half a character": (with_header("ce-subject", "\ud83d"), "no Unicode text"),
    "body above the limit": (make_letter(body=b"x" * (MAX_BODY_BYTES + 1)), "the body has 1,048,577 bytes"),
}
EDGES = {
    "longest key": make_letter(routing_key="activities." + "志" * 81 + "x"),
    "longest header name": with_header("n" * 255, ""),
    "most headers": with_header("ce-subject", "x" * (MAX_HEADERS_BYTES - 400)),
    "largest body": make_letter(body=b"x" * MAX_BODY_BYTES),
}


class TestPublish:
    def test_a_letter_arrives_as_it_was_sent(self, transport: Transport) -> None:
        """Headers, body and routing key are the sender's."""
        letter = make_letter(body=b'{"minutes": 120}')

        assert transport.publish([letter]) == {letter.id: CONFIRMED}

        (delivery,) = receive(transport.subscribe(INBOX, batch=10), 1)
        assert (delivery.headers, delivery.body) == (letter.headers, letter.body)
        assert (delivery.routing_key, delivery.redelivered) == (SETTLED, False)

    @pytest.mark.parametrize("body", ["志愿服务，两小时".encode(), bytes(range(256)), b"", b"x" * 300_000])
    def test_any_bytes_survive(self, transport: Transport, body: bytes) -> None:
        """A body is bytes: Chinese, binary, empty or larger than a frame."""
        transport.publish([make_letter(body=body)])

        assert receive(transport.subscribe(INBOX, batch=10), 1)[0].body == body

    def test_nothing_to_send_is_no_error(self, transport: Transport) -> None:
        """An idle relay may ask."""
        assert transport.publish([]) == {}

    def test_five_thousand_letters_in_one_call_are_confirmed_and_keep_their_order(self, transport: Transport) -> None:
        """More than any window of unconfirmed letters."""
        letters = make_letters(5_000)

        outcomes = transport.publish(letters)

        assert outcomes == {letter.id: CONFIRMED for letter in letters}
        assert ids(drain(transport.subscribe(INBOX, batch=500), 5_000)) == [letter.id for letter in letters]

    def test_calls_keep_their_order_too(self, transport: Transport) -> None:
        """One publisher's letters arrive as it sent them, over all its calls."""
        letters = make_letters(30)
        for letter in letters:
            transport.publish([letter])

        assert ids(receive(transport.subscribe(INBOX, batch=100), 30)) == [letter.id for letter in letters]

    @pytest.mark.parametrize(("letter", "words"), UNFIT.values(), ids=UNFIT)
    def test_an_unfit_letter_harms_no_neighbour(self, transport: Transport, letter: Letter, words: str) -> None:
        """It would end the connection again and again, and with it the letters around; the reason is in words."""
        before, after = make_letters(2)

        outcomes = transport.publish([before, letter, after])

        assert outcomes == {before.id: CONFIRMED, letter.id: Outcome.UNFIT, after.id: CONFIRMED}
        assert words in str(unfitness(letter))
        inbox = transport.subscribe(INBOX, batch=10)
        assert ids(receive(inbox, 2)) == [before.id, after.id]
        assert inbox.fetch(timeout=0.1) == []

    @pytest.mark.parametrize("letter", EDGES.values(), ids=EDGES)
    def test_a_letter_at_a_limit_is_carried(self, transport: Transport, letter: Letter) -> None:
        """The limits are those of every transport, so a letter that is fit for one is fit for the other."""
        assert transport.publish([letter]) == {letter.id: CONFIRMED}

        bound = letter.routing_key == SETTLED
        (arrived,) = receive(transport.subscribe(INBOX if bound else UNROUTED, batch=1), 1)
        assert (arrived.headers, arrived.body, arrived.routing_key) == (letter.headers, letter.body, letter.routing_key)

    def test_only_unfit_letters_are_answered_too(self, transport: Transport) -> None:
        """Nobody needs a broker to refuse them."""
        letter, _ = UNFIT["long key"]

        assert transport.publish([letter, letter]) == {letter.id: Outcome.UNFIT}

    def test_it_is_not_blocked(self, transport: Transport) -> None:
        """A broker in health takes letters."""
        transport.publish([make_letter()])

        assert transport.blocked is None

    def test_what_nobody_is_bound_to_is_confirmed_and_kept_aside(self, transport: Transport) -> None:
        """A typing error in a routing key loses nothing."""
        unbound, bound = make_letter(routing_key="activities.nobody.cares"), make_letter()

        assert transport.publish([unbound, bound]) == {unbound.id: CONFIRMED, bound.id: CONFIRMED}

        (kept,) = receive(transport.subscribe(UNROUTED, batch=10), 1)
        assert (kept.headers, kept.routing_key) == (unbound.headers, "activities.nobody.cares")
        assert ids(receive(transport.subscribe(INBOX, batch=10), 1)) == [bound.id]

    @pytest.mark.parametrize(
        ("routing_key", "queue"),
        [
            ("activities.nobody.cares", "activities.unrouted"),
            ("activities", "activities.unrouted"),
            ("ledger.nobody.cares", "ledger.unrouted"),
            ("ledger.#", "ledger.unrouted"),
            ("strangers.nobody.cares", FOREIGN),
            ("ledgers.nobody.cares", FOREIGN),
            ("x", FOREIGN),
            ("", FOREIGN),
        ],
    )
    def test_what_nobody_hears_comes_back_to_who_told_it(
        self, transport: Transport, routing_key: str, queue: str
    ) -> None:
        """Each service looks after its own; what names no service is kept too."""
        unheard = make_letter(routing_key=routing_key)

        transport.publish([unheard])

        assert ids(receive(transport.subscribe(queue, batch=10), 1)) == [unheard.id]
        for other in {"activities.unrouted", "ledger.unrouted", FOREIGN} - {queue}:
            assert transport.stats(other).ready == 0

    @pytest.mark.parametrize("routing_key", ["activities.attendance", "activities.attendance.settled.v1", "x"])
    def test_only_bound_keys_arrive(self, transport: Transport, routing_key: str) -> None:
        """A subscription means exactly the types that it names."""
        bound = [make_letter(routing_key=f"activities.attendance.{past}") for past in ("settled", "revised", "voided")]
        transport.publish([make_letter(routing_key=routing_key), *bound])

        inbox = transport.subscribe(INBOX, batch=10)

        assert ids(receive(inbox, 3)) == [letter.id for letter in bound]
        assert inbox.fetch(timeout=0.2) == []


class TestSubscribe:
    def test_a_batch_is_never_larger_than_asked(self, transport: Transport) -> None:
        """A handler's transaction has a limit."""
        transport.publish(make_letters(25))
        inbox = transport.subscribe(INBOX, batch=10)
        sizes: list[int] = []
        while sum(sizes) < 25:
            batch = inbox.fetch(timeout=10)
            inbox.ack(batch)
            sizes.append(len(batch))

        assert max(sizes) <= 10

    def test_an_empty_queue_gives_nothing_after_the_timeout(self, transport: Transport) -> None:
        """An idle consumer wakes up now and then."""
        inbox = transport.subscribe(INBOX, batch=10)
        inbox.fetch(timeout=0)
        began = time.monotonic()

        assert inbox.fetch(timeout=0.3) == []

        assert 0.25 < time.monotonic() - began < 2

    def test_one_letter_does_not_wait_for_more(self, transport: Transport) -> None:
        """Lingering is the bus's business."""
        inbox = transport.subscribe(INBOX, batch=100)
        inbox.fetch(timeout=0)
        transport.publish([make_letter()])
        began = time.monotonic()

        assert len(inbox.fetch(timeout=10)) == 1

        assert time.monotonic() - began < 2

    def test_what_is_not_acknowledged_comes_again(self, transport: Transport) -> None:
        """A consumer that goes away has not done it."""
        letters = make_letters(3)
        transport.publish(letters)
        first = transport.subscribe(INBOX, batch=10)
        assert not any(delivery.redelivered for delivery in receive(first, 3))

        first.close()

        again = receive(transport.subscribe(INBOX, batch=10), 3)
        assert ids(again) == [letter.id for letter in letters]
        assert all(delivery.redelivered for delivery in again)

    def test_what_is_acknowledged_does_not(self, transport: Transport) -> None:
        """Closing right after acknowledging loses no acknowledgement."""
        letters = make_letters(3)
        transport.publish(letters)
        first = transport.subscribe(INBOX, batch=10)
        first.ack(receive(first, 3)[:2])

        first.close()

        second = transport.subscribe(INBOX, batch=10)
        assert ids(receive(second, 1)) == [letters[2].id]
        assert second.fetch(timeout=0.3) == []

    def test_an_acknowledgement_from_an_earlier_connection_is_dropped(self, transport: Transport) -> None:
        """The same number means another letter on another connection."""
        transport.publish(make_letters(2))
        first = transport.subscribe(INBOX, batch=10)
        stale = receive(first, 2)
        first.close()
        second = transport.subscribe(INBOX, batch=10)
        receive(second, 2)

        second.ack(stale)
        first.ack(stale)
        second.close()

        assert ids(receive(transport.subscribe(INBOX, batch=10), 2)) == ids(stale)

    def test_the_second_subscription_waits_for_the_end_of_the_first(self, connect: Connect) -> None:
        """At most one is active, and another takes over."""
        sender, one, two = connect(), connect(), connect()
        first, second = one.subscribe(INBOX, batch=10), two.subscribe(INBOX, batch=10)
        first.fetch(timeout=0)
        second.fetch(timeout=0)
        letters = make_letters(2)
        sender.publish(letters[:1])
        first.ack(receive(first, 1))

        assert second.fetch(timeout=0.3) == []
        first.close()
        sender.publish(letters[1:])

        assert ids(receive(second, 1)) == [letters[1].id]

    def test_a_closed_subscription_says_so(self, transport: Transport) -> None:
        """Nobody waits for letters that cannot come; closing twice is no error."""
        inbox = transport.subscribe(INBOX, batch=10)
        inbox.close()
        inbox.close()

        with pytest.raises(TransportDown):
            inbox.fetch(timeout=1)


class TestCheck:
    def test_a_complete_topology_passes(self, transport: Transport) -> None:
        """Services check at boot, also one that hears nothing."""
        for service in ("activities", "ledger"):
            transport.check(Topology.queues_of(service))
        transport.check([FOREIGN])

    def test_a_missing_queue_is_named(self, transport: Transport) -> None:
        """The message says what to do, and the transport can still be used."""
        with pytest.raises(TopologyMissing, match=r"no queue no\.such\.inbox: .*\./popcandy (up|broker define)"):
            transport.check([INBOX, "no.such.inbox"])

        transport.check([INBOX])


class TestStats:
    def test_it_counts_letters_and_consumers(self, transport: Transport) -> None:
        """Readiness, metrics and scaling read it."""
        transport.publish(make_letters(7))
        until(lambda: transport.stats(INBOX).ready == 7, timeout=10, missing="seven letters")
        assert transport.stats(INBOX).consumers == 0

        inbox = transport.subscribe(INBOX, batch=10)
        inbox.ack(receive(inbox, 7))

        until(lambda: transport.stats(INBOX).ready == 0, timeout=10, missing="an empty queue")
        assert transport.stats(INBOX).consumers == 1
        assert transport.stats(INBOX).unacked in {0, None}


class TestClose:
    def test_a_closed_transport_refuses(self, transport: Transport) -> None:
        """It does not come back by itself; closing twice is no error."""
        transport.publish([make_letter()])
        transport.close()
        transport.close()

        with pytest.raises(TransportDown):
            transport.publish([make_letter()])
        with pytest.raises(TransportDown):
            transport.stats(INBOX)
