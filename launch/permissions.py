"""Who may call what, how far it reaches: the matrix of routes and roles, made from the code (docs/permissions.md)."""

from collections.abc import Iterator
from pathlib import Path

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from launch.services import SERVICES
from shared.roles import PERMISSIONS, Reach, Role
from shared.service import Service
from shared.web.app import routers_of

PATH = Path(__file__).parents[1] / "docs" / "permissions.md"
SIGNS = {Reach.PROGRAMME: "all", Reach.PARTNER: "partner's", Reach.PERSON: "own"}
HEAD = """\
# Permissions

Made by `./popcandy contents` from what the routes declare. `tests/contracts/permissions` calls every route as every
role, for its own things, for another's of the same programme, and for another programme's, and compares.

**all**: everything of the caller's programme. **partner's**: what belongs to the caller's partner. **own**: what
belongs to the caller. Empty: refused with 403 `missing_permission`. Nobody reaches another programme. Where money
moves, who makes a thing cannot approve it, whatever their roles.

**open**: anybody, without a token (decision 0054); a test holds the list of these routes.
"""


def routes_of(service: Service) -> list[APIRoute]:
    """Return a service's routes, those of the kit among them."""
    return [route for router in routers_of(service) for route in router.routes if isinstance(route, APIRoute)]


def is_open(route: APIRoute) -> bool:
    """Say whether a route declares that anybody may call it, without a token."""
    return any(_declared(route.dependant, "is_open"))


def permission_of(route: APIRoute) -> str:
    """Return the one permission that a route requires. Raises LookupError for a route without, or with several."""
    found = {each for each in _declared(route.dependant, "permission") if isinstance(each, str)}
    if len(found) != 1:
        raise LookupError(f"{route.path_format} requires {len(found)} permissions")
    return found.pop()


def _declared(dependant: Dependant, name: str) -> Iterator[object]:
    for each in dependant.dependencies:
        yield getattr(each.call, name, None)
        yield from _declared(each, name)


def matrix() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(line for service in SERVICES for line in _table(service))])


def _table(service: Service) -> Iterator[str]:
    yield f"## {service.name}\n"
    yield f"| route | permission | {' | '.join(role.replace('_', ' ') for role in Role)} |"
    yield f"|---|---|{'---|' * len(Role)}"
    for route in routes_of(service):
        method = min(route.methods or ())
        if is_open(route):
            yield f"| `{method} {route.path_format}` | open | {' | '.join('open' for _ in Role)} |"
            continue
        reaches = PERMISSIONS[permission_of(route)]
        cells = (SIGNS[reaches[role]] if role in reaches else "" for role in Role)
        yield f"| `{method} {route.path_format}` | `{permission_of(route)}` | {' | '.join(cells)} |"
    yield ""
