"""kill -9 of nodes of a RabbitMQ cluster, under load from an outbox to the ledger."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from shared.bus.transport import Outcome, TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from tests.faults.conftest import INBOX, Line, own_line
from tests.faults.facts import make_facts
from tests.faults.load import under_load
from tests.servers.rabbitmq import new_vhost
from tests.servers.rabbitmq_cluster import SIZE, Member, RabbitCluster
from tests.shared.bus.transport.letters import make_letter
from tests.waiting import until

pytestmark = pytest.mark.cluster

COUNT = 8_000
STALL_SECONDS = 30  # The promise; what it took is printed.
Record = Callable[[str, object], None]


def new_vhost_on(node: Member) -> str:
    return urlsplit(new_vhost(node)).path.removeprefix("/")


class Place:
    """A vhost of a test's own on three nodes that are all there."""

    def __init__(self, cluster: RabbitCluster) -> None:
        self.cluster = cluster
        self.vhost = new_vhost_on(cluster.members[0])
        self.until_whole()
        leader = cluster.leader_of(INBOX, vhost=self.vhost)
        assert leader is not None
        self.leader = leader
        self.followers = [node for node in cluster.members if node is not leader]

    def urls(self, *, first: Member) -> str:
        return self.cluster.urls(self.vhost, first=first)

    def until_whole(self) -> None:
        """Wait until each node has its copy of the queue."""
        until(
            lambda: self.cluster.members_online(INBOX, vhost=self.vhost) == SIZE,
            timeout=STALL_SECONDS,
            missing=f"{SIZE} members of the queue online",
        )

    def until_led_by(self, nodes: Sequence[Member]) -> None:
        until(
            lambda: self.cluster.leader_of(INBOX, vhost=self.vhost) in nodes,
            timeout=STALL_SECONDS,
            missing="a new leader of the queue",
        )


@pytest.fixture
def place(cluster: RabbitCluster) -> Place:
    return Place(cluster)


@pytest.fixture
def line(place: Place, server: Server, tmp_path: Path) -> Iterator[Line]:
    """Build a line whose consumer begins at the leader's node."""
    with own_line(server, place.urls(first=place.leader), tmp_path) as one:
        yield one


@pytest.fixture
def programme_id(line: Line) -> UUID:
    return line.programme_id


def takes(transport: RabbitTransport) -> bool:
    """Say whether the broker confirms a letter; it may also refuse it, say nothing, or be away."""
    letter = make_letter()
    try:
        return transport.publish([letter]).get(letter.id) is Outcome.CONFIRMED
    except TransportDown:
        return False


def test_the_queues_leader_killed_under_load(place: Place, line: Line, record_property: Record) -> None:
    """F28: no confirmed message is lost, effects happen once, the publisher moves on, and the node rejoins.

    The publisher is connected to another node, the consumer to the one that dies.
    """
    facts = make_facts(COUNT, programme_id=line.programme_id, seed=28)
    with under_load(line, facts, urls=place.urls(first=place.followers[0])) as load:
        stall_seconds = load.until_moved_on(load.kill(place.leader), timeout=STALL_SECONDS)
        place.until_led_by(place.followers)
        place.cluster.mend()
        place.until_whole()
        load.drain()

    line.require_exact(facts)
    record_property("measured", f"{load.account()}; the publisher stood still for {stall_seconds:.1f} s")


@pytest.mark.timeout(400)  # Two nodes come back.
def test_the_publishers_node_killed_and_then_another(place: Place, line: Line, record_property: Record) -> None:
    """F29: the publisher moves on; without a majority nothing is confirmed and rows stay; with one, all drains."""
    facts = make_facts(COUNT, programme_id=line.programme_id, seed=29)
    own, survivor = place.followers
    elsewhere = place.cluster.urls(new_vhost_on(place.leader), first=survivor)
    with under_load(line, facts, urls=place.urls(first=own)) as load:
        stall_seconds = load.until_moved_on(load.kill(own), timeout=STALL_SECONDS)

        load.kill(place.leader)
        with closing(RabbitTransport(elsewhere)) as transport:
            assert not takes(transport)
            load.until_failed(1)  # What was on its way when the majority ended is answered as far as it ever will be.
            confirmed, waiting = load.confirmed, line.outbox
            load.until_failed(2)
            assert not takes(transport)
        assert load.confirmed == confirmed < COUNT
        assert line.outbox >= waiting > 0

        place.cluster.mend()
        place.until_whole()
        load.drain()

    line.require_exact(facts)
    record_property("measured", f"{load.account()}; the publisher moved on within {stall_seconds:.1f} s")
