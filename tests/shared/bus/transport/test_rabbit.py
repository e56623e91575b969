"""What only RabbitMQ does: dead letters, refusals, several hosts, the topology file, CloudEvents' binding."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudevents.core.bindings.rabbitmq import RabbitMQMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from launch.broker import BrokerRefused, define
from shared.bus.transport import Outcome, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.bus.transport.rabbit.connection import BrokenUrl
from tests.servers.rabbitmq import Broker
from tests.shared.bus.transport.letters import (
    CONFIRMED,
    INBOX,
    SETTLED,
    drain,
    ids,
    make_letter,
    make_letters,
    publish_all,
    receive,
)
from tests.shared.bus.transport.management import Management

DELIVERY_LIMIT = 20


@pytest.fixture
def transport(rabbit: RabbitTransport) -> RabbitTransport:
    return rabbit


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Listen like a host that hangs: it accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class TestHosts:
    def test_a_broker_that_is_not_there_is_down(self) -> None:
        """A refused connection is known at once, for each call."""
        transport = RabbitTransport("amqp://guest:guest@127.0.0.1:1/bus")
        began = time.monotonic()

        for call in (lambda: transport.publish([make_letter()]), lambda: transport.check([INBOX])):
            with pytest.raises(TransportDown):
                call()
        with pytest.raises(TransportDown):
            transport.subscribe(INBOX, batch=1).fetch(timeout=1)

        assert time.monotonic() - began < 3

    def test_a_broker_that_hangs_is_down_within_the_deadline(self, silent_port: int) -> None:
        """A connect that hangs must not hang the relay."""
        transport = RabbitTransport(f"amqp://127.0.0.1:{silent_port}/bus?stack_timeout=1")
        began = time.monotonic()

        with contextlib.closing(transport), pytest.raises(TransportDown):
            transport.publish([make_letter()])

        assert time.monotonic() - began < 5

    def test_the_next_host_is_asked_and_remembered(self, url: str, silent_port: int) -> None:
        """One node of a cluster is gone, another hangs: the third serves, and is the first asked from then on."""
        urls = f"amqp://127.0.0.1:1/bus, amqp://127.0.0.1:{silent_port}/bus?stack_timeout=1, {url}"
        with contextlib.closing(RabbitTransport(urls)) as transport:
            letter = make_letter()
            assert transport.publish([letter]) == {letter.id: CONFIRMED}
            began = time.monotonic()

            assert ids(receive(transport.subscribe(INBOX, batch=1), 1)) == [letter.id]

            assert time.monotonic() - began < 1


class TestRefusals:
    def test_a_full_queue_refuses_and_takes_the_rest_later(
        self, transport: RabbitTransport, management: Management
    ) -> None:
        """At its limit a queue rejects what is published; nothing is dropped."""
        tiny = {
            "pattern": r"^ledger\.inbox$",
            "apply-to": "queues",
            "priority": 99,
            "definition": {"max-length": 10, "overflow": "reject-publish"},
        }
        management.send("PUT", "policies/{vhost}/tiny", tiny)
        letters = make_letters(2_000)

        first = transport.publish(letters[:1_000])
        outcomes = {**first, **transport.publish(letters[1_000:])}

        refused = [letter for letter in letters if outcomes[letter.id] is Outcome.REFUSED]
        assert len(outcomes) == 2_000
        assert refused
        management.send("DELETE", "policies/{vhost}/tiny")
        publish_all(transport, refused)
        arrived = drain(transport.subscribe(INBOX, batch=500), 2_000)
        assert set(ids(arrived)) == {letter.id for letter in letters}


class TestConsumer:
    def test_garbage_in_headers_arrives_as_text(self, transport: RabbitTransport, management: Management) -> None:
        """Whoever may publish may publish garbage; it must reach the dead letters, not stop the consumer."""
        garbage = {
            "routing_key": SETTLED,
            "payload": "?",
            "payload_encoding": "string",
            "properties": {"headers": {"number": 7, "nested": {"a": ["b"]}, "truth": True}},
        }
        management.send("POST", "exchanges/{vhost}/events/publish", garbage)

        (delivery,) = receive(transport.subscribe(INBOX, batch=10), 1)

        assert delivery.headers == {"number": "7", "nested": "{'a': ['b']}", "truth": "True"}

    def test_what_is_never_finished_becomes_a_dead_letter(self, transport: RabbitTransport) -> None:
        """The last net: after twenty returns the letter is in `ledger.inbox.dead`, with its headers."""
        letter = make_letter()
        transport.publish([letter])
        for _ in range(DELIVERY_LIMIT + 1):
            inbox = transport.subscribe(INBOX, batch=1)
            assert ids(receive(inbox, 1)) == [letter.id]
            inbox.close()

        (dead,) = receive(transport.subscribe("ledger.inbox.dead", batch=1), 1)

        assert {name: dead.headers[name] for name in letter.headers} == letter.headers
        assert dead.headers["x-first-death-reason"] == "delivery_limit"
        assert transport.subscribe(INBOX, batch=1).fetch(timeout=0.2) == []


class TestDefine:
    def test_loading_twice_changes_nothing(self, rabbitmq: Broker, vhost: str) -> None:
        """A developer may run it whenever in doubt."""
        names = define(rabbitmq.management_url, vhost=vhost)

        assert names == define(rabbitmq.management_url, vhost=vhost)
        assert {"exchange events", "queue ledger.inbox", "queue ledger.inbox.dead", "policy ledger.inbox"} <= set(names)
        assert "binding events → queue ledger.inbox by 'activities.attendance.settled'" in names

    def test_a_queue_of_another_type_is_noticed(self, rabbitmq: Broker, vhost: str, management: Management) -> None:
        """RabbitMQ takes the file and leaves the old queue as it is; reading back tells."""
        management.send("DELETE", "queues/{vhost}/ledger.inbox")
        management.send("PUT", "queues/{vhost}/ledger.inbox", {"durable": True})

        with pytest.raises(BrokerRefused, match=r"queue ledger\.inbox"):
            define(rabbitmq.management_url, vhost=vhost)

    def test_an_exchange_of_another_type_is_noticed(self, rabbitmq: Broker, vhost: str, management: Management) -> None:
        """A direct exchange would route nothing."""
        management.send("DELETE", "exchanges/{vhost}/events")
        management.send("PUT", "exchanges/{vhost}/events", {"type": "fanout", "durable": True})

        with pytest.raises(BrokerRefused, match="exchange events"):
            define(rabbitmq.management_url, vhost=vhost)

    def test_a_refused_file_is_said_in_one_line(self, rabbitmq: Broker, vhost: str, tmp_path: Path) -> None:
        """A policy that this version does not know ends the import; the message carries RabbitMQ's reason."""
        definitions = tmp_path / "definitions.json"
        definitions.write_text(
            '{"vhosts": [{"name": "bus"}], "users": [], "permissions": [], "topic_permissions": [], "exchanges": [],'
            ' "queues": [], "bindings": [], "policies": [{"vhost": "bus",'
            ' "name": "p", "pattern": "x", "apply-to": "queues", "priority": 0, "definition": {"no-such-key": 1}}]}'
        )

        with pytest.raises(BrokerRefused, match="no-such-key") as refusal:
            define(rabbitmq.management_url, definitions, vhost=vhost)
        assert "\n" not in str(refusal.value)

    def test_a_management_api_that_is_not_there_is_named(self) -> None:
        """A wrong port is the first mistake."""
        with pytest.raises(BrokerRefused, match=r"127\.0\.0\.1:1 does not answer"):
            define("http://guest:guest@127.0.0.1:1")


def test_a_third_batch_is_on_its_way_while_two_are_in_hand(transport: RabbitTransport) -> None:
    """A consumer holds two; a fourth would be others' who wait."""
    publish_all(transport, make_letters(40))
    subscription = transport.subscribe(INBOX, batch=10)

    in_hand = receive(subscription, 30)

    assert subscription.fetch(timeout=0.5) == []
    subscription.ack(in_hand[:10])
    receive(subscription, 10)
    subscription.close()


def test_letters_are_cloudevents_in_the_rabbitmq_binding(transport: RabbitTransport) -> None:
    """Others read our events with the SDK, not with our code."""
    letter = make_letter(body=b'{"minutes": 120}')
    transport.publish([letter])

    (delivery,) = receive(transport.subscribe(INBOX, batch=1), 1)
    message = RabbitMQMessage(headers=dict(delivery.headers), content_type="application/json", body=delivery.body)
    event = from_binary(message, JSONFormat())

    assert (event.get_id(), event.get_type()) == (str(letter.id), "activities.attendance.settled.v1")
    assert (event.get_source(), event.get_specversion()) == ("/activities", "1.0")
    assert event.get_extension("partitionkey") == "7b9c"
    assert event.get_data() == {"minutes": 120}


@pytest.mark.parametrize("url", ["nonsense", "http://broker/bus", "amqp://", "amqp://host:port/bus", ""])
def test_a_url_that_is_none_is_said_in_one_line(url: str) -> None:
    """A typing error in a setting is no traceback, and a password in it is not printed."""
    with pytest.raises(BrokenUrl, match="the broker's URL"):
        RabbitTransport(url)
