"""The broker's topology file against what services really hear and tell."""

from typing import Any

import orjson
import pytest

from launch.services import SERVICES
from shared.bus.topology import DEFINITIONS, Topology
from shared.events.base import routing_key
from shared.events.registry import contracts
from shared.service import Service

READERS = [service for service in SERVICES if service.handlers]
every_reader = pytest.mark.parametrize("service", READERS, ids=[service.name for service in READERS])


@pytest.fixture(scope="module")
def definitions() -> dict[str, Any]:
    return dict(orjson.loads(DEFINITIONS.read_bytes()))


def test_every_subscription_is_bound_and_nothing_else_is() -> None:
    """A handler without its binding would wait for ever; a binding without its handler would fill dead letters."""
    subscribed = {service.subscriptions.queue: frozenset(service.subscriptions.routing_keys) for service in READERS}

    assert Topology.load().bindings == subscribed


def test_every_bound_type_is_told_by_somebody() -> None:
    """A typing error in a routing key is found here, not in a quiet queue."""
    told = {routing_key(event_type) for event_type in contracts()}

    for queue, keys in Topology.load().bindings.items():
        assert keys <= told, queue


def test_every_event_heard_is_in_the_registry() -> None:
    """Its schema is under review with all others."""
    for service in READERS:
        for event_type, model in service.subscriptions.models.items():
            assert contracts().get(event_type) is model


@every_reader
def test_an_inbox_is_durable_and_single_active(service: Service, definitions: dict[str, Any]) -> None:
    """Durability and calm are the queue's own, not the consumer's."""
    (queue,) = [queue for queue in definitions["queues"] if queue["name"] == service.subscriptions.queue]

    assert queue["durable"]
    assert queue["arguments"] == {"x-queue-type": "quorum", "x-single-active-consumer": True}


@every_reader
def test_an_inbox_has_a_dead_queue_behind_it(service: Service, definitions: dict[str, Any]) -> None:
    """The last net: dead-lettering at least once, into a queue that is bound."""
    inbox = service.subscriptions.queue
    (policy,) = [policy for policy in definitions["policies"] if policy["name"] == inbox]
    bound = {(binding["source"], binding["routing_key"]): binding["destination"] for binding in definitions["bindings"]}

    assert policy["definition"]["dead-letter-strategy"] == "at-least-once"
    assert policy["definition"]["overflow"] == "reject-publish"
    target = policy["definition"]["dead-letter-exchange"], policy["definition"]["dead-letter-routing-key"]
    assert bound[target] == f"{inbox}.dead"


def test_what_nobody_hears_is_kept(definitions: dict[str, Any]) -> None:
    """The exchange's alternate is there and ends in a queue."""
    (events,) = [exchange for exchange in definitions["exchanges"] if exchange["name"] == "events"]
    alternate = events["arguments"]["alternate-exchange"]

    assert [b["destination"] for b in definitions["bindings"] if b["source"] == alternate] == ["events.unrouted"]
