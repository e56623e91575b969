"""What RabbitMQ forbids, lacks and takes away: the channel ends, the words arrive, everything else goes on."""

import contextlib
import time
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from launch.broker import define
from shared.bus.topology import unrouted_queue_of
from shared.bus.transport import Forbidden, Letter, Outcome, TopologyMissing, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.ids import new_id
from tests.servers.rabbitmq import Broker
from tests.shared.bus.transport.letters import CONFIRMED, INBOX, ids, make_letter, make_letters, receive
from tests.shared.bus.transport.management import Management
from tests.waiting import until

OWN = "ledger.donation.accrued"
OWN_UNROUTED = unrouted_queue_of("ledger")
BACK_SECONDS = 3  # Under a second on an idle machine; a second core may be busy with other tests.


@pytest.fixture
def ledger_only(url: str, management: Management) -> Iterator[RabbitTransport]:
    """Connect as a service that may tell of the ledger and of nothing else."""
    name = f"test-{new_id().hex}"
    management.send("PUT", f"users/{name}", {"password": name, "tags": ""})
    rights = {"configure": "^$", "write": "^events$", "read": r"^ledger\.unrouted$"}
    management.send("PUT", f"permissions/{{vhost}}/{name}", rights)
    topics = {"exchange": "events", "write": r"^ledger\.", "read": "^$"}
    management.send("PUT", f"topic-permissions/{{vhost}}/{name}", topics)
    host = urlsplit(url).netloc.rpartition("@")[2]
    with contextlib.closing(RabbitTransport(urlsplit(url)._replace(netloc=f"{name}:{name}@{host}").geturl())) as one:
        yield one
    management.send("DELETE", f"users/{name}")


def publish_until_forbidden(transport: RabbitTransport, letters: list[Letter]) -> dict[UUID, Outcome]:
    """Publish a batch again until the broker says no; what was answered before is returned first, by earlier calls."""
    known: dict[UUID, Outcome] = {}

    def is_forbidden() -> bool:
        try:
            known.update(transport.publish([letter for letter in letters if letter.id not in known]))
        except Forbidden:
            return True
        return False

    until(is_forbidden, timeout=10, missing="the broker's no")
    return known


def publish_singly(transport: RabbitTransport, letters: list[Letter]) -> list[Letter]:
    """Publish one by one, as the relay does when a batch was forbidden; return those that are forbidden."""
    forbidden: list[Letter] = []
    for letter in letters:
        try:
            assert transport.publish([letter]) == {letter.id: CONFIRMED}
        except Forbidden:
            forbidden.append(letter)
    return forbidden


class TestForbidden:
    def test_a_letter_forged_as_another_service_is_forbidden_in_the_broker_s_words(
        self, ledger_only: RabbitTransport, rabbit: RabbitTransport
    ) -> None:
        """F24: topic permissions hold what the code promises; the forged letter reaches nobody."""
        with pytest.raises(Forbidden, match=r"topic 'activities\.attendance\.settled' in exchange 'events'"):
            ledger_only.publish([make_letter()])

        assert rabbit.subscribe(INBOX, batch=1).fetch(timeout=0.3) == []

    def test_one_by_one_the_culprit_shows_itself(self, ledger_only: RabbitTransport) -> None:
        """Nothing is known of a batch that was cut, and in it nothing is lost."""
        own = [make_letter(routing_key=OWN) for _ in range(6)]
        forged = make_letter()
        letters = [*own[:3], forged, *own[3:]]
        known = publish_until_forbidden(ledger_only, letters)

        began = time.monotonic()
        assert publish_singly(ledger_only, [letter for letter in letters if letter.id not in known]) == [forged]

        assert time.monotonic() - began < BACK_SECONDS
        kept: set[UUID] = set()
        queue = ledger_only.subscribe(OWN_UNROUTED, batch=100)
        while len(kept) < len(own):  # Those that were there before the cut, and not confirmed, are there twice.
            kept |= set(ids(receive(queue, 1)))
        assert kept == {letter.id for letter in own}

    def test_consuming_goes_on_while_publishing_is_forbidden(self, ledger_only: RabbitTransport) -> None:
        """F6: each has its own connection; only the channel of the forbidden letter ends."""
        listening = ledger_only.subscribe(OWN_UNROUTED, batch=10)
        own = [make_letter(routing_key=OWN) for _ in range(2)]
        ledger_only.publish(own[:1])
        first = receive(listening, 1)

        with pytest.raises(Forbidden):
            ledger_only.publish([make_letter()])
        listening.ack(first)
        ledger_only.publish(own[1:])

        assert ids(receive(listening, 1)) == [own[1].id]

    def test_another_s_inbox_is_forbidden(self, ledger_only: RabbitTransport) -> None:
        """A service reads what is its own."""
        inbox = ledger_only.subscribe(INBOX, batch=1)

        for _ in range(2):
            with pytest.raises(Forbidden, match=r"queue 'ledger\.inbox'"):
                inbox.fetch(timeout=1)


class TestMissing:
    def test_a_deleted_exchange_is_said_loudly_until_it_is_defined_again(
        self, rabbit: RabbitTransport, rabbitmq: Broker, vhost: str, management: Management
    ) -> None:
        """F6: a 404 ends the channel; the message names the exchange and the command, and the relay is back at once."""
        letters = make_letters(10)
        rabbit.publish(make_letters(1))
        management.send("DELETE", "exchanges/{vhost}/events")

        for _ in range(2):
            with pytest.raises(TopologyMissing, match=r"no exchange events: run `\./popcandy broker define`"):
                rabbit.publish(letters)
        with pytest.raises(TopologyMissing, match="no exchange events"):
            rabbit.check([INBOX])

        define(rabbitmq.management_url, vhost=vhost)
        began = time.monotonic()
        assert rabbit.publish(letters) == {letter.id: CONFIRMED for letter in letters}
        assert time.monotonic() - began < BACK_SECONDS

    def test_a_deleted_queue_is_said_loudly_until_it_is_defined_again(
        self, rabbit: RabbitTransport, rabbitmq: Broker, vhost: str, management: Management
    ) -> None:
        """F14: the broker cancels the consumer, which says so once, then what is missing, and in the end consumes."""
        inbox = rabbit.subscribe(INBOX, batch=10)
        inbox.fetch(timeout=0)
        management.send("DELETE", "queues/{vhost}/ledger.inbox")

        with pytest.raises(TransportDown, match=r"ledger\.inbox was cancelled"):
            inbox.fetch(timeout=10)
        for _ in range(2):
            with pytest.raises(TopologyMissing, match=r"no queue ledger\.inbox: run `\./popcandy broker define`"):
                inbox.fetch(timeout=10)
        with pytest.raises(TopologyMissing, match=r"no queue ledger\.inbox"):
            rabbit.check([INBOX])

        define(rabbitmq.management_url, vhost=vhost)
        letter = make_letter()
        rabbit.publish([letter])
        assert ids(receive(inbox, 1)) == [letter.id]
