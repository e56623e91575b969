"""How a call stands in the audit trail: who called what, about which thing, and the reason they gave."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from shared.audit.entries import Call, Who
from shared.auth.callers import Caller

REASONS = ("reason", "why")  # What bodies call it.
MOST_ID = 200  # Characters of it: a longer one, which is no thing's, would not fit into an index.


def call_of(request: Request, caller: Caller, values: Iterable[object], *, at: datetime) -> Call:
    """Describe a call; `values` are what its endpoint is called with, the body among them."""
    route = request.scope["route"]
    return Call(who(caller), route.operation_id or route.name, at, _thing(request), _reason(values))


def who(caller: Caller) -> Who:
    """Name a caller as the trail does."""
    roles = sorted(role.value for role in caller.roles)
    return Who(caller.programme_id, caller.person_id, roles, getattr(caller, "service", None))


def _thing(request: Request) -> tuple[str, str] | None:
    """Return the thing that a call is addressed to: the first id of its path."""
    parts = request.path_params.items()
    return next(((name.removesuffix("_id"), _written(value)) for name, value in parts if name.endswith("_id")), None)


def _written(value: object) -> str:
    """Write an id of a path as the trail is searched for it: UUIDs have many spellings, and strangers send anything."""
    given = str(value)
    try:
        return str(UUID(given))
    except ValueError:
        return given.replace("\x00", "\ufffd")[:MOST_ID]


def _reason(values: Iterable[object]) -> str | None:
    bodies = (value for value in values if isinstance(value, BaseModel))
    found = (getattr(body, name, None) for body in bodies for name in REASONS)
    return next((reason for reason in found if isinstance(reason, str) and reason), None)
