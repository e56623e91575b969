"""The roles of a service over a PostgreSQL server and RabbitMQ: what is looked at first, then each of them."""

from importlib import import_module
from urllib.parse import urlsplit

from launch.background import Means
from launch.roles import Duty, Wanted
from launch.services import service_named
from launch.workers import Crew
from shared import telemetry
from shared.auth import certificate_keys
from shared.auth.signatures import keys_in
from shared.bus.topology import Topology
from shared.bus.transport import TransportDown
from shared.bus.transport.rabbit import RabbitTransport
from shared.database.server import Server
from shared.privacy import retention, suppression
from shared.settings import Settings, required

log = telemetry.get_logger()


def start(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    """Start a service's roles in `crew`; return where they are reached, empty where none answers requests.

    Raises MissingSetting, UnfitServer, OutdatedSchema, TopologyMissing, TransportDown, PortTaken.
    """
    service = service_named(wanted.service)
    server = Server(required(settings.database_url, "POPCANDY_DATABASE_URL"))
    retention.require_valid(settings.retention_days)
    _use_suppression(settings, wanted.role)
    _use_certificate_keys(settings, wanted.role)
    server.check()
    server.require_current(service.name)
    transport = RabbitTransport(required(settings.amqp_url, "POPCANDY_AMQP_URL"))
    _check(wanted, transport)
    _compare(settings)
    means = Means(service, wanted, settings, server, transport)
    urls = [import_module(f"launch.roles.{role}").start(means, crew) for role in wanted.roles]
    return next(filter(None, urls), "")


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
    from launch import broker  # noqa: PLC0415  An HTTP client is loaded where there is something to ask.

    vhost = urlsplit(settings.amqp_url.get_secret_value().partition(",")[0]).path.removeprefix("/")
    try:
        differences = broker.missing(settings.amqp_management_url.get_secret_value(), vhost=vhost)
    except broker.BrokerRefused as error:
        differences = [str(error)]
    for difference in differences:
        log.error("serve.broker_differs", difference=difference, cure="./popcandy broker check")


def _use_suppression(settings: Settings, role: Duty) -> None:
    """Tell this process what erased numbers are hashed with; who registers people needs it. Raises MissingSetting."""
    setting = settings.suppression_secrets or settings.secrets
    if role not in {Duty.RELAY, Duty.CONSUMER}:
        required(setting, "POPCANDY_SECRETS")
    if setting is not None:
        suppression.use(keys_in(setting.get_secret_value()))


def _use_certificate_keys(settings: Settings, role: Duty) -> None:
    """Tell this process what certificates are signed with, if it answers requests. Raises BadCertificateKey."""
    if settings.certificate_keys is not None and role in {Duty.WEB, Duty.ALL}:
        certificate_keys.use(keys_in(settings.certificate_keys.get_secret_value()))
