"""`./popcandy serve` while the broker is away."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from launch.oidc.clients import client_id_of
from launch.web import GRACE_SECONDS
from shared import clock
from shared.auth.discovery import Discovery
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.service_tokens import Credentials, tokens_of
from shared.database.server import Server
from shared.roles import Role
from shared.settings import Settings
from tests.factories.activities import make_shift
from tests.faults.processes import Process, processes
from tests.journeys.conftest import LISTENING
from tests.launch.oidc.browsing import PROGRAMME, Browsing, served
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


def test_screens_do_not_hold_up_a_process_that_ends(
    environment: dict[str, str], server: Server, tmp_path: Path
) -> None:
    """A board at the door would stay open for ever; at SIGTERM its stream says so, and the process is gone."""
    database = Server(server.url).open("activities", pool_size=1)
    with database.transaction() as tx:
        shift = make_shift(tx)
    database.close()
    issuer = EmbeddedIssuer(tmp_path, Settings())
    token = issuer.issue(
        person_id=shift.id, programme_id=shift.programme_id, roles=[Role.OPERATOR], now=clock.now()
    )  # fmt: skip
    settings = environment | {"POPCANDY_ISSUER": issuer.settings.issuer}
    with processes(tmp_path) as started, httpx2.Client(trust_env=False, timeout=30) as http:
        web = started.start("launch.cli", "serve", "activities", "--role", "web", "--port", "0", environment=settings)
        web.until(lambda: LISTENING.search(web.output), missing="where it listens")
        path = f"{url_of(web)}/api/activities/shifts/{shift.id}/board/stream"
        with http.stream("GET", path, headers={"authorization": f"Bearer {token}"}) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: snapshot"
            web.signal_end()
            began_at = time.monotonic()
            assert [line for line in lines if line.startswith("data")][-1] == 'data: {"reason":"stopping"}'
        assert web.wait() == 0
        assert time.monotonic() - began_at < GRACE_SECONDS / 2


@pytest.mark.parametrize("role", ["relay", "consumer", "worker", "all"])
def test_what_needs_the_broker_says_so_and_ends(environment: dict[str, str], tmp_path: Path, role: str) -> None:
    """One line, exit code 2; whoever supervises it tries again."""
    with processes(tmp_path) as started:
        process = started.start("launch.cli", "serve", "activities", "--role", role, environment=environment)

        assert process.wait() == 2
        assert "popcandy: RabbitMQ is not reachable" in process.output.splitlines()[-1]


def test_an_issuer_says_itself_where_its_keys_are(environment: dict[str, str], tmp_path: Path) -> None:
    """An operator sets its URL; who has signed in there is let in here, and a service with its own token too."""
    with served(tmp_path) as provider, processes(tmp_path) as started, httpx2.Client(trust_env=False) as http:
        ledger = provider.clients[client_id_of("ledger")]
        settings = {"POPCANDY_ISSUER": provider.url, "POPCANDY_CLIENT_SECRET": ledger.secret}
        kept = {name: value for name, value in environment.items() if name != "POPCANDY_JWKS"}
        web = started.start(
            "launch.cli", "serve", "activities", "--role", "web", "--port", "0", environment=kept | settings
        )
        web.until(lambda: LISTENING.search(web.output), missing="where it listens")
        url = f"{url_of(web)}/api/activities/volunteers"
        with httpx2.Client(base_url=provider.url.removesuffix("/oidc"), trust_env=False) as browser:
            token = Browsing(provider, browser).sign_in(Role.OPERATOR)["access_token"]
        credentials = Credentials(ledger.id, SecretStr(ledger.secret))
        own = tokens_of(Discovery(provider.url), credentials).headers(PROGRAMME, now=clock.now())

        assert http.get(url, headers={"authorization": f"Bearer {token}"}).json() == {"items": [], "next": None}
        assert http.post(f"{url}/names", json={"ids": []}, headers=own).json() == {"names": {}}
        assert http.get(url, headers={"authorization": f"Bearer {token}x"}).status_code == 401
        web.end()


def test_nobody_signs_in_at_a_service(environment: dict[str, str], tmp_path: Path) -> None:
    """The embedded provider belongs to `up` and `demo`; what `serve` runs has none, in production or elsewhere."""
    with processes(tmp_path) as started:
        web = started.start(
            "launch.cli", "serve", "activities", "--role", "web", "--port", "0",
            environment=environment | {"POPCANDY_ENVIRONMENT": "production"},
        )  # fmt: skip
        web.until(lambda: LISTENING.search(web.output), missing="where it listens")
        for path in ("/oidc/.well-known/openid-configuration", "/oidc/authorize", "/oidc/token"):
            assert httpx2.get(f"{url_of(web)}{path}", trust_env=False).status_code == 404
        web.end()


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, "POPCANDY_JWKS is not set"),
        ({"POPCANDY_ISSUER": "http://identity.test/"}, "by https only"),
        ({"POPCANDY_JWKS": "x", "POPCANDY_CLIENT_SECRET": "sesame"}, "POPCANDY_CLIENT_SECRET needs POPCANDY_ISSUER"),
    ],
    ids=str,
)
def test_an_issuer_that_cannot_be_asked_is_one_line(
    environment: dict[str, str], tmp_path: Path, settings: dict[str, str], names: str
) -> None:
    """With what to set; exit code 2."""
    kept = {name: value for name, value in environment.items() if name != "POPCANDY_JWKS"}
    with processes(tmp_path) as started:
        process = started.start("launch.cli", "serve", "activities", "--role", "web", environment=kept | settings)

        assert process.wait() == 2
        assert names in process.output.splitlines()[-1]
        assert "sesame" not in process.output


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
