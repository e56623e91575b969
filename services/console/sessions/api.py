"""The doors of signing in and out, and who is at every other door."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import get_contextvars

from services.console.sessions import actions, rules
from services.console.sessions.queries import Issuer
from services.console.sessions.rules import Attempt, Callback, Session
from services.console.sessions.schemas import Cookies
from services.console.shell import api as shell
from services.console.shell.queries import Api
from services.console.shell.rules import ForeignForm, Reader, SignInNeeded, local_path
from shared import clock, telemetry

SIGN_IN, SIGNED_OUT = "/sign-in", "/signed-out"
CSRF_HEADER = "x-csrf-token"

log = telemetry.get_logger()
router = APIRouter(include_in_schema=False)


class Desk:
    """What signing in works with, one for the whole console."""

    def __init__(self, issuer: Issuer, cookies: Cookies) -> None:
        """Serve one issuer's people."""
        self.issuer = issuer
        self.cookies = cookies
        self.renewals = actions.Renewals()


def desk_of(request: Request) -> Desk:
    """Return where people sign in."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]


class Sessions:
    """Knows the reader of each request by the cookies, and writes the cookies that its doors want written."""

    def __init__(self, app: ASGIApp, *, desk: Desk, is_secure: bool) -> None:
        """Wrap an app."""
        self.app = app
        self._desk = desk
        self._is_secure = is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["session"] = self._known(Request(scope).cookies)
        state["reader"] = reader_of(state["session"])
        state["cookies"] = {}

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start" and state["cookies"]:
                self._write(MutableHeaders(scope=message), self._current(state))
            await send(message)

        await self.app(scope, receive, send_with_cookies)

    def _known(self, present: Mapping[str, str]) -> Session | None:
        session = self._desk.cookies.read_session(present)
        return None if session is None or self._desk.renewals.is_ended(session) else session

    def _current(self, state: Mapping[str, Any]) -> dict[str, tuple[str, timedelta]]:
        """Return the cookies to write: none with a value for a session that another tab has ended meanwhile."""
        session: Session | None = state["session"]
        is_ended = session is not None and self._desk.renewals.is_ended(session)
        return {name: kept for name, kept in state["cookies"].items() if not (is_ended and kept[0])}

    def _write(self, headers: MutableHeaders, cookies: Mapping[str, tuple[str, timedelta]]) -> None:
        carrier = Response()
        for name, (value, life) in cookies.items():
            seconds = int(life.total_seconds()) if value else 0
            carrier.set_cookie(name, value, seconds, secure=self._is_secure, httponly=True, samesite="lax")
        for header in carrier.headers.getlist("set-cookie"):
            headers.append("set-cookie", header)


def reader_of(session: Session | None) -> Reader | None:
    """Return a session's person as the layout shows them."""
    if session is None:
        return None
    person = session.person
    return Reader(person.name, person.name_en, person.roles, person.programme, session.csrf)


def signed_in(request: Request, desk: AtDesk) -> Session:
    """Return who is asking, with tokens that are good for a while. Raises SignInNeeded, IssuerDown."""
    session: Session | None = request.state.session
    now = clock.now()
    if session is None or rules.is_over(session, now=now):
        raise SignInNeeded
    if rules.must_renew(session, now=now):
        try:
            renewed = desk.renewals.renew(desk.issuer, session, now=now)
        except rules.RenewalRefused as error:
            log.info("session.not_renewed", reason=str(error))
            raise SignInNeeded from error
        if renewed is not session:
            _keep_session(request, desk, renewed)
        return renewed
    return session


SignedIn = Annotated[Session, Depends(signed_in)]


def api_of(request: Request, session: SignedIn) -> Api:
    """Ask the APIs in the reader's name."""
    return Api(request.app.state.api, session.access_token, shell.language_of(request))


Asking = Annotated[Api, Depends(api_of)]


def own_form(request: Request, session: SignedIn, csrf: Annotated[str, Form()] = "") -> None:
    """Require that a form is one of our own pages', by its field or its header. Raises ForeignForm."""
    _require_own(request, session, csrf)


OwnForm = Depends(own_form)


@router.get(SIGN_IN)
def sign_in(request: Request, desk: AtDesk, next: str = "") -> Response:  # noqa: A002  The query parameter's name.
    """Send a browser to the issuer; what it must bring back stays with it, sealed."""
    next_path = local_path(next) or shell.HOME
    url, attempt = actions.begin(
        desk.issuer, next_path=next_path, language=shell.language_of(request), now=clock.now()
    )  # fmt: skip
    _keep(request, desk.cookies.write_attempt(attempt, request.cookies), life=rules.ATTEMPT_LIFE)
    return shell.go(url)


@router.get(f"{SIGN_IN}/callback")
def finish_sign_in(
    request: Request, desk: AtDesk, state: str = "", code: str = "", iss: str | None = None, error: str | None = None
) -> Response:
    """Take back what the issuer sent: a session, or a page that says why there is none."""
    attempt = desk.cookies.read_attempt(request.cookies, state=state)
    if attempt is None and request.state.session is not None:
        return shell.go(shell.HOME)  # A reload, or the way back, after it has worked.
    _drop_attempt(request, desk, state)
    session = actions.finish(desk.issuer, attempt, Callback(state, code, iss, error), now=clock.now())
    _keep_session(request, desk, session)
    log.info("session.started", person_id=session.person.id)
    return shell.go(_next_of(attempt))


@router.post("/sign-out")
def sign_out(request: Request, desk: AtDesk, csrf: Annotated[str, Form()] = "") -> Response:
    """End the session here and at the issuer; without one there is nothing to end."""
    session: Session | None = request.state.session
    if session is None:
        return shell.go(SIGNED_OUT)
    _require_own(request, session, csrf)
    url = actions.end(desk.issuer, desk.renewals, session)
    _keep(request, desk.cookies.no_session(request.cookies), life=timedelta())
    return shell.go(url or SIGNED_OUT)


@router.get(SIGNED_OUT)
def show_signed_out(request: Request) -> Response:
    """Say that nobody is signed in any more."""
    return shell.page(request, "signed_out.html")


def _require_own(request: Request, session: Session, csrf: str) -> None:
    if not rules.is_own_form(session, csrf or request.headers.get(CSRF_HEADER, "")):
        raise ForeignForm


def _next_of(attempt: Attempt | None) -> str:
    return shell.HOME if attempt is None else attempt.next_path


def _drop_attempt(request: Request, desk: Desk, state: str) -> None:
    """A state is good for one callback, whatever comes of it."""
    name = desk.cookies.attempt_name(state)
    if name in request.cookies:
        _keep(request, {name: ""}, life=timedelta())


def _keep_session(request: Request, desk: Desk, session: Session) -> None:
    cookies = desk.cookies.write_session(session, request.cookies)
    _keep(request, cookies, life=rules.LONGEST_STAY)
    request.state.session, request.state.reader = session, reader_of(session)


def _keep(request: Request, cookies: Mapping[str, str], *, life: timedelta) -> None:
    kept: dict[str, tuple[str, timedelta]] = request.state.cookies
    kept.update({name: (value, life) for name, value in cookies.items()})


def _ask_to_sign_in(request: Request, _error: Exception) -> Response:
    """Send to the sign-in, and back here after it; a session that is young would only come back refused."""
    session: Session | None = request.state.session
    if session is not None and rules.would_loop(session, now=clock.now()):
        return shell.fault(request, "not_accepted", HTTPStatus.FORBIDDEN)
    url = f"{SIGN_IN}?{urlencode({'next': shell.here(request)})}"
    if shell.is_fragment(request):
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"hx-redirect": SIGN_IN})
    return shell.go(url)


def _issuer_down(request: Request, _error: Exception) -> Response:
    return shell.fault(request, "issuer_down", HTTPStatus.BAD_GATEWAY)


def _too_large(request: Request, _error: Exception) -> Response:
    log.error("session.too_large")
    return shell.fault(request, "too_large", HTTPStatus.BAD_GATEWAY, retry=SIGN_IN)


def _failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, rules.SignInFailed):
        raise error
    log.warning("session.refused", fault=error.fault, reason=error.reason, trace_id=get_contextvars().get("trace_id"))
    return shell.fault(request, error.fault, HTTPStatus.BAD_REQUEST, retry=SIGN_IN)


FAULTS: Mapping[type[Exception], Any] = {
    SignInNeeded: _ask_to_sign_in,
    rules.IssuerDown: _issuer_down,
    rules.SessionTooLarge: _too_large,
    rules.SignInFailed: _failed,
}
