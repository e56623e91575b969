"""A RabbitMQ that is away, full or short of memory, under a whole line of a web app, a relay and a consumer."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from launch.broker import define
from shared import bus, clock
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.consumer import Consumer
from shared.bus.inbox import Inbox
from shared.bus.relay import Relay
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from shared.ids import new_id
from shared.roles import Role
from shared.service import Service
from shared.settings import Settings
from shared.web.app import create_app
from shared.web.doors import Tx
from shared.web.routes import Router
from tests.factories.ledger import make_settled
from tests.servers.rabbitmq import new_vhost
from tests.servers.rabbitmq_node import RabbitNode
from tests.shared.bus.hearing import HEARD, hearing
from tests.shared.bus.running import Owner, running
from tests.waiting import until
from tests.web_options import OPTIONS

INBOX, UNROUTED = "ledger.inbox", "activities.unrouted"


class Town:
    """One service that tells facts over HTTP and one that hears them, in this process, over the node."""

    def __init__(self, server: Server, url: str, folder: Path) -> None:
        for service in ("activities", "ledger"):
            server.prepare(service)
        Owner(server, "ledger").execute(HEARD)
        self.url = url
        self.told, self.hearer = Owner(server, "activities"), Owner(server, "ledger")
        self.telling = server.open("activities", pool_size=4)
        self.listening = server.open("ledger", pool_size=4)
        self.transport = RabbitTransport(url)
        self.client = self._client(folder)
        self.relay = Relay(self.telling, self.transport, service="activities")
        self.consumer = Consumer(self.transport, Inbox(self.listening, hearing(batch=100)))

    def _client(self, folder: Path) -> TestClient:
        router = Router()

        @router.post("/facts/{count}", status_code=201)
        def tell(count: int, tx: Tx) -> None:
            bus.emit_all(tx, [make_settled() for _ in range(count)])

        self.issuer = EmbeddedIssuer(folder, Settings())
        verifier = TokenVerifier(self.issuer.key_store(), issuer="popcandy-embedded", audience="popcandy")
        service = Service("activities", [router])
        return TestClient(
            create_app(service, database=self.telling, transport=self.transport, verifier=verifier, options=OPTIONS)
        )

    def tell(self, count: int) -> int:
        """Send a request that tells so many facts; return the status."""
        return self.client.post(f"/api/activities/facts/{count}").status_code

    def flow(self) -> dict[str, Any]:
        """Ask, as an operator does, what waits."""
        token = self.issuer.issue(person_id=new_id(), programme_id=new_id(), roles=(Role.OPS,), partner_id=None,
                                  now=clock.now())  # fmt: skip
        headers = {"authorization": f"Bearer {token}"}
        return dict(self.client.get("/api/activities/flow", headers=headers).json())

    @property
    def is_ready(self) -> bool:
        return self.client.get("/readyz").status_code == 200

    def until_heard(self, count: int, *, timeout: float = 60) -> None:
        until(lambda: self.hearer.count("heard") == count, timeout=timeout, missing=f"{count} facts")
        until(lambda: self.told.count("outbox") == 0, timeout=timeout, missing="an empty outbox")

    def close(self) -> None:
        self.transport.close()
        self.telling.close()
        self.listening.close()


@pytest.fixture
def town(node: RabbitNode, server: Server, tmp_path: Path) -> Iterator[Town]:
    own = Server(server.url, prefix=f"broker_{uuid.uuid4().hex[:8]}_")
    with contextlib.ExitStack() as stack:
        for service in ("activities", "ledger"):
            stack.callback(own.drop, service)
        yield stack.enter_context(contextlib.closing(Town(own, new_vhost(node), tmp_path)))


def test_requests_go_on_without_the_broker_and_nothing_is_lost(town: Town, node: RabbitNode) -> None:
    """F4: each is answered with 201, the outbox grows, and drains when the broker is back; each fact once."""
    with running(town.relay.run, town.consumer.run):
        assert town.tell(10) == 201
        town.until_heard(10)
        assert town.is_ready
        node.kill()
        assert [town.tell(5) for _ in range(20)] == [201] * 20
        assert town.told.count("outbox") == 100
        assert town.is_ready  # F8: a blip turns nobody away.
        flow = town.flow()
        assert (flow["outbox"], flow["broker"], flow["queue_ready"]) == (100, "TransportDown", None)
        node.start()
        town.until_heard(110)

    assert town.hearer.execute("SELECT count(DISTINCT attendance_id) FROM heard") == [(110,)]
    assert town.hearer.count("dead_letter") == 0


def test_a_broker_restarted_within_an_unconfirmed_window_loses_nothing(town: Town, node: RabbitNode) -> None:
    """F4: what was confirmed is there, the rest is published again, and the inbox drops what came twice."""
    count = 20_000
    with town.telling.transaction() as tx:
        bus.emit_all(tx, [make_settled() for _ in range(count)])
    with running(town.relay.run):
        until(lambda: 0 < town.told.count("outbox") < count, timeout=30, missing="the first confirmed batch")
        node.restart()
        until(lambda: town.told.count("outbox") == 0, timeout=60, missing="an empty outbox")
    with running(town.consumer.run):
        town.until_heard(count)

    assert town.hearer.execute("SELECT count(DISTINCT attendance_id) FROM heard") == [(count,)]
    assert town.hearer.count("dead_letter") == 0


def test_a_queue_that_is_full_keeps_rows_in_the_outbox(town: Town, node: RabbitNode) -> None:
    """F8: the broker refuses, the rows back off, requests are served; when there is room again all leave."""
    vhost = town.url.rpartition("/")[2]
    full = {"pattern": "^ledger[.]inbox$", "priority": 99, "apply-to": "queues",
            "definition": {"max-length": 10, "overflow": "reject-publish"}}  # fmt: skip
    policy = f"{node.management_url}/api/policies/{vhost}/full"
    httpx2.put(policy, json=full, trust_env=False).raise_for_status()
    with running(town.relay.run):
        told = 0
        while not town.told.execute("SELECT 1 FROM outbox WHERE attempts > 0"):  # A burst may overshoot the limit.
            assert told < 5_000, "the queue is never full"
            assert town.tell(100) == 201
            told += 100
            until(lambda: not town.told.execute("SELECT 1 FROM outbox WHERE attempts = 0"), timeout=30, missing="a try")
        assert town.told.count("outbox") + town.transport.stats(INBOX).ready >= told
        assert (town.tell(5), town.is_ready) == (201, True)
        httpx2.delete(policy, trust_env=False).raise_for_status()
        with running(town.consumer.run):
            town.until_heard(told + 5)

    assert town.hearer.execute("SELECT count(DISTINCT attendance_id) FROM heard") == [(told + 5,)]
    assert town.told.count("dead_letter") == 0


def test_a_broker_short_of_memory_pauses_the_relay_only(town: Town, node: RabbitNode) -> None:
    """F8: rows stay, requests are served, the service is ready, the consumer goes on; then the outbox drains."""
    with running(town.relay.run, town.consumer.run):
        assert town.tell(10) == 201
        town.until_heard(10)
        node.control("set_vm_memory_high_watermark", "absolute", "1MB")
        assert [town.tell(5) for _ in range(4)] == [201] * 4
        until(lambda: town.transport.blocked is not None, timeout=30, missing="a relay that is told to wait")
        assert (town.told.count("outbox"), town.is_ready) == (20, True)
        node.control("set_vm_memory_high_watermark", "absolute", "1GB")
        town.until_heard(30)

    assert town.hearer.execute("SELECT count(DISTINCT attendance_id) FROM heard") == [(30,)]


def test_a_queue_that_is_deleted_and_defined_again_is_consumed_again(town: Town, node: RabbitNode) -> None:
    """F14: meanwhile what is told is kept as unrouted by the broker, and refused by nobody."""
    vhost = town.url.rpartition("/")[2]
    with running(town.relay.run, town.consumer.run):
        assert town.tell(3) == 201
        town.until_heard(3)
        httpx2.delete(f"{node.management_url}/api/queues/{vhost}/{INBOX}", trust_env=False).raise_for_status()
        assert town.tell(2) == 201
        until(
            lambda: town.transport.stats("activities.unrouted").ready == 2, timeout=30, missing="two unrouted letters"
        )
        define(node.management_url, vhost=vhost)
        assert town.tell(4) == 201
        town.until_heard(7)
