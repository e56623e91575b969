"""What is wrong with a request before any rule of ours is asked: its method, its media type, its body."""

from collections.abc import Awaitable, Callable, Iterator

from fastapi import params
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.datastructures import Headers
from starlette.requests import Request

from shared.errors import Refusal
from shared.web.refusals import dependencies_of

JSON, FORMS = ("application/json",), ("multipart/form-data", "application/x-www-form-urlencoded")


def allowed_methods(request: Request) -> str:
    """List the methods of the resource that a request names, over all its routes (RFC 9110 section 10.2.1)."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(request.url.path):
            found |= set(route.methods or ())
    return ", ".join(sorted(found))


def has_body(headers: Headers) -> bool:
    """Tell whether a request brings a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def unread_media_type(request: Request) -> tuple[str, ...]:
    """Return the media types that the route reads, if the body is of none of them; else nothing."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or route.body_field is None or not has_body(request.headers):
        return ()
    expected = FORMS if isinstance(route.body_field.field_info, params.Form) else JSON
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_read = sent in expected or (expected is JSON and sent.startswith("application/") and sent.endswith("+json"))
    return () if is_read else expected


async def stranger(request: Request) -> Refusal | None:
    """Return why a caller may not call the route at all; who may not is not told what else was wrong."""
    for permitted in _permissions(request):
        try:
            await permitted(request)
        except Refusal as refusal:
            return refusal
    return None


def _permissions(request: Request) -> Iterator[Callable[[Request], Awaitable[object]]]:
    route = request.scope.get("route")
    if isinstance(route, APIRoute):
        for each in dependencies_of(route.dependant):
            if each.call is not None and hasattr(each.call, "permission"):
                yield each.call
