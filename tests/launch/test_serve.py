"""`./popcandy serve` while the broker is away."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from shared.auth.issuer import EmbeddedIssuer
from shared.database.server import Server
from shared.settings import Settings
from tests.faults.processes import Process, processes
from tests.journeys.conftest import LISTENING
from tests.servers.rabbitmq import Broker, own_vhost
from tests.shared.bus.transport.management import Management
from tests.web_options import SECRET


@pytest.fixture
def environment(server: Server, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Prepare a database, the keys of an issuer, and name a broker that is not there."""
    EmbeddedIssuer(tmp_path, Settings())
    own = Server(server.url)
    own.prepare("activities")
    yield {
        "POPCANDY_DATABASE_URL": server.url.set(drivername="postgresql").render_as_string(hide_password=False),
        "POPCANDY_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/bus",
        "POPCANDY_JWKS": str(tmp_path / "jwks.json"),
        "POPCANDY_SECRETS": SECRET,
    }
    own.drop("activities")


def test_requests_are_served_without_a_broker(environment: dict[str, str], tmp_path: Path) -> None:
    """F4: what they tell waits in the outbox, so a restart during an outage is no outage of its own."""
    with processes(tmp_path) as started:
        web = started.start(
            "launch.cli", "serve", "activities", "--role", "web", "--port", "0", environment=environment
        )
        web.until(lambda: LISTENING.search(web.output), missing="where it listens")
        url = url_of(web)

        assert httpx2.get(f"{url}/livez", trust_env=False).status_code == 200
        answer = httpx2.get(f"{url}/readyz", trust_env=False)
        assert answer.json() == {"ready": False, "failures": {"broker": "TransportDown"}}
        web.end()


@pytest.mark.parametrize("role", ["relay", "consumer", "worker", "all"])
def test_what_needs_the_broker_says_so_and_ends(environment: dict[str, str], tmp_path: Path, role: str) -> None:
    """One line, exit code 2; whoever supervises it tries again."""
    with processes(tmp_path) as started:
        process = started.start("launch.cli", "serve", "activities", "--role", role, environment=environment)

        assert process.wait() == 2
        assert "popcandy: RabbitMQ is not reachable" in process.output.splitlines()[-1]


def url_of(process: Process) -> str:
    found = LISTENING.search(process.output)
    assert found is not None
    return found[0]


@pytest.mark.rabbitmq
def test_a_binding_that_is_gone_is_said_when_a_role_starts(
    environment: dict[str, str], tmp_path: Path, rabbitmq: Broker
) -> None:
    """F19: the queues are all there, but what the broker gives up has nowhere to go."""
    with own_vhost(rabbitmq) as url, processes(tmp_path) as started:
        vhost = urlsplit(url).path.removeprefix("/")
        Management(rabbitmq, vhost).send(
            "DELETE", "bindings/{vhost}/e/events.dead/q/activities.inbox.dead/activities.inbox"
        )
        settings = {"POPCANDY_AMQP_URL": url, "POPCANDY_AMQP_MANAGEMENT_URL": rabbitmq.management_url}
        consumer = started.start(
            "launch.cli", "serve", "activities", "--role", "consumer", environment=environment | settings
        )
        consumer.until(lambda: "serve.broker_differs" in consumer.output, missing="what differs")
        consumer.until(lambda: "activities consumer" in consumer.output, missing="a consumer that works")
        consumer.end()

    (said,) = [line for line in consumer.output.splitlines() if "serve.broker_differs" in line]
    assert "binding events.dead → queue activities.inbox.dead" in said
