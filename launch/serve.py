"""One role of one service, over a PostgreSQL server and RabbitMQ."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import SecretStr

from launch import background, broker
from launch.oidc import clients
from launch.services import service_named
from launch.web import WebServer
from launch.workers import Crew
from services.console import main as console
from shared import telemetry
from shared.auth.discovery import Discovery, discovered_keys, is_url, require_secure
from shared.auth.keys import KeyStore, key_store
from shared.auth.sealing import seals_from
from shared.auth.service_tokens import Credentials, tokens_of
from shared.auth.signatures import keys_in, signatures_from
from shared.auth.tokens import TokenVerifier
from shared.bus.tasks.rabbit import QuorumBroker
from shared.bus.tasks.wake_ups import dead_queue_of, keep_rejected
from shared.bus.topology import Topology
from shared.bus.transport import TransportDown
from shared.bus.transport.rabbit import RabbitTasks, RabbitTransport
from shared.bus.upkeep import Aside
from shared.database.server import Server
from shared.errors import Hindrance
from shared.names import Names
from shared.privacy import retention, suppression
from shared.service import Service
from shared.settings import Settings
from shared.web.app import create_app
from shared.web.options import WebOptions, options_of

log = telemetry.get_logger()


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


@dataclass(frozen=True)
class Means:
    """What every role works with."""

    server: Server
    transport: RabbitTransport
    settings: Settings

    @property
    def amqp_url(self) -> str:
        """Where the events are. Raises MissingSetting."""
        return required(self.settings.amqp_url, "POPCANDY_AMQP_URL")


def start(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    """Start a role's threads in `crew`; return where it is reached, empty for a role without HTTP.

    Raises MissingSetting, UnfitServer, OutdatedSchema, TopologyMissing, TransportDown, PortTaken.
    """
    if wanted.service == "console":
        return _start_console(wanted, settings, crew)
    service = service_named(wanted.service)
    server = Server(required(settings.database_url, "POPCANDY_DATABASE_URL"))
    retention.require_valid(settings.retention_days)
    _use_suppression(settings, wanted.role)
    server.check()
    server.require_current(service.name)
    transport = RabbitTransport(required(settings.amqp_url, "POPCANDY_AMQP_URL"))
    _check(wanted, transport)
    _compare(settings)
    if wanted.role is not Duty.WEB:
        _start_background(service, wanted.role, Means(server, transport, settings), crew)
    if wanted.role not in {Duty.WEB, Duty.ALL}:
        return ""
    web = WebServer(host=wanted.host, port=wanted.port)
    database = server.open(service.name, pool_size=settings.pool_size, transaction_seconds=settings.request_seconds)
    app = create_app(
        service, database=database, transport=transport, verifier=_verifier(settings),
        options=_options(settings, service.name),
    )  # fmt: skip
    crew.start(f"{service.name}.web", web.serving(app))
    return web.url


def _check(wanted: Wanted, transport: RabbitTransport) -> None:
    """Require the service's queues; requests alone do without a broker that is away, for their events wait."""
    try:
        transport.check(Topology.queues_of(wanted.service))
    except TransportDown as error:
        if wanted.role is not Duty.WEB:
            raise
        log.warning("serve.broker_away", error=str(error))


def _compare(settings: Settings) -> None:
    """Say how the broker differs from what we rely on and cannot see from a queue, where its management API is named.

    Nothing is lost for it: a dead letter without a target waits in its queue until somebody has mended that.
    """
    if settings.amqp_management_url is None or settings.amqp_url is None:
        return
    vhost = urlsplit(settings.amqp_url.get_secret_value().partition(",")[0]).path.removeprefix("/")
    try:
        differences = broker.missing(settings.amqp_management_url.get_secret_value(), vhost=vhost)
    except broker.BrokerRefused as error:
        differences = [str(error)]
    for difference in differences:
        log.error("serve.broker_differs", difference=difference, cure="./popcandy broker check")


def _start_background(service: Service, role: Duty, means: Means, crew: Crew) -> None:
    database = means.server.open(service.name, pool_size=background.POOL)
    url = background.tasks_url(means.amqp_url, service.name)
    if role in {Duty.RELAY, Duty.ALL}:
        background.start_relays(service, database, crew, transport=means.transport, workers=RabbitTasks(url))
    if role in {Duty.CONSUMER, Duty.ALL}:
        rejected = Aside(RabbitTransport(url), dead_queue_of(service.name), keep_rejected)
        asides = [rejected] if service.works else []
        background.start_hearing(service, database, crew, transport=means.transport, asides=asides)
    if role in {Duty.WORKER, Duty.ALL} and service.works:
        threads = means.settings.worker_threads
        own = means.server.open(service.name, pool_size=background.pool_of(threads))
        background.start_tasks(service, own, crew, broker=QuorumBroker(url), threads=threads)


def _start_console(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    sign_in = _sign_in(settings)
    web = WebServer(host=wanted.host, port=wanted.port)
    app = console.create_app(console.connect(settings.api_url), console_url=settings.console_url, sign_in=sign_in)
    crew.start("console.web", web.serving(app))
    return web.url


def _sign_in(settings: Settings) -> console.SignIn:
    if not is_url(settings.issuer):
        raise MissingSetting("POPCANDY_ISSUER is not the address of an OpenID provider, at which people sign in")
    secret = None if settings.client_secret is None else settings.client_secret.get_secret_value()
    seals = seals_from(required(settings.secrets, "POPCANDY_SECRETS"))
    return console.SignIn(settings.issuer, settings.client_id or clients.CONSOLE, seals, secret)


def _verifier(settings: Settings) -> TokenVerifier:
    return TokenVerifier(_keys(settings), issuer=settings.issuer, audience=settings.audience)


def _keys(settings: Settings) -> KeyStore:
    """Return the issuer's keys: where we are told, else where it says. Raises MissingSetting, InsecureIssuer."""
    if settings.jwks is not None:
        if is_url(settings.jwks):
            require_secure(settings.jwks)
        return key_store(settings.jwks)
    if not is_url(settings.issuer):
        raise MissingSetting(
            "POPCANDY_JWKS is not set: a URL or a file with the token issuer's keys; or set POPCANDY_ISSUER to its URL"
        )
    return discovered_keys(Discovery(settings.issuer))


def _options(settings: Settings, service: str) -> WebOptions:
    signatures = signatures_from(required(settings.secrets, "POPCANDY_SECRETS"))
    return options_of(settings, signatures, names=_names(settings, service))


def _names(settings: Settings, service: str) -> Names | None:
    """Return how a service asks for people's names, if it has been given a secret. Raises MissingSetting."""
    if settings.client_secret is None:
        log.info("serve.no_client_secret", service=service)
        return None
    if not is_url(settings.issuer):
        raise MissingSetting("POPCANDY_CLIENT_SECRET needs POPCANDY_ISSUER to be the issuer's URL")
    credentials = Credentials(settings.client_id or clients.client_id_of(service), settings.client_secret)
    return Names(settings.api_url, tokens_of(Discovery(settings.issuer), credentials))


def _use_suppression(settings: Settings, role: Duty) -> None:
    """Tell this process what erased numbers are hashed with; who registers people needs it. Raises MissingSetting."""
    setting = settings.suppression_secrets or settings.secrets
    if role not in {Duty.RELAY, Duty.CONSUMER}:
        required(setting, "POPCANDY_SECRETS")
    if setting is not None:
        suppression.use(keys_in(setting.get_secret_value()))


def required(value: SecretStr | None, name: str) -> str:
    """Return a setting that has to be there. Raises MissingSetting."""
    if value is None:
        raise MissingSetting(f"{name} is not set; see ./popcandy doctor")
    return value.get_secret_value()
