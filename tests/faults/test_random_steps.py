"""Ten thousand random steps over each transport; the seed is printed, and set again with POPCANDY_TEST_SEED."""

import contextlib
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from shared.bus.dead_letters.replays import Outcome
from shared.bus.testing import Fault
from shared.bus.topology import Topology
from shared.bus.transport.postgres import PostgresTransport
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from tests.faults.sabotage import Trouble
from tests.faults.steps import Steps
from tests.faults.world import INBOX, World
from tests.servers.rabbitmq import own_vhost
from tests.shared.bus.running import Owner
from tests.shared.bus.transport.management import Management

LEAST_STEPS = 10_000
EXAMPLES, STEPS = 10, 100  # Of one round; not every example is as long as it may be.
LIMITS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,  # A whole example of many transactions is one test case here.
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    report_multiple_bugs=False,  # The first one ends the run.
)
MUST_HAPPEN = [
    *(f"broker: {fault}" for fault in Fault),
    *(trouble.value for trouble in Trouble if trouble is not Trouble.NONE),
    "dead: refused",
    "dead: failed",
    "parked",
    "replays cut short",
    *(f"replay: {outcome}" for outcome in Outcome),
]


@contextlib.contextmanager
def _rabbit(request: pytest.FixtureRequest, server: Server) -> Iterator[World]:
    broker = request.getfixturevalue("rabbitmq")
    with own_vhost(broker) as url, contextlib.closing(RabbitTransport(url)) as transport:
        management = Management(broker, urlsplit(url).path[1:])

        def empty_queue() -> None:
            management.send("DELETE", f"queues/{{vhost}}/{INBOX}/contents")

        with contextlib.closing(World(server, transport, empty_queue, wait_seconds=0.01)) as world:
            yield world


@contextlib.contextmanager
def _postgres(_request: pytest.FixtureRequest, server: Server) -> Iterator[World]:
    server.prepare("bus")

    def empty_queue() -> None:
        Owner(server, "bus").execute("TRUNCATE message")

    with contextlib.closing(PostgresTransport(server.open("bus", pool_size=4))) as transport:
        transport.define(Topology.load())
        with contextlib.closing(World(server, transport, empty_queue, wait_seconds=0)) as world:
            yield world


PLACES: dict[str, Callable[[pytest.FixtureRequest, Server], contextlib.AbstractContextManager[World]]] = {
    "rabbit": _rabbit,
    "postgres": _postgres,
}


@pytest.fixture(params=[pytest.param("rabbit", marks=pytest.mark.rabbitmq), "postgres"])
def world(request: pytest.FixtureRequest, server: Server) -> Iterator[World]:
    own = Server(server.url, prefix=f"steps_{secrets.token_hex(4)}_")
    try:
        with PLACES[request.param](request, own) as world:
            yield world
    finally:
        for service in ("activities", "ledger", "bus"):
            own.drop(service)


def asked_seed(config: pytest.Config) -> str | None:
    """Return the seed that was asked for, if one was."""
    asked = os.environ.get("POPCANDY_TEST_SEED")  # noqa: TID251  Of a test run, which is no setting of ours.
    return asked or config.getoption("hypothesis_seed", None)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_each_fact_takes_effect_once_whatever_happens(
    world: World, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    """F27: told, corrected, cancelled, relayed, heard, refused, replayed, killed, cut off, doubled, late, shuffled.

    At each rest the sum of the ledger is the sum of the facts, each fact is there once, and no row is left open.
    """
    asked = asked_seed(request.config)
    number = secrets.randbits(32) if asked is None else int(asked)
    record_property("measured", f"POPCANDY_TEST_SEED={number}")
    seen: Counter[str] = Counter()
    steps = type("StepsHere", (Steps,), {"world": world, "seen": seen})

    # Who asks for a seed looks for the shortest way to what it has found, which takes minutes.
    phases = [Phase.generate] if asked is None else [Phase.generate, Phase.shrink]
    while seen["steps"] < LEAST_STEPS:
        run_state_machine_as_test(seed(number + seen["rounds"])(steps), settings=settings(LIMITS, phases=phases))
        seen["rounds"] += 1

    record_property("measured", ", ".join(f"{what} {count}" for what, count in sorted(seen.items())))
    assert [what for what in MUST_HAPPEN if not seen[what]] == [], "what never happened proves nothing"
