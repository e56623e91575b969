"""The broker's topology file against what services really hear and tell."""

import re
from typing import Any

import orjson
import pytest

from launch.services import SERVICES
from shared.bus.topology import (
    BUS,
    DEFINITIONS,
    FOREIGN_QUEUE,
    Topology,
    tasks_vhost_of,
    unrouted_queue_of,
    user_of,
)
from shared.events.base import routing_key
from shared.events.registry import contracts
from shared.service import Service

READERS = [service for service in SERVICES if service.handlers]
every_service = pytest.mark.parametrize("service", SERVICES, ids=[service.name for service in SERVICES])


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


def test_the_services_are_those_of_the_file(definitions: dict[str, Any]) -> None:
    """A new service gets its user and its tasks vhost, or it is found here."""
    names = [service.name for service in SERVICES]

    assert [user["name"] for user in definitions["users"]] == [user_of(BUS, name) for name in names]
    assert [one["name"] for one in definitions["vhosts"]] == [BUS, *(tasks_vhost_of(BUS, name) for name in names)]


def test_no_password_is_in_the_file(definitions: dict[str, Any]) -> None:
    """Passwords come from a setting, and users can do nothing with the management API."""
    for user in definitions["users"]:
        assert user == {"name": user["name"], "tags": []}


def test_there_is_no_queue_but_the_services_and_the_last_net(definitions: dict[str, Any]) -> None:
    """A queue that nobody looks after would fill up."""
    queues = [queue["name"] for queue in definitions["queues"] if queue["vhost"] == BUS]

    assert queues == [*(name for service in SERVICES for name in Topology.queues_of(service.name)), FOREIGN_QUEUE]
    assert len(queues) == len(definitions["queues"])


@every_service
def test_a_service_may_tell_its_own_and_hear_its_own(service: Service, definitions: dict[str, Any]) -> None:
    """Nothing may be declared on `bus`, its default exchange is nobody's, and no other vhost is open."""
    user = user_of(BUS, service.name)
    granted = {one["vhost"]: one for one in definitions["permissions"] if one["user"] == user}
    (told,) = [one for one in definitions["topic_permissions"] if one["user"] == user]
    things = [thing["name"] for kind in ("exchanges", "queues") for thing in definitions[kind]]

    def may(right: str) -> list[str]:
        return [name for name in (*things, "amq.default", "") if re.search(granted[BUS][right], name)]

    assert granted.keys() == {BUS, tasks_vhost_of(BUS, service.name)}
    assert may("configure") == [""]  # No thing has that name: what the default exchange is called here is amq.default.
    assert may("write") == ["events"]
    assert may("read") == list(Topology.queues_of(service.name))
    assert (told["vhost"], told["exchange"]) == (BUS, "events")
    for event_type in contracts():
        may_tell = re.search(told["write"], routing_key(event_type)) is not None
        assert may_tell == (event_type.split(".")[0] == service.name), event_type


@every_service
def test_an_inbox_is_durable_and_single_active(service: Service, definitions: dict[str, Any]) -> None:
    """Durability and calm are the queue's own, not the consumer's."""
    (queue,) = [queue for queue in definitions["queues"] if queue["name"] == service.subscriptions.queue]

    assert queue["durable"]
    assert queue["arguments"] == {"x-queue-type": "quorum", "x-single-active-consumer": True}


@every_service
def test_an_inbox_has_a_dead_queue_behind_it(service: Service, definitions: dict[str, Any]) -> None:
    """The last net: dead-lettering at least once, into a queue that is bound."""
    inbox = service.subscriptions.queue
    (policy,) = [policy for policy in definitions["policies"] if policy["name"] == inbox]
    bound = {(binding["source"], binding["routing_key"]): binding["destination"] for binding in definitions["bindings"]}

    assert policy["definition"]["dead-letter-strategy"] == "at-least-once"
    assert policy["definition"]["overflow"] == "reject-publish"
    target = policy["definition"]["dead-letter-exchange"], policy["definition"]["dead-letter-routing-key"]
    assert bound[target] == f"{inbox}.dead"


def test_what_nobody_hears_is_kept_for_who_told_it(definitions: dict[str, Any]) -> None:
    """The exchange's alternate leads to each service's own queue, and its alternate to one for all the rest."""
    exchanges = {exchange["name"]: exchange for exchange in definitions["exchanges"]}
    alternate = exchanges["events"]["arguments"]["alternate-exchange"]
    last = exchanges[alternate]["arguments"]["alternate-exchange"]

    def bound(source: str) -> dict[str, str]:
        return {b["routing_key"]: b["destination"] for b in definitions["bindings"] if b["source"] == source}

    assert exchanges[alternate]["type"] == "topic"
    assert bound(alternate) == {f"{one.name}.#": unrouted_queue_of(one.name) for one in SERVICES}
    assert exchanges[last]["type"] == "fanout"
    assert bound(last) == {"": FOREIGN_QUEUE}


def test_one_policy_applies_to_each_queue(definitions: dict[str, Any]) -> None:
    """A second one would not add to the first: it would take its place."""
    for queue in definitions["queues"]:
        policies = [one["name"] for one in definitions["policies"] if re.search(one["pattern"], queue["name"])]
        assert policies == [queue["name"] if queue["name"].endswith(".inbox") else "kept-aside"]
