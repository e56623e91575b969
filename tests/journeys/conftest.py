"""Popcandy running in two of its ways: in this process, and as processes over RabbitMQ and a PostgreSQL server."""

import contextlib
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from launch.embedded import EmbeddedPlatform
from launch.oidc.people import Attached, Known
from launch.services import SERVICES
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.database.server import Server
from shared.ids import new_id
from shared.roles import Role
from shared.settings import Settings
from tests.console.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.faults.processes import Process, Processes, processes
from tests.journeys.people import Town, town
from tests.servers.erlang import free_ports
from tests.servers.postgres import open_folder
from tests.servers.rabbitmq import Broker, own_users, url_as
from tests.shared.bus.running import Owner
from tests.web_options import SECRET

LISTENING = re.compile(r"http://127\.0\.0\.1:\d+")


@contextlib.contextmanager
def embedded_town() -> Iterator[Town]:
    """Run everything in this process, over a folder of its own; its clock can travel."""
    with open_folder() as folder:
        platform = EmbeddedPlatform(folder, Settings())
        try:
            address = platform.start()
            urls = {"activities": address.api_url, "ledger": address.api_url}
            with town(
                urls, pages_url=address.console_url, programme_id=platform.programme_id, issuer=platform.issuer,
                go_to=clock.travel, introduce=_to_the_provider_of(platform),
            ) as found:  # fmt: skip
                yield replace(found, fire=platform.fire, told=lambda: _told_by(platform))
        finally:
            clock.come_back()
            platform.stop()


@pytest.fixture
def embedded() -> Iterator[Town]:
    with embedded_town() as found:
        yield found


def _told_by(platform: EmbeddedPlatform) -> Counter[str]:
    """Count what activities has told, on its way and in its archive."""
    events = "SELECT type FROM event_archive UNION ALL SELECT type FROM outbox WHERE lane = 'event'"
    return Counter(str(kind) for (kind,) in Owner(platform.server, "activities").execute(events))


def _to_the_provider_of(platform: EmbeddedPlatform) -> Callable[[UUID, UUID], None]:
    """Make a volunteer and a partner's member demo people, so that they can be chosen on the sign-in page."""

    def introduce(volunteer_id: UUID, partner_id: UUID) -> None:
        platform.provider.people.settle(Attached((Known(volunteer_id), Known(volunteer_id)), (partner_id, partner_id)))

    return introduce


def _to(provider: Provider, issuer: EmbeddedIssuer, programme_id: UUID) -> Callable[[UUID, UUID], None]:
    """Make a double of an issuer sign in a volunteer, with tokens that the services know."""

    def introduce(volunteer_id: UUID, _partner_id: UUID) -> None:
        provider.person |= {"sub": str(volunteer_id)}
        provider.access_token = lambda _provider: issuer.issue(
            person_id=volunteer_id, programme_id=programme_id, roles=[Role.VOLUNTEER], now=clock.now()
        )

    return introduce


@pytest.fixture
def apart(rabbitmq: Broker, server: Server, tmp_path: Path, httpserver: HTTPServer) -> Iterator[Town]:
    """Run each role as a process of its own, and each service as its own user at the broker, as an operator would."""
    with contextlib.ExitStack() as stack:
        issuer, provider, programme_id = EmbeddedIssuer(tmp_path, Settings()), Provider(httpserver), new_id()
        environment = {
            "POPCANDY_DATABASE_URL": server.url.set(drivername="postgresql").render_as_string(hide_password=False),
            "POPCANDY_JWKS": str(tmp_path / "jwks.json"),
            "POPCANDY_SECRETS": SECRET,
        }
        passwords = {service.name: SecretStr(secrets.token_hex(8)) for service in SERVICES}
        vhost = stack.enter_context(own_users(rabbitmq, passwords))
        urls_of = {name: url_as(rabbitmq, vhost, name, password) for name, password in passwords.items()}
        for service in ("activities", "ledger"):
            stack.callback(Server(server.url).drop, service)
        started = stack.enter_context(processes(tmp_path))
        for _ in range(2):  # The second finds everything there.
            assert started.start("launch.cli", "migrate", environment=environment).wait() == 0
        roles = Roles(started, environment, urls_of)
        urls = roles.start_all(issuer_url=provider.url)
        introduce = _to(provider, issuer, programme_id)
        pages_url = urls.pop("console")
        yield stack.enter_context(
            town(urls, pages_url=pages_url, programme_id=programme_id, issuer=issuer, introduce=introduce)
        )
        roles.end_all()


class Roles:
    """`serve` processes."""

    def __init__(self, started: Processes, environment: dict[str, str], amqp_urls: dict[str, str]) -> None:
        self.environment = environment
        self._amqp_urls = amqp_urls
        self._started = started
        self._all: list[Process] = []

    def start_all(self, *, issuer_url: str) -> dict[str, str]:
        """Start every role, and the console when it can be told where its API is; return URLs by service."""
        web, relay = self._serve("activities", "web"), self._serve("activities", "relay")
        ledger = self._serve("ledger", "all")
        url = _where(web, "activities web")
        [port] = free_ports(1)  # A console must know its own address before it listens.
        at_issuer = {"ISSUER": issuer_url, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
        where = {"API_URL": url, "CONSOLE_URL": f"http://127.0.0.1:{port}"}
        more = {f"POPCANDY_{name}": value for name, value in (at_issuer | where).items()}
        console = self._serve("console", "all", port=port, **more)
        assert not _where(relay, "activities relay")
        return {"activities": url, "ledger": _where(ledger, "ledger all"), "console": _where(console, "console all")}

    def end_all(self) -> None:
        for process in self._all:
            process.end()

    def _serve(self, service: str, role: str, *, port: int = 0, **more: str) -> Process:
        arguments = ("launch.cli", "serve", service, "--role", role, "--port", str(port))
        broker = {"POPCANDY_AMQP_URL": self._amqp_urls[service]} if service in self._amqp_urls else {}
        process = self._started.start(*arguments, environment=self.environment | broker | more)
        self._all.append(process)
        return process


def _where(process: Process, says: str) -> str:
    """Wait until a role says that it works, and return where it listens; empty for one that does not."""

    def lines() -> list[str]:
        return [line for line in process.output.splitlines() if line.startswith(says)]

    process.until(lines, missing=f"the line `{says}`")
    found = LISTENING.search(lines()[0])
    return found[0] if found else ""
