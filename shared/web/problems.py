"""Refusals and faults as problem documents (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from structlog.contextvars import get_contextvars

from shared import telemetry
from shared.auth.callers import NotAuthenticated, UnclearCredentials
from shared.errors import (
    ChangedSince,
    Conflict,
    Invalid,
    NotAcceptable,
    NotAllowed,
    NotFound,
    ReadFirst,
    Refusal,
    Title,
    TooMany,
)
from shared.web import bad_requests
from shared.web.preferences import weight

MEDIA_TYPE = "application/problem+json"
BAD_REQUEST, METHOD_NOT_ALLOWED, UNSUPPORTED = 400, 405, 415
MOST_FIELD = 200
STATUS: dict[type[Refusal], int] = {
    UnclearCredentials: 400,
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    NotAcceptable: 406,
    Conflict: 409,
    ChangedSince: 412,
    Invalid: 422,
    ReadFirst: 428,
    TooMany: 429,
}
BY_STATUS = {
    400: ("bad_request", Title(zh="请求格式有误", en="Bad request")),
    404: ("not_found", NotFound.title),
    405: ("method_not_allowed", Title(zh="不支持该操作", en="Method not allowed")),
    408: ("request_timeout", Title(zh="发送超时", en="The request came too slowly")),
    413: ("too_large", Title(zh="内容过大", en="Content too large")),
    415: ("unsupported_media_type", Title(zh="不支持该内容类型", en="This media type is not read here")),
    503: ("unavailable", Title(zh="服务暂不可用", en="Temporarily unavailable")),
}
LEAST_QUOTED = 4  # Shorter texts stand in any sentence by chance.
INVALID_INPUT = Title(zh="填写内容有误", en="Invalid input")
INTERNAL = Title(zh="系统出错，请稍后再试", en="Something went wrong on our side")

log = telemetry.get_logger()


def install(app: FastAPI) -> None:
    """Answer every refusal of an app with a problem document; its faults are `Traced`'s (see `failed`)."""
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def problem(
    *, status: int, code: str, title: Title, language: str, facts: Mapping[str, object] | None = None,
    errors: Sequence[Mapping[str, object]] = (), headers: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """Write a problem document in the caller's language."""
    document: dict[str, Any] = {
        "type": f"urn:popcandy:problem:{code}",
        "title": title.en if language == "en" else title.zh,
        "status": status,
        "code": code,
        "trace_id": get_contextvars().get("trace_id"),
        **({"facts": facts} if facts else {}),
        **({"errors": errors} if errors else {}),
    }
    return Response(orjson.dumps(document, default=str), status, headers, MEDIA_TYPE)


def language_of(request: Request) -> str:
    """Choose between the two languages by `Accept-Language` (RFC 9110 section 12.5.4); Chinese if it names neither."""
    best, chosen = 0.0, "zh"
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag, _, parameter = part.partition(";")
        language = tag.strip().partition("-")[0]
        if language in {"zh", "en"} and weight(parameter) > best:  # Of equals the first.
            best, chosen = weight(parameter), language
    return chosen


def status_of(kind: type[Refusal]) -> int:
    """Return the status that HTTP gives a kind of refusal. Raises StopIteration for one without a kind."""
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)


async def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal with what it says of itself."""
    if not isinstance(error, Refusal):
        raise error
    status = status_of(type(error))
    facts = {f"fact_{name}": str(value) for name, value in error.told.items()}
    log.info("refused", code=error.code, path=address_of(request), **facts)
    shown = {name: value for name, value in error.facts.items() if name != "errors"}
    return problem(
        status=status, code=error.code, title=error.title, language=language_of(request), facts=shown,
        errors=_field_errors(error), headers=_headers(status, error.facts),
    )  # fmt: skip


def _field_errors(error: Refusal) -> Sequence[Mapping[str, object]]:
    """Return what a refusal says field by field, which stands where a malformed body's errors stand."""
    errors = error.facts.get("errors", ())
    return errors if isinstance(errors, Sequence) else ()


def _headers(status: int, facts: Mapping[str, object]) -> dict[str, str]:
    if status in {STATUS[NotAuthenticated], STATUS[UnclearCredentials]}:
        return {"WWW-Authenticate": _challenge(status, str(facts.get("reason", "")))}
    return {"Retry-After": str(facts["retry_after"])} if "retry_after" in facts else {}


def _challenge(status: int, reason: str) -> str:
    """Say how to authenticate, and what was wrong with the token that came (RFC 6750 section 3)."""
    if reason in {"", "no_bearer_token"}:
        return "Bearer"
    error = "invalid_token" if status == STATUS[NotAuthenticated] else "invalid_request"
    return f'Bearer error="{error}", error_description="{reason}"'


async def _turned_away(request: Request, refusal: Refusal) -> Response:
    """Answer a refusal as if a route had raised it: the app may do more for some kinds, as keep a trail of denials."""
    handlers = request.app.exception_handlers
    handler = next(handlers[kind] for kind in type(refusal).__mro__ if kind in handlers)
    answer: Response = await handler(request, refusal)
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    if (refusal := await bad_requests.stranger(request)) is not None:
        return await _turned_away(request, refusal)
    if media_types := bad_requests.unread_media_type(request):
        facts, headers = {"expected": media_types}, {"Accept": ", ".join(media_types)}
        return of_status(request, UNSUPPORTED, facts=facts, headers=headers)
    errors = [
        {
            "field": _shown(".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0])),
            "code": item["type"],
            "message": _without_input(item["msg"], item.get("input")),
        }
        for item in error.errors()
    ]
    return problem(status=422, code="invalid_input", title=INVALID_INPUT, language=language_of(request), errors=errors)


def _without_input(message: str, sent: object) -> str:
    """Leave out what was sent, which may name somebody; a library's own error may quote it."""
    return INVALID_INPUT.en if isinstance(sent, str) and _quotes(message, sent) else message


def _quotes(message: str, sent: str) -> bool:
    return repr(sent) in message or (len(sent) >= LEAST_QUOTED and sent in message)


def _shown(field: str) -> str:
    """Cut a field's name short: one that there is not is named as the caller named it, with whatever is in it."""
    return field[:MOST_FIELD].replace("\x00", "\ufffd")


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == METHOD_NOT_ALLOWED:
        return of_status(request, METHOD_NOT_ALLOWED, headers={"Allow": bad_requests.allowed_methods(request)})
    if error.status_code == BAD_REQUEST and (refusal := await bad_requests.stranger(request)) is not None:
        return await _turned_away(request, refusal)
    return of_status(request, error.status_code, headers=error.headers)


def address_of(request: Request) -> str:
    """Return the address as the route declares it, for logs: what stands in its place may be somebody's name."""
    declared: str | None = getattr(request.scope.get("route"), "path", None)
    prefix = (request.app.openapi_url or "").rpartition("/")[0]
    return request.url.path if declared is None else prefix + declared.removeprefix(prefix)


def failed(request: Request, error: Exception) -> Response:
    """Answer a fault of ours without its text; the log has it, under the trace that the caller is told."""
    log.error("request.failed", path=address_of(request), exc_info=error)
    return internal(request)


def internal(request: Request) -> Response:
    """Say that something is wrong on our side, and nothing more."""
    return problem(status=500, code="internal_error", title=INTERNAL, language=language_of(request))


def of_status(
    request: Request,
    status: int,
    *,
    facts: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer what HTTP itself has a status for."""
    code, title = BY_STATUS.get(status, (f"http_{status}", Title(zh="请求失败", en="Request failed")))
    return problem(status=status, code=code, title=title, language=language_of(request), facts=facts, headers=headers)
