"""The console's web app: pages of our own making, and nothing but the services' HTTP APIs behind them."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.home import api as home
from services.console.phone import api as phone
from services.console.sessions import api as sessions
from services.console.sessions.queries import Issuer
from services.console.sessions.rules import Registration
from services.console.sessions.schemas import Cookies
from services.console.shell import api as shell
from services.console.shell.rules import is_same_site, origin_of
from services.console.shell.schemas import STATIC, STATIC_FOLDER, marks
from shared.auth.sealing import Seals
from shared.errors import Hindrance
from shared.web.limits import BodyLimit, Traced

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
MOST_CONNECTIONS = 40  # As many as Starlette has threads, so that none waits for a connection.
MOST_FORM_BYTES = 16 * 1024
KEPT = "public, max-age=31536000, immutable"  # The address changes with the file.


class AssetsMissing(Hindrance):
    """What the pages load of others' making is not here."""


@dataclass(frozen=True)
class SignIn:
    """Where people sign in, as whom the console asks there, and what seals its cookies."""

    issuer: str
    client_id: str
    seals: Seals
    client_secret: str | None = None


def connect(api_url: str = "") -> httpx2.Client:
    """Return a client of the services' APIs, or without `api_url` of the issuer; whoever calls this closes it."""
    return httpx2.Client(
        base_url=api_url,
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # One person's cookie must never go with another.
        trust_env=False,
    )


def create_app(api: httpx2.Client, *, console_url: str, sign_in: SignIn) -> ASGIApp:
    """Serve the pages; `console_url` is where browsers find them. Raises AssetsMissing, InsecureIssuer.

    `api` is asked for the APIs by path, and for the issuer by its whole address.
    """
    require_assets(STATIC_FOLDER)
    url = console_url.rstrip("/")
    app = FastAPI(title="Popcandy console", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.api, app.state.console_url, app.state.desk = api, url, _desk(api, url, sign_in)
    for router in (home.router, phone.router, sessions.router):
        app.include_router(router)
    app.mount(STATIC, GZipMiddleware(StaticFiles(directory=STATIC_FOLDER)))
    app.add_api_route("/livez", live, include_in_schema=False)
    for fault, answer in (*shell.FAULTS.items(), *sessions.FAULTS.items()):
        app.add_exception_handler(fault, answer)
    app.add_middleware(BodyLimit, most=MOST_FORM_BYTES)
    app.add_middleware(SameSite, host=urlsplit(url).netloc)
    app.add_middleware(sessions.Sessions, desk=app.state.desk, is_secure=url.startswith("https://"))
    # Around the app, not in it: its page for a fault needs the headers and the trace too.
    return Traced(PageHeaders(app, _page_headers(sign_in.issuer)))


async def live() -> dict[str, bool]:
    """Say that the process answers, however slow the APIs are."""
    return {"live": True}


def _desk(client: httpx2.Client, url: str, sign_in: SignIn) -> sessions.Desk:
    registration = Registration(sign_in.issuer, sign_in.client_id, url, sign_in.client_secret)
    prefix = "__Host-" if url.startswith("https://") else ""  # Browsers take it over HTTPS alone.
    return sessions.Desk(Issuer(client, registration), Cookies(sign_in.seals, prefix=prefix))


def require_assets(static: Path) -> None:
    """Require that what pages load of others' making lies in `static`, as listed beside it. Raises AssetsMissing."""
    listed, there = static.parent / "assets.json", static / "vendor" / "assets.json"
    if not there.exists() or there.read_bytes() != listed.read_bytes():
        raise AssetsMissing("what the pages load is not in services/console/static/vendor; ./popcandy fetches it once")


def _page_headers(issuer: str) -> dict[str, str]:
    return {
        # A browser that signs out is sent on to the issuer from a form, and Chromium holds such a redirect to
        # `form-action` as well.
        "content-security-policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            f"connect-src 'self'; form-action 'self' {origin_of(issuer)}; base-uri 'none'; frame-ancestors 'none'"
        ),
        "x-content-type-options": "nosniff",
        # Codes are in addresses, so no other site hears them. Not `no-referrer`: our own forms would then post with
        # `Origin: null` (Fetch, "append a request Origin header"), and over plain HTTP nothing else says whose they
        # are.
        "referrer-policy": "same-origin",
    }


class PageHeaders:
    """Adds what browsers must know of every answer: what a page may load, and how long it is to be kept."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        """Wrap an app."""
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                headers["cache-control"] = _kept(scope)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _kept(scope: Scope) -> str:
    """Say how long a browser may keep an answer: what has its mark in its address for good, a page not at all."""
    path: str = scope["path"]
    if not path.startswith(f"{STATIC}/"):
        return "no-store"
    mark = marks().get(path.removeprefix(f"{STATIC}/"))
    return KEPT if parse_qs(scope["query_string"].decode("latin-1")).get("v") == [mark] else "no-cache"


class SameSite:
    """Refuses posts from other sites' pages (CSRF); SameSite cookies and a token in each form are the other halves."""

    def __init__(self, app: ASGIApp, *, host: str) -> None:
        """Wrap an app that is reached at `host`."""
        self.app = app
        self.host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, unless it would change something for another site."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"} or self._is_ours(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        await shell.refuse_cross_site(Request(scope))(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        return is_same_site(
            fetch_site=headers.get("sec-fetch-site"),
            origin=headers.get("origin"),
            hosts={self.host, headers.get("host", self.host)},
        )
