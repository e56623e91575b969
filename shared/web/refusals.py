"""What an operation may refuse, declared beside it: the OpenAPI document lists it, tests hold the answers to it."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext

from shared.errors import Refusal

Declared = TypeVar("Declared", bound=Callable[..., Any])


def refuses(*kinds: type[Refusal]) -> Callable[[Declared], Declared]:
    """Declare what a route, or something that routes depend on, may refuse; what its dependencies declare is added."""

    def declare(call: Declared) -> Declared:
        call.refusals = (*getattr(call, "refusals", ()), *kinds)  # type: ignore[attr-defined]  # Read by `refusals_of`.
        return call

    return declare


def refusals_of(route: RouteContext) -> set[type[Refusal]]:
    """Return everything that a route declares, itself and by what it depends on."""
    calls = [route.endpoint, *(each.call for each in dependencies_of(route.dependant))]
    return {kind for call in calls for kind in getattr(call, "refusals", ())}


def permission_of(route: RouteContext) -> str | None:
    """Return the permission that a route asks for by `may(…)`."""
    found = (getattr(each.call, "permission", None) for each in dependencies_of(route.dependant))
    return next((permission for permission in found if isinstance(permission, str)), None)


def is_open(route: RouteContext) -> bool:
    """Say whether a route declares that anybody may call it, without a token (`shared.web.doors.anybody`)."""
    return any(getattr(each.call, "is_open", False) for each in dependencies_of(route.dependant))


def dependencies_of(dependant: Dependant) -> Iterator[Dependant]:
    """Yield everything that a route depends on, and what that depends on."""
    for each in dependant.dependencies:
        yield each
        yield from dependencies_of(each)
