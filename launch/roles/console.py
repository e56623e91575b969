"""The console's pages: over the services' APIs, and an OpenID provider at which people sign in."""

from launch.oidc import clients
from launch.roles import Wanted
from launch.web import WebServer
from launch.workers import Crew
from services.console import main as console
from shared.auth.discovery import is_url
from shared.auth.sealing import seals_from
from shared.settings import MissingSetting, Settings, required


def start(wanted: Wanted, settings: Settings, crew: Crew) -> str:
    """Serve the pages; return where they are reached. Raises MissingSetting, AssetsMissing, PortTaken."""
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
