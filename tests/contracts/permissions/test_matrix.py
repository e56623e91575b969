"""All routes × all roles × own and other rows × programmes: what is declared is what happens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from launch.permissions import PATH, is_open, matrix, permission_of, routes_of
from launch.services import SERVICES
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.transport.postgres import PostgresTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.roles import PERMISSIONS, Role
from shared.web.app import create_app
from tests.contracts.permissions.recipes import RECIPES
from tests.contracts.permissions.world import SHARED, Side, World, make_world
from tests.factories.activities import FIRST_OF_JUNE
from tests.web_options import OPTIONS

ROUTES = [
    pytest.param(service.name, route, id=f"{service.name}-{route.operation_id}")
    for service in SERVICES
    for route in routes_of(service)
    if not is_open(route)
]
OPEN = [
    pytest.param(service.name, route, id=f"{service.name}-{route.operation_id}")
    for service in SERVICES
    for route in routes_of(service)
    if is_open(route)
]
WORDS = {"side": "host", "number": "X-1", "prefix": "XX", "year": "2022", "address": "X"}  # What paths name beside ids.
HIDDEN = {404}
REFUSED = {403, 404, 422}  # Where a body names what is another's.
UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
WORKS = {200, 201, 202, 204, 409, 412, 422}  # It was let in; the state of things may still be against it.


@dataclass(frozen=True)
class Doors:
    """The services' web apps over one world."""

    world: World
    issuer: EmbeddedIssuer
    clients: dict[str, TestClient]

    def call(self, service: str, route: APIRoute, role: Role, side: Side) -> Any:
        """Call a route as somebody of our own side, for a side's things."""
        token = self._token(role)
        return self.send(service, route, side, {"authorization": f"Bearer {token}", "if-match": "*"})

    def send(self, service: str, route: APIRoute, side: Side, headers: dict[str, str]) -> Any:
        """Send a route's request for a side's things."""
        recipe = RECIPES[route.operation_id or ""]
        things = side.things[service] | side.whose
        things |= {name: things[other] for name, other in recipe.uses.items()}
        ids = {name: str(thing) for name, thing in things.items()}
        path = f"/api/{service}" + route.path_format.format(
            reference=side.partner_id,
            side="host",
            number="X-1",
            prefix="XX",
            year=2022,
            address="X",
            service_on=FIRST_OF_JUNE,
            **ids,
        )
        files = recipe.form or None
        body = None if files else recipe.json(things)
        method = min(route.methods or ())
        return self.clients[service].request(method, path, params=recipe.query, json=body, files=files, headers=headers)

    def _token(self, role: Role) -> str:
        own = self.world.own
        return self.issuer.issue(
            person_id=own.volunteer_id if role is Role.VOLUNTEER else uuid4(),
            programme_id=own.programme_id,
            roles=[role],
            partner_id=own.partner_id if role is Role.PARTNER else None,
            now=clock.now(),
        )


@pytest.fixture(scope="module")
def doors(server: Server, issuer: EmbeddedIssuer) -> Iterator[Doors]:
    server.prepare("bus")
    transport = PostgresTransport(server.open("bus", pool_size=2))
    settings = issuer.settings
    verifier = TokenVerifier(issuer.key_store(), issuer=settings.issuer, audience=settings.audience)
    databases, clients = dict[str, Database](), dict[str, TestClient]()
    for service in SERVICES:
        server.prepare(service.name)
        databases[service.name] = server.open(service.name, pool_size=3)
        app = create_app(
            service, database=databases[service.name], transport=transport, verifier=verifier, options=OPTIONS
        )
        clients[service.name] = TestClient(app)
    yield Doors(make_world(databases), issuer, clients)
    for database in databases.values():
        database.close()
    transport.close()


def is_addressed(route: APIRoute) -> bool:
    """Say whether a route's path names a thing by its id."""
    return "_id}" in route.path_format


def is_of_a_partner(route: APIRoute) -> bool:
    """Say whether a route's path names a thing that is not the whole programme's."""
    return any(name not in SHARED for name in re.findall(r"{(\w+_id)}", route.path_format))


def named_in(answer: Any) -> set[UUID]:
    """Return every id that an answer shows; a refusal may repeat those that it was asked for."""
    return {UUID(found) for found in UUIDS.findall(answer.text)} if answer.is_success else set()


@pytest.mark.parametrize(("service", "route"), ROUTES)
class TestMatrix:
    def test_only_who_has_the_permission_is_let_in(self, doors: Doors, service: str, route: APIRoute) -> None:
        """All others are told which permission they lack, before anything is read, looked up or judged."""
        permission = permission_of(route)
        for role in set(Role) - PERMISSIONS[permission].keys():
            answer = doors.call(service, route, role, doors.world.own)

            assert (answer.status_code, answer.json()["code"]) == (403, "missing_permission"), role
            assert answer.json()["facts"] == {"permission": permission}

    def test_who_has_it_reaches_their_own(self, doors: Doors, service: str, route: APIRoute) -> None:
        """Whatever else the state of things says to it."""
        roles = list(PERMISSIONS[permission_of(route)])
        for role in roles[:1] if RECIPES[route.operation_id or ""].works_once else roles:
            answer = doors.call(service, route, role, doors.world.own)

            assert answer.status_code in WORKS, (role, answer.text)

    def test_nobody_reaches_another_programme(self, doors: Doors, service: str, route: APIRoute) -> None:
        """Its things are not found, and no list shows them."""
        for role in PERMISSIONS[permission_of(route)]:
            answer = doors.call(service, route, role, doors.world.elsewhere)

            if is_addressed(route):
                assert answer.status_code in HIDDEN, (role, answer.text)
            elif RECIPES[route.operation_id or ""].names_thing:
                assert answer.status_code in REFUSED, (role, answer.text)
            assert not named_in(answer) & doors.world.elsewhere.of_programme, role

    def test_another_partners_are_that_partners(self, doors: Doors, service: str, route: APIRoute) -> None:
        """A partner's member sees and touches nothing of another partner, though it is of the same programme."""
        if PERMISSIONS[permission_of(route)].get(Role.PARTNER) is None:
            assert Role.PARTNER not in PERMISSIONS[permission_of(route)]  # The first test shows that it is refused.
            return
        for side in (doors.world.own, doors.world.other):
            answer = doors.call(service, route, Role.PARTNER, side)
            if side is doors.world.other and is_of_a_partner(route):
                assert answer.status_code in HIDDEN, answer.text
            elif side is doors.world.other and RECIPES[route.operation_id or ""].names_thing:
                assert answer.status_code in REFUSED, answer.text
            assert not named_in(answer) & doors.world.other.of_partner

    def test_another_persons_are_that_persons(self, doors: Doors, service: str, route: APIRoute) -> None:
        """A volunteer sees what is published and their own; nobody else's hours, and nobody else's id."""
        if Role.VOLUNTEER not in PERMISSIONS[permission_of(route)]:
            return  # The first test shows that it is refused.
        for side in (doors.world.own, doors.world.other):
            answer = doors.call(service, route, Role.VOLUNTEER, side)

            assert answer.status_code < 500
            assert not named_in(answer) & doors.world.other.of_person

    def test_nobody_is_nobody(self, doors: Doors, service: str, route: APIRoute) -> None:
        """Without a token, or with one that is not ours, nothing is told."""
        for headers in ({}, {"authorization": "Bearer x.y.z"}, {"authorization": "Basic dTpw"}):
            answer = doors.send(service, route, doors.world.own, headers)

            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert not named_in(answer)


@pytest.mark.parametrize(("service", "route"), OPEN)
def test_what_is_open_asks_nobody_who_they_are(doors: Doors, service: str, route: APIRoute) -> None:
    """With a token or without: and no id of anybody's comes out of it."""
    for headers in ({}, {"authorization": "Bearer x.y.z"}):
        answer = doors.send(service, route, doors.world.own, headers)

        assert answer.status_code in {200, 404}, answer.text
        assert not UUIDS.findall(answer.text)


def test_the_page_is_as_the_code_is() -> None:
    """`./popcandy contents` brings it up to date."""
    assert PATH.read_text("utf-8") == matrix()


def test_each_route_has_a_recipe_and_each_recipe_a_route() -> None:
    """A new route is walked from the day on which it is there."""
    assert set(RECIPES) == {route.operation_id for service in SERVICES for route in routes_of(service)}
