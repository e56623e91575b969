"""Answering a service's requests."""

from launch.background import Means
from launch.oidc.clients import client_id_of
from launch.web import WebServer
from launch.workers import Crew
from shared import telemetry
from shared.auth.discovery import Discovery, discovered_keys, is_url, require_secure
from shared.auth.keys import KeyStore, key_store
from shared.auth.service_tokens import Credentials, tokens_of
from shared.auth.signatures import signatures_from
from shared.auth.tokens import TokenVerifier
from shared.names import Names
from shared.settings import MissingSetting, Settings, required
from shared.web.app import create_app
from shared.web.options import WebOptions, options_of

log = telemetry.get_logger()


def start(means: Means, crew: Crew) -> str:
    """Start the role; return where it is reached. Raises MissingSetting, InsecureIssuer, PortTaken."""
    service, settings = means.service, means.settings
    web = WebServer(host=means.wanted.host, port=means.wanted.port)
    database = means.server.open(
        service.name, pool_size=settings.pool_size, transaction_seconds=settings.request_seconds
    )
    app = create_app(
        service, database=database, transport=means.transport, verifier=_verifier(settings),
        options=_options(settings, service.name),
    )  # fmt: skip
    crew.start(f"{service.name}.web", web.serving(app))
    return web.url


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
    credentials = Credentials(settings.client_id or client_id_of(service), settings.client_secret)
    return Names(settings.api_url, tokens_of(Discovery(settings.issuer), credentials))
