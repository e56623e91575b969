"""How pages ask the services' APIs: once, in one person's name, and never for longer than a person waits."""

from collections.abc import Mapping
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


def ask(
    api: Api,
    method: str,
    path: str,
    body: Mapping[str, str] | None = None,
    params: Mapping[str, str | int] | None = None,
) -> bytes:
    """Call an API once, never again by itself, and return the body of its answer."""
    headers = {
        "authorization": f"Bearer {api.token}",
        "accept-language": api.language,
        "traceparent": telemetry.traceparent(),
    }
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
