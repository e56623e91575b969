"""How pages ask the services' APIs: once, in one person's name, and never for longer than a person waits."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from pydantic import TypeAdapter, ValidationError

from services.console.shell import rules
from services.console.shell.rules import Problem
from shared import telemetry

PROBLEM = "application/problem+json"
CURSOR = "cursor"  # The query parameter that continues a list with its `next`.
MOST_PAGE = 200
IN_FLIGHT = "request_in_flight"
WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.5)  # No longer than a person waits before a third tap.

_PROBLEM = TypeAdapter(Problem)
_T = TypeVar("_T")

log = telemetry.get_logger()


@dataclass(frozen=True, slots=True)
class Api:
    """The services' APIs, asked in one person's name and language."""

    client: httpx2.Client
    token: str
    language: str


@dataclass(frozen=True, slots=True)
class Page:
    """What every list of the APIs has."""

    items: list[dict[str, Any]]
    next: str | None = None


_PAGE = TypeAdapter(Page)


def get(api: Api, path: str, shape: TypeAdapter[_T], **params: str | int) -> _T:
    """Return what an API answers, in a shape. Raises Refused, SignInNeeded, ApiDown, ApiSlow, as all here do."""
    return read(shape, ask(api, "GET", path, params=params))


def list_items(
    api: Api, path: str, shape: TypeAdapter[list[_T]], *, most: int, **params: str | int
) -> tuple[list[_T], bool]:
    """Return a list's first items, `most` of them, and whether there are more."""
    found: list[dict[str, Any]] = []
    following: str | None = None
    while True:
        cursor = {} if following is None else {CURSOR: following}
        page = get(api, path, _PAGE, limit=min(most, MOST_PAGE), **params, **cursor)
        found += page.items
        following = page.next
        if following is None or len(found) >= most:
            break
    return _shaped(shape, found[:most], path), following is not None or len(found) > most


def post(
    api: Api, path: str, body: Mapping[str, str] | None = None, *, once: str, waits: Sequence[float] = WAITS_SECONDS
) -> bytes:
    """Do something once, however often its form is sent: an API answers the second tap as it answered the first.

    `once` was drawn with the form. While the API is at work on the first tap, the second waits, for so many seconds
    each time.
    """
    key = rules.key_of(once, path=path, body=body or {})
    for seconds in waits:
        try:
            return ask(api, "POST", path, body=body, key=key)
        except rules.Refused as refusal:
            if refusal.problem.code != IN_FLIGHT:
                raise
        threading.Event().wait(seconds)
    return ask(api, "POST", path, body=body, key=key)


def ask(
    api: Api,
    method: str,
    path: str,
    *,
    body: Mapping[str, str] | None = None,
    params: Mapping[str, str | int] | None = None,
    key: str | None = None,
) -> bytes:
    """Call an API once, never again by itself, and return the body of its answer."""
    headers = {
        "authorization": f"Bearer {api.token}",
        "accept-language": api.language,
        "traceparent": telemetry.traceparent(),
    } | ({} if key is None else {"idempotency-key": key})
    try:
        response = api.client.request(method, path, json=body, params=params, headers=headers)
    except httpx2.TimeoutException as error:
        log.warning("api.slow", method=method, path=path, error=type(error).__name__)
        raise rules.ApiSlow from error
    except httpx2.HTTPError as error:
        log.warning("api.down", method=method, path=path, error=type(error).__name__)
        raise rules.ApiDown from error
    _require_answer(response)
    return response.content


def read(shape: TypeAdapter[_T], content: bytes) -> _T:
    """Read JSON in a shape. Raises ApiDown for anything else: it is not what was promised."""
    try:
        return shape.validate_json(content)
    except ValidationError as error:
        raise _misunderstood(str(shape), error) from error


def _shaped(shape: TypeAdapter[_T], items: object, path: str) -> _T:
    try:
        return shape.validate_python(items)
    except ValidationError as error:
        raise _misunderstood(path, error) from error


def _misunderstood(what: str, error: ValidationError) -> rules.ApiDown:
    faults: list[Any] = [".".join(map(str, item["loc"])) for item in error.errors(include_input=False)]
    log.warning("api.misunderstood", shape=what, fields=faults)
    return rules.ApiDown()


def _require_answer(response: httpx2.Response) -> None:
    if response.is_success:
        return
    if response.status_code == httpx2.codes.UNAUTHORIZED:
        raise rules.SignInNeeded
    if response.is_client_error and response.headers.get("content-type", "").startswith(PROBLEM):
        raise rules.Refused(read(_PROBLEM, response.content))
    log.warning("api.failed", path=response.request.url.path, status=response.status_code)
    raise rules.ApiDown
