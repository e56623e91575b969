"""The routes of all services: who may, by what name, and as what document."""

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import OpenAPI
from fastapi.routing import APIRoute

from launch.permissions import is_open
from launch.services import SERVICES
from shared.auth.keys import key_store
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.roles import PERMISSIONS
from shared.service import Service
from shared.web.app import create_app, routers_of
from tests.web_options import OPTIONS

OPEN = {  # To anybody: decisions 0054 and 0060.
    "check_certificate", "list_certificate_keys", "list_certificate_endings", "read_calendar",
}  # fmt: skip
METHODS = {"get", "put", "post", "delete", "patch"}
ROUTES = [
    pytest.param(route, id=f"{service.name} {min(route.methods or METHODS)} {route.path}")
    for service in SERVICES
    for router in routers_of(service)
    for route in router.routes
    if isinstance(route, APIRoute)
]


def permissions(dependant: Dependant) -> Iterator[str]:
    """Return what a route and all that it depends on require."""
    for each in dependant.dependencies:
        permission = getattr(each.call, "permission", None)
        if permission is not None:
            yield permission
        yield from permissions(each)


def app_of(service: Service) -> FastAPI:
    """Make a service's app, which connects to nothing before it is asked something."""
    database = Database("postgresql+psycopg://", role="nobody", pool_size=1)  # type: ignore[arg-type]  # SQLAlchemy takes text.
    verifier = TokenVerifier(key_store("nowhere"), issuer="i", audience="a")
    return create_app(service, database=database, transport=cast("Transport", None), verifier=verifier, options=OPTIONS)


@pytest.fixture(params=SERVICES, ids=lambda service: str(service.name))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return app_of(request.param).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield path, item[method]


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_says_who_may(route: APIRoute) -> None:
    """One permission a route, and it is somebody's; nothing is open because it was forgotten."""
    assert is_open(route) == (route.operation_id in OPEN)
    if is_open(route):
        assert (set(permissions(route.dependant)), route.methods) == (set(), {"GET"})
        return
    (permission,) = set(permissions(route.dependant))

    assert permission in PERMISSIONS


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_has_a_name_and_a_sentence(route: APIRoute) -> None:
    """Generated clients call it by the name; people read the sentence."""
    assert re.fullmatch(r"[a-z][a-z0-9_]+", route.operation_id or "")
    assert route.description


def test_every_permission_opens_something() -> None:
    """One that opens nothing is a promise to nobody, or a slip of the pen."""
    declared = {permission for route in ROUTES for permission in permissions(route.values[0].dependant)}  # type: ignore[union-attr]  # A route.

    assert declared == set(PERMISSIONS)


def test_names_are_unique_within_a_service(document: dict[str, Any]) -> None:
    """OpenAPI 3.1 section 4.8.10."""
    names = [operation["operationId"] for _, operation in operations(document)]

    assert sorted(names) == sorted(set(names))


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    """Other people's tools read it."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    OpenAPI.model_validate(document)
    for path, operation in operations(document):
        assert path.startswith("/api/")
        assert operation["responses"]
        assert all(answer["description"] for answer in operation["responses"].values())


def test_the_document_refers_only_to_what_it_holds(document: dict[str, Any]) -> None:
    """And to nothing on another host."""
    for reference in _references(document):
        assert reference.startswith("#/")
        found: Any = document
        for part in reference[2:].split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        assert found


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def test_parts_of_an_address_are_described(document: dict[str, Any]) -> None:
    """Each `{part}` of a path is a parameter, and each such parameter a part."""
    for path, operation in operations(document):
        described = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}

        assert described == set(re.findall(r"\{([^}]+)\}", path))


def test_health_is_open_and_no_part_of_the_document(document: dict[str, Any]) -> None:
    """Load balancers have no token; callers have no use for it."""
    assert not {"/livez", "/readyz"} & set(document["paths"])
