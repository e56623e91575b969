"""What the pages read from the services' APIs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import httpx2
from pydantic import TypeAdapter, ValidationError

from services.console.phone import rules
from services.console.phone.rules import Code, Place, Problem, Shift
from shared import telemetry

PROBLEM = "application/problem+json"

_SHIFT = TypeAdapter(Shift)
_CODE = TypeAdapter(Code)
_PLACE = TypeAdapter(Place)
_PROBLEM = TypeAdapter(Problem)
_T = TypeVar("_T")

log = telemetry.get_logger()


@dataclass(frozen=True, slots=True)
class Api:
    """The services' APIs, asked in one person's name and language."""

    client: httpx2.Client
    token: str
    language: str


def get_shift(api: Api, shift_id: UUID) -> Shift:
    """Return a shift. Raises Refused, SignInNeeded, ApiDown, ApiSlow, as does all that asks an API."""
    return _read(_SHIFT, ask(api, "GET", _path(shift_id)))


def get_code(api: Api, shift_id: UUID) -> Code:
    """Return the code that the shift shows now, to its partner."""
    return _read(_CODE, ask(api, "GET", _path(shift_id, "code")))


def get_place(api: Api, shift_id: UUID) -> Place:
    """Return the asking volunteer's own place on the shift."""
    return _read(_PLACE, ask(api, "GET", _path(shift_id, "attendance/mine")))


def post_code(api: Api, shift_id: UUID, door: str, *, code: str) -> None:
    """Hand a code to one of the shift's two doors, `check-ins` or `check-outs`."""
    ask(api, "POST", _path(shift_id, door), {"code": code})


def ask(api: Api, method: str, path: str, body: Mapping[str, str] | None = None) -> bytes:
    """Call an API once, never again by itself, and return the body of its answer."""
    headers = {
        "authorization": f"Bearer {api.token}",
        "accept-language": api.language,
        "traceparent": telemetry.traceparent(),
    }
    try:
        response = api.client.request(method, path, json=body, headers=headers)
    except httpx2.TimeoutException as error:
        log.warning("api.slow", method=method, path=path, error=type(error).__name__)
        raise rules.ApiSlow from error
    except httpx2.HTTPError as error:
        log.warning("api.down", method=method, path=path, error=type(error).__name__)
        raise rules.ApiDown from error
    _require_answer(response)
    return response.content


def _require_answer(response: httpx2.Response) -> None:
    if response.is_success:
        return
    if response.status_code == httpx2.codes.UNAUTHORIZED:
        raise rules.SignInNeeded
    if response.is_client_error and response.headers.get("content-type", "").startswith(PROBLEM):
        raise rules.Refused(_read(_PROBLEM, response.content))
    log.warning("api.failed", path=response.request.url.path, status=response.status_code)
    raise rules.ApiDown


def _read(shape: TypeAdapter[_T], content: bytes) -> _T:
    try:
        return shape.validate_json(content)
    except ValidationError as error:
        faults: list[Any] = [".".join(map(str, item["loc"])) for item in error.errors(include_input=False)]
        log.warning("api.misunderstood", shape=str(shape), fields=faults)
        raise rules.ApiDown from error


def _path(shift_id: UUID, below: str = "") -> str:
    return f"/api/activities/shifts/{shift_id}" + (f"/{below}" if below else "")
