"""One role of one service, over a PostgreSQL server and RabbitMQ."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from launch.background import pool_of, start_tasks, tasks_url
from launch.services import service_named
from launch.web import WebServer
from launch.workers import Crew
from services.console import main as console
from shared.auth.keys import key_store
from shared.auth.tokens import TokenVerifier
from shared.bus.consumer import Consumer
from shared.bus.inbox import Inbox
from shared.bus.relay import Relay
from shared.bus.replayer import Replayer
from shared.bus.tasks.rabbit import QuorumBroker
from shared.bus.topology import Topology
from shared.bus.transport import Transport
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.errors import Hindrance
from shared.service import Service
from shared.settings import Settings
from shared.web.app import create_app

BACKGROUND_POOL = 4


class Duty(StrEnum):
    """What a process does for its service."""

    WEB = "web"
    CONSUMER = "consumer"
    RELAY = "relay"
    WORKER = "worker"
    ALL = "all"


class MissingSetting(Hindrance):
    """A role needs a setting that is not there; the message names it."""


@dataclass(frozen=True)
class Wanted:
    """Which service, in which role, where."""

    service: str
    role: Duty
    host: str
    port: int


def start(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    """Start a role's threads in `crew`; return where it is reached, empty for a role without HTTP.

    Raises MissingSetting, UnfitServer, OutdatedSchema, TopologyMissing, TransportDown, PortTaken.
    """
    if wanted.service == "console":
        return _start_console(wanted, settings, crew)
    service = service_named(wanted.service)
    server = Server(required(settings.database_url, "POPCANDY_DATABASE_URL"))
    server.check()
    server.require_current(service.name)
    transport = RabbitTransport(required(settings.amqp_url, "POPCANDY_AMQP_URL"))
    transport.check(Topology.queues_of(service.name))
    if wanted.role is not Duty.WEB:
        _start_background(service, wanted.role, server.open(service.name, pool_size=BACKGROUND_POOL), transport, crew)
    if wanted.role in {Duty.WORKER, Duty.ALL} and service.works:
        _start_worker(service, server, settings, crew)
    if wanted.role not in {Duty.WEB, Duty.ALL}:
        return ""
    web = WebServer(host=wanted.host, port=wanted.port)
    database = server.open(service.name, pool_size=settings.pool_size)
    app = create_app(service, database=database, transport=transport, verifier=_verifier(settings))
    crew.start(f"{service.name}.web", web.serving(app))
    return web.url


def _start_background(service: Service, role: Duty, database: Database, transport: Transport, crew: Crew) -> None:
    if role in {Duty.RELAY, Duty.ALL}:
        crew.start(f"{service.name}.relay", Relay(database, transport, service=service.name).run)
    if role in {Duty.CONSUMER, Duty.ALL} and service.handlers:
        crew.start(f"{service.name}.consumer", Consumer(transport, Inbox(database, service.subscriptions)).run)
    if role in {Duty.CONSUMER, Duty.ALL}:
        crew.start(f"{service.name}.replayer", Replayer(database, Inbox(database, service.subscriptions)).run)


def _start_worker(service: Service, server: Server, settings: Settings, crew: Crew) -> None:
    broker = QuorumBroker(tasks_url(required(settings.amqp_url, "POPCANDY_AMQP_URL"), service.name))
    database = server.open(service.name, pool_size=pool_of(settings.worker_threads))
    start_tasks(service, database, crew, broker=broker, threads=settings.worker_threads)


def _start_console(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    web = WebServer(host=wanted.host, port=wanted.port)
    app = console.create_app(console.connect(settings.api_url), console_url=settings.console_url)
    crew.start("console.web", web.serving(app))
    return web.url


def _verifier(settings: Settings) -> TokenVerifier:
    if settings.jwks is None:
        raise MissingSetting("POPCANDY_JWKS is not set: a URL or a file with the token issuer's keys")
    return TokenVerifier(key_store(settings.jwks), issuer=settings.issuer, audience=settings.audience)


def required(value: SecretStr | None, name: str) -> str:
    """Return a setting that has to be there. Raises MissingSetting."""
    if value is None:
        raise MissingSetting(f"{name} is not set; see ./popcandy doctor")
    return value.get_secret_value()
