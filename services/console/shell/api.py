"""What every door of the console does: write a page in the reader's language, send on, say what went wrong."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from zlib import crc32

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from structlog.contextvars import get_contextvars

from services.console.shell import rules, schemas
from services.console.shell.schemas import PAGES, Pages
from shared import telemetry
from shared.web import problems

HOME = "/"
LANGUAGE = "popcandy_lang"
OUTCOME = "popcandy_outcome"
LANGUAGE_KEPT = timedelta(days=365)
OUTCOME_KEPT = timedelta(minutes=1)

Answer = Callable[[Request, Exception], Response]

log = telemetry.get_logger()


def page(
    request: Request,
    name: str,
    status: int = HTTPStatus.OK,
    *,
    pages: Pages = PAGES,
    **context: Any,  # noqa: ANN401  Each template's own.
) -> HTMLResponse:
    """Write a page for whoever reads it."""
    language = language_of(request)
    other = next(known for known in schemas.LANGUAGES if known != language)
    context |= {"other": other, "other_url": _in_language(request, other), "reader": reader_of(request)}
    response = HTMLResponse(pages.write(name, language=language, **context), status)
    if request.query_params.get("lang") == language:
        keep(request, response, LANGUAGE, language, life=LANGUAGE_KEPT)
    return response


def reader_of(request: Request) -> rules.Reader | None:
    """Return who reads, if somebody is signed in."""
    reader: rules.Reader | None = getattr(request.state, "reader", None)
    return reader


def language_of(request: Request) -> str:
    """Choose the language: the link just followed, then the one followed last, then the browser's; Chinese first."""
    chosen = (request.query_params.get("lang"), request.cookies.get(LANGUAGE))
    return next((language for language in chosen if language in schemas.LANGUAGES), None) or problems.language_of(
        request
    )


def keep(request: Request, response: Response, name: str, value: str, *, life: timedelta, path: str = "/") -> None:
    """Keep a value in a cookie that scripts cannot read."""
    seconds = int(life.total_seconds())
    response.set_cookie(name, value, seconds, path=path, secure=is_secure(request), httponly=True, samesite="lax")


def is_secure(request: Request) -> bool:
    """Say whether browsers reach us by HTTPS."""
    url: str = request.app.state.console_url
    return url.startswith("https://")


def go(url: str) -> RedirectResponse:
    """Send a browser on; it asks by GET."""
    return RedirectResponse(url, HTTPStatus.SEE_OTHER)


def send_back(request: Request, do: Callable[[], None], *, path: str) -> Response:
    """Do it, then redirect, so that a reload repeats nothing; a refusal travels in a cookie of one minute."""
    response = go(path)
    try:
        do()
    except rules.Refused as refusal:
        outcome = schemas.write_outcome(refusal.problem)
        keep(request, response, outcome_name(path), outcome, life=OUTCOME_KEPT, path=path)
    return response


def outcome_of(request: Request, path: str) -> rules.Problem | None:
    """Return the refusal that a browser was sent back to `path` with, if any."""
    return schemas.read_outcome(request.cookies.get(outcome_name(path), ""))


def forget_outcome(response: Response, path: str) -> None:
    """Take the refusal away once it was read."""
    response.delete_cookie(outcome_name(path), path=path)


def outcome_name(path: str) -> str:
    """Name the cookie of a page's refusal; those of other pages are sent to it too when its path begins theirs."""
    return f"{OUTCOME}_{crc32(path.encode()):08x}"


def is_fragment(request: Request) -> bool:
    """Say whether a script asks for a part of a page, which must not be answered with a whole one."""
    return request.headers.get("hx-request") == "true"


def here(request: Request) -> str:
    """Return where to come back to: this address, or the page that a form was posted from."""
    if request.method == "GET":
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return rules.local_path(path) or HOME
    shift_id = request.path_params.get("shift_id")
    return f"/c/{shift_id}" if shift_id and request.url.path.startswith("/c/") else HOME


def fault(request: Request, name: str, status: int, *, retry: str | None = None) -> Response:
    """Say what went wrong, by its name in texts.toml."""
    notice = schemas.say_fault(name, language=language_of(request), trace_id=get_contextvars().get("trace_id"))
    return page(request, "fault.html", status, notice=notice, retry=retry or here(request))


def refuse_cross_site(request: Request, _error: Exception | None = None) -> Response:
    """Answer a form that another site's page posted."""
    return fault(request, "cross_site", HTTPStatus.FORBIDDEN)


def missing(request: Request) -> Response:
    """Say that there is no such page."""
    return fault(request, "not_found", HTTPStatus.NOT_FOUND)


def _in_language(request: Request, language: str) -> str:
    return "?" + request.url.include_query_params(lang=language).query


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, rules.Refused):
        raise error
    notice = schemas.make_notice(error.problem, say=PAGES.speaker(language_of(request)))
    return page(request, "fault.html", error.problem.status, notice=notice, retry=here(request))


def _down(request: Request, _error: Exception) -> Response:
    return fault(request, "down", HTTPStatus.BAD_GATEWAY)


def _slow(request: Request, _error: Exception) -> Response:
    return fault(request, "slow", HTTPStatus.GATEWAY_TIMEOUT)


def _missing(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    return fault(request, "not_found", status)


def _failed(request: Request, error: Exception) -> Response:
    log.error("page.failed", path=request.url.path, exc_info=error)
    return fault(request, "broken", HTTPStatus.INTERNAL_SERVER_ERROR)


FAULTS: Mapping[type[Exception], Answer] = {
    rules.Refused: _refused,
    rules.ApiDown: _down,
    rules.ApiSlow: _slow,
    rules.ForeignForm: refuse_cross_site,
    RequestValidationError: _missing,
    HTTPException: _missing,
    Exception: _failed,
}
