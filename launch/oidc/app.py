"""The embedded OpenID provider over HTTP, for this machine alone (RFC 6749, OpenID Connect Core)."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from launch.oidc import pages
from launch.oidc.clients import Client, authenticated
from launch.oidc.provider import Provider
from launch.oidc.refusals import NotRedirectable, Refused
from launch.oidc.requests import Back, find_back, read_request, single
from shared import clock, telemetry
from shared.web import problems
from shared.web.limits import BodyLimit, Traced

MOST_FORM_BYTES = 16 * 1024
LOOPBACK = frozenset({"127.0.0.1", "::1"})
FORM = "application/x-www-form-urlencoded"
UNKEPT = {"cache-control": "no-store", "pragma": "no-cache"}

Answer = Callable[[Client, dict[str, str]], dict[str, Any]]

log = telemetry.get_logger()


def create_app(provider: Provider) -> ASGIApp:
    """Serve a provider at the path of its URL."""
    endpoints = Endpoints(provider)
    path = urlsplit(provider.url).path
    routes = [
        Route("/.well-known/openid-configuration", endpoints.discovery),
        Route("/jwks", endpoints.jwks),
        Route("/authorize", endpoints.authorize, methods=["GET", "POST"]),
        Route("/sign-in", endpoints.sign_in, methods=["POST"]),
        Route("/token", endpoints.token, methods=["POST"]),
        Route("/revoke", endpoints.revoke, methods=["POST"]),
        Route("/end-session", endpoints.end_session, methods=["GET", "POST"]),
        Route("/pages.css", endpoints.look),
    ]
    # A bare router: an application of Starlette's would answer faults itself, and bodies over their limit as faults.
    router = Router(routes=[Mount(path, routes=routes)], redirect_slashes=False)
    return Traced(ThisMachine(BodyLimit(router, most=MOST_FORM_BYTES), url=provider.url))


class ThisMachine:
    """Refuses who is not on this machine, asks by another name (DNS rebinding), or comes through a proxy."""

    def __init__(self, app: ASGIApp, *, url: str) -> None:
        """Wrap the app that is reached at `url`."""
        self.app = app
        port = urlsplit(url).port
        self.hosts = {urlsplit(url).netloc, f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of this machine's."""
        if scope["type"] != "http" or self._is_here(Request(scope)):
            await self.app(scope, receive, send)
            return
        log.warning("oidc.not_this_machine", path=scope["path"])
        await problems.of_status(Request(scope), HTTPStatus.FORBIDDEN)(scope, receive, send)

    def _is_here(self, request: Request) -> bool:
        is_near = request.client is not None and request.client.host in LOOPBACK
        is_direct = not {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers)
        return is_near and is_direct and request.headers.get("host") in self.hosts


class Endpoints:
    """The provider's endpoints."""

    def __init__(self, provider: Provider) -> None:
        """Answer for a provider."""
        self.provider = provider
        self.path = urlsplit(provider.url).path

    async def discovery(self, _request: Request) -> Response:
        """Describe the provider."""
        return _json(self.provider.discovery())

    async def jwks(self, _request: Request) -> Response:
        """Publish the keys."""
        return _json(self.provider.issuer.jwks())

    async def look(self, _request: Request) -> Response:
        """Return the pages' style sheet."""
        return Response(pages.STYLE, headers={"cache-control": "no-cache"}, media_type="text/css")

    async def authorize(self, request: Request) -> Response:
        """Show who there is to sign in as, or send an error back to the client."""
        try:
            pairs = await _pairs(request)
            back = find_back(self.provider.clients, pairs, issuer=self.provider.url)
        except NotRedirectable as fault:
            return pages.fault(request, fault.reason)
        except Refused:
            return pages.fault(request, "parameters")
        try:
            wanted = read_request(single(pairs))
        except Refused as refusal:
            return _go(back.url(error=refusal.error, error_description=refusal.description))
        people = await run_in_threadpool(self.provider.people.all)
        signed, action = self.provider.remember(wanted), f"{self.path}/sign-in"
        return pages.sign_in(request, wanted=wanted, signed=signed, people=people, action=action)

    async def sign_in(self, request: Request) -> Response:
        """Send the browser back to the client with a code for the person who was chosen."""
        try:
            _require_own_page(request)
            form = single(await _pairs(request))
            wanted = self.provider.recall(form.get("request", ""))
            back = Back(wanted.redirect_uri, wanted.state, self.provider.url)
            if "cancel" in form:
                return _go(back.url(error="access_denied", error_description="the person has cancelled"))
            person_id = UUID(form.get("person", ""))
            code = await run_in_threadpool(self.provider.sign_in, wanted, person_id=person_id, now=clock.now())
        except NotRedirectable as fault:
            return pages.fault(request, fault.reason)
        except (Refused, ValueError):
            return pages.fault(request, "parameters")
        return _go(back.url(code=code))

    async def token(self, request: Request) -> Response:
        """Give tokens for a code, a refresh token or a client's own secret."""
        return await self._for_client(request, lambda client, form: self.provider.tokens(client, form, now=clock.now()))

    async def revoke(self, request: Request) -> Response:
        """End the session of a refresh token; what is no token of the client's is answered alike (RFC 7009)."""

        def end(client: Client, form: dict[str, str]) -> dict[str, Any]:
            self.provider.sessions.end_by(form.get("token", ""), client_id=client.id, now=clock.now())
            return {}

        return await self._for_client(request, end)

    async def end_session(self, request: Request) -> Response:
        """Sign somebody out and send the browser on."""
        try:
            form = single(await _pairs(request))
            target = await run_in_threadpool(self.provider.end_session, form, now=clock.now())
        except NotRedirectable as fault:
            return pages.fault(request, fault.reason)
        except Refused:
            return pages.fault(request, "parameters")
        return pages.signed_out(request) if target is None else _go(target)

    async def _for_client(self, request: Request, answer: Answer) -> Response:
        authorization = request.headers.get("authorization")
        try:
            form = single(await _pairs(request, form_only=True))
            client = authenticated(self.provider.clients, form, authorization)
            return _json(await run_in_threadpool(answer, client, form))
        except Refused as refusal:
            log.info("oidc.refused", error=refusal.error, path=request.url.path)
            told = {"error": refusal.error, "error_description": refusal.description}
            is_asked = refusal.status == HTTPStatus.UNAUTHORIZED
            return _json(told, status=refusal.status, headers={"www-authenticate": "Basic"} if is_asked else {})


async def _pairs(request: Request, *, form_only: bool = False) -> list[tuple[str, str]]:
    """Return the parameters in the order sent: of the query for GET, of the form for POST. Raises Refused."""
    if request.method == "GET" and not form_only:
        return request.query_params.multi_items()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused("invalid_request", f"the body must be {FORM}")
    form = await request.form()
    return [(name, str(value)) for name, value in form.multi_items()]


def _require_own_page(request: Request) -> None:
    """Refuse a form of another site's page; browsers say whose it is, programs need not. Raises NotRedirectable."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own or site not in {None, "same-origin"}:
        raise NotRedirectable("other_site")


def _go(url: str) -> Response:
    """Send the browser on; 303, so that a form is not sent again to the client (RFC 9700 section 4.12)."""
    return RedirectResponse(url, HTTPStatus.SEE_OTHER, {**UNKEPT, "referrer-policy": "no-referrer"})


def _json(answer: dict[str, Any], *, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(answer), status, {**UNKEPT, **(headers or {})}, "application/json")
