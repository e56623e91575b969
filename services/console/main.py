"""The console's web app: pages of our own making, and nothing but the services' HTTP APIs behind them."""

from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.phone import api as phone
from services.console.phone import rules
from shared.web.limits import BodyLimit, Traced

CONNECT_SECONDS = 2.0
READ_SECONDS = 10.0
MOST_CONNECTIONS = 40  # As many as Starlette has threads, so that none waits for a connection.
MOST_FORM_BYTES = 16 * 1024
STATIC = "/static"

PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # Codes are in addresses, so no other site hears them. Not `no-referrer`: our own forms would then post with
    # `Origin: null` (Fetch, "append a request Origin header"), and over plain HTTP nothing else says whose they are.
    "referrer-policy": "same-origin",
}


def connect(api_url: str) -> httpx2.Client:
    """Return a client of the services' APIs for `create_app`; whoever calls this closes it."""
    return httpx2.Client(
        base_url=api_url,
        timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # One person's cookie must never go with another.
        trust_env=False,
    )


def create_app(api: httpx2.Client, *, console_url: str) -> ASGIApp:
    """Serve the pages; `console_url` is where phones find them and goes into the QR codes."""
    app = FastAPI(title="Popcandy console", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.api, app.state.console_url = api, console_url.rstrip("/")
    app.include_router(phone.router)
    app.mount(STATIC, StaticFiles(directory=Path(__file__).parent / "phone" / "static"))
    app.add_api_route("/livez", live, include_in_schema=False)
    for fault, answer in phone.FAULTS.items():
        app.add_exception_handler(fault, answer)
    app.add_middleware(BodyLimit, most=MOST_FORM_BYTES)
    app.add_middleware(SameSite, host=urlsplit(console_url).netloc)
    return Traced(
        PageHeaders(app)
    )  # Around the app, not in it: its page for a fault needs the headers and the trace too.


async def live() -> dict[str, bool]:
    """Say that the process answers, however slow the APIs are."""
    return {"live": True}


class PageHeaders:
    """Adds what browsers must know of every answer: what a page may load, and that it is not to be kept."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(PAGE_HEADERS)
                headers["cache-control"] = "no-cache" if scope["path"].startswith(f"{STATIC}/") else "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers)


class SameSite:
    """Refuses posts from other sites' pages (CSRF); the cookies' SameSite=Lax is the other half."""

    def __init__(self, app: ASGIApp, *, host: str) -> None:
        """Wrap an app that is reached at `host`."""
        self.app = app
        self.host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, unless it would change something for another site."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"} or self._is_ours(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        await phone.refuse_cross_site(Request(scope))(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        return rules.is_same_site(
            fetch_site=headers.get("sec-fetch-site"),
            origin=headers.get("origin"),
            hosts={self.host, headers.get("host", self.host)},
        )
