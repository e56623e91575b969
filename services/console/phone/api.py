"""The pages' doors: ask the APIs, write a page or send the browser on."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from structlog.contextvars import get_contextvars

from services.console.phone import actions, queries, rules, schemas
from services.console.phone.queries import Api
from shared import clock, telemetry
from shared.web import problems

TOKEN = "popcandy_token"  # noqa: S105  A cookie's name.
LANGUAGE = "popcandy_lang"
OUTCOME = "popcandy_outcome"
LANGUAGE_KEPT = timedelta(days=365)
OUTCOME_KEPT = timedelta(minutes=1)
SIGN_IN = "/sign-in"

log = telemetry.get_logger()
router = APIRouter(include_in_schema=False)


def api_of(request: Request) -> Api:
    """Ask the APIs with the reader's token. Raises SignInNeeded without a usable one."""
    token = request.cookies.get(TOKEN, "")
    if not rules.is_token(token):
        raise rules.SignInNeeded
    return Api(request.app.state.api, token, language_of(request))


Asking = Annotated[Api, Depends(api_of)]
Typed = Annotated[str, Form()]


@router.get("/shifts/{shift_id}/code")
def show_code(request: Request, shift_id: UUID, api: Asking) -> Response:
    """Fill a partner's screen with the shift's rotating code."""
    shift = queries.get_shift(api, shift_id)
    occasion = schemas.make_occasion(shift, language=api.language)
    return _page(request, "code.html", occasion=occasion, card=_card(request, shift_id, api))


@router.get("/shifts/{shift_id}/code/card")
def show_card(request: Request, shift_id: UUID, api: Asking) -> Response:
    """Return the part of the screen that changes with the code."""
    return _page(request, "card.html", card=_card(request, shift_id, api))


@router.get("/c/{shift_id}")
def show_place(request: Request, shift_id: UUID, api: Asking, code: str = "") -> Response:
    """Show a volunteer one shift and the one step that comes next; changes nothing."""
    shift = queries.get_shift(api, shift_id)
    problem = schemas.read_outcome(request.cookies.get(OUTCOME, ""))
    place = None
    try:
        place = schemas.make_place(queries.get_place(api, shift_id), shift, language=api.language)
    except rules.Refused as refusal:
        problem = refusal.problem
    response = _page(
        request,
        "place.html",
        HTTPStatus.OK if place or problem is None else problem.status,
        occasion=schemas.make_occasion(shift, language=api.language),
        place=place,
        code=rules.scanned_code(code),
        notice=problem and schemas.make_notice(problem, language=api.language, shift=shift),
    )
    response.delete_cookie(OUTCOME, path=f"/c/{shift_id}")
    return response


@router.post("/c/{shift_id}/check-in")
def check_in(request: Request, shift_id: UUID, api: Asking, code: Typed = "") -> Response:
    """Check the volunteer in, then show how it went."""
    return _send_back(request, shift_id, lambda: actions.check_in(api, shift_id=shift_id, code=code))


@router.post("/c/{shift_id}/check-out")
def check_out(request: Request, shift_id: UUID, api: Asking, code: Typed = "") -> Response:
    """Check the volunteer out, then show how it went."""
    return _send_back(request, shift_id, lambda: actions.check_out(api, shift_id=shift_id, code=code))


@router.get("/c/{shift_id}/check-in")
@router.get("/c/{shift_id}/check-out")
def return_to_place(shift_id: UUID) -> Response:
    """Send a browser that restores an old tab back to the page itself."""
    return _go(f"/c/{shift_id}")


@router.get("/")
def start() -> Response:
    """Send whoever opens the bare address to the sign-in page, which also says what to do when signed in."""
    return _go(SIGN_IN)


@router.get(SIGN_IN)
def show_sign_in(request: Request, next: str = "") -> Response:  # noqa: A002  The query parameter's name.
    """Ask for a token, or say that there is one."""
    signed_in = TOKEN in request.cookies and not next
    return _page(request, "sign_in.html", next=rules.local_path(next) or SIGN_IN, useless=False, signed_in=signed_in)


@router.post(SIGN_IN)
def sign_in(request: Request, token: Typed = "", next: Typed = "") -> Response:  # noqa: A002  The field's name.
    """Keep a token in a cookie that scripts cannot read; the APIs verify it on each call."""
    token, next_path = token.strip(), rules.local_path(next) or SIGN_IN
    seconds = rules.stay_seconds(token, now=clock.now())
    if seconds is None:
        return _page(
            request, "sign_in.html", HTTPStatus.BAD_REQUEST, next=next_path, useless=True, signed_in=False
        )  # fmt: skip
    response = _go(next_path)
    _keep(request, response, TOKEN, token, seconds=seconds)
    return response


@router.post("/sign-out")
def sign_out() -> Response:
    """Forget the token."""
    response = _go(SIGN_IN)
    response.delete_cookie(TOKEN)
    return response


def language_of(request: Request) -> str:
    """Choose the language: the link just followed, then the one followed last, then the browser's; Chinese first."""
    chosen = (request.query_params.get("lang"), request.cookies.get(LANGUAGE))
    return next((language for language in chosen if language in schemas.LANGUAGES), None) or problems.language_of(
        request
    )


def refuse_cross_site(request: Request) -> Response:
    """Answer a form that another site's page posted."""
    return _fault(request, "cross_site", HTTPStatus.FORBIDDEN)


def _ask_to_sign_in(request: Request, _error: Exception) -> Response:
    response = _go(f"{SIGN_IN}?{urlencode({'next': _here(request)})}")
    response.delete_cookie(TOKEN)
    return response


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, rules.Refused):
        raise error
    notice = schemas.make_notice(error.problem, language=language_of(request))
    return _page(request, "fault.html", error.problem.status, notice=notice, retry=_here(request))


def _down(request: Request, _error: Exception) -> Response:
    return _fault(request, "down", HTTPStatus.BAD_GATEWAY)


def _slow(request: Request, _error: Exception) -> Response:
    return _fault(request, "slow", HTTPStatus.GATEWAY_TIMEOUT)


def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    return _fault(request, "not_found", status)


def _failed(request: Request, error: Exception) -> Response:
    log.error("page.failed", path=request.url.path, exc_info=error)
    return _fault(request, "broken", HTTPStatus.INTERNAL_SERVER_ERROR)


FAULTS: Mapping[type[Exception], Callable[[Request, Exception], Response]] = {
    rules.SignInNeeded: _ask_to_sign_in,
    rules.Refused: _refused,
    rules.ApiDown: _down,
    rules.ApiSlow: _slow,
    RequestValidationError: _missing,
    HTTPException: _missing,
    Exception: _failed,
}


def _fault(request: Request, name: str, status: int) -> Response:
    notice = schemas.say_fault(name, language=language_of(request), trace_id=get_contextvars().get("trace_id"))
    return _page(request, "fault.html", status, notice=notice, retry=_here(request))


def _card(request: Request, shift_id: UUID, api: Api) -> schemas.Card:
    code = queries.get_code(api, shift_id)
    return schemas.make_card(code, shift_id=shift_id, console_url=request.app.state.console_url, now=clock.now())


def _send_back(request: Request, shift_id: UUID, do: Callable[[], None]) -> Response:
    """Do it, then redirect, so that a reload repeats nothing; a refusal travels in a cookie of one minute."""
    response = _go(f"/c/{shift_id}")
    try:
        do()
    except rules.Refused as refusal:
        outcome = schemas.write_outcome(refusal.problem)
        _keep(request, response, OUTCOME, outcome, seconds=OUTCOME_KEPT.seconds, path=f"/c/{shift_id}")
    return response


def _page(request: Request, name: str, status: int = HTTPStatus.OK, **context: Any) -> HTMLResponse:  # noqa: ANN401  Each template's own.
    language = language_of(request)
    other = next(known for known in schemas.LANGUAGES if known != language)
    other_url = "?" + request.url.include_query_params(lang=other).query
    known = TOKEN in request.cookies
    html = schemas.write_page(name, language=language, other=other, other_url=other_url, known=known, **context)
    response = HTMLResponse(html, status)
    if request.query_params.get("lang") == language:
        _keep(request, response, LANGUAGE, language, seconds=int(LANGUAGE_KEPT.total_seconds()))
    return response


def _keep(request: Request, response: Response, name: str, value: str, *, seconds: int, path: str = "/") -> None:
    secure = request.app.state.console_url.startswith("https://")
    response.set_cookie(name, value, seconds, path=path, secure=secure, httponly=True, samesite="lax")


def _here(request: Request) -> str:
    """Return where to come back to: this address, or the page that a form was posted from."""
    if request.method == "GET":
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return rules.local_path(path) or SIGN_IN
    shift_id = request.path_params.get("shift_id")
    return f"/c/{shift_id}" if shift_id else SIGN_IN


def _go(path: str) -> RedirectResponse:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
