"""Who may call what: every route as every role, compared with one table."""

from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from services.activities.main import SERVICE
from shared.roles import PERMISSIONS, Role
from tests.activities.door import Door, refusal

DECLARED = {
    "register_volunteer": "volunteers.register",
    "list_volunteers": "volunteers.read",
    "search_volunteers": "volunteers.read",
    "record_partner": "partners.record",
    "publish_listing": "listings.publish",
    "list_listings": "listings.read",
    "get_shift": "listings.read",
    "cancel_shift": "shifts.cancel",
    "sign_up": "sign_ups.make",
    "get_own_attendance": "attendance.read",
    "list_attendances": "attendance.oversee",
    "get_attendance": "attendance.oversee",
    "correct_attendance": "attendance.correct",
    "void_attendance": "attendance.correct",
    "summarise_activities": "activities.summarise",
    "show_code": "shifts.show_code",
    "check_in": "attendance.check_in",
    "check_out": "attendance.check_in",
    "stage_import": "attendance.import",
    "get_import": "attendance.import",
    "download_rejects": "attendance.import",
    "commit_import": "attendance.import",
}
ROUTES = [route for router in SERVICE.routers for route in router.routes if isinstance(route, APIRoute)]


def address(route: APIRoute) -> tuple[str, str]:
    """Return a route's method and a path on which there is nothing."""
    values = dict.fromkeys(("shift_id", "attendance_id", "import_id"), str(uuid4()))
    return next(iter(route.methods or ())), route.path.format(reference="P1", kind="volunteers", **values)


def test_every_route_declares_what_it_asks_for() -> None:
    """No route is open by omission, and the table above is complete."""
    declared = {
        route.operation_id: [
            dependency.call.permission
            for dependency in route.dependant.dependencies
            if dependency.call is not None and hasattr(dependency.call, "permission")
        ]
        for route in ROUTES
    }
    assert declared == {operation: [permission] for operation, permission in DECLARED.items()}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_each_role_may_do_what_its_permissions_say(door: Door, route: APIRoute) -> None:
    """All others are refused before anything is read, looked up or judged."""
    method, path = address(route)
    permission = DECLARED[route.operation_id or ""]

    admitted = set()
    for role in Role:
        answer = door.by(role, partner_id=uuid4() if role is Role.PARTNER else None).call(method, path)
        assert answer.status_code < 500
        if answer.status_code != 403:
            admitted.add(role)
        else:
            assert answer.json()["code"] == "missing_permission"
            assert answer.json()["facts"] == {"permission": permission}

    assert admitted == PERMISSIONS[permission]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_nobody_is_nobody(door: Door, route: APIRoute) -> None:
    """Without a token, or with somebody's who is not ours, nothing is told."""
    method, path = address(route)
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic dTpw"}):
        answer = door.client.request(method, f"/api/activities{path}", headers=headers)
        assert refusal(answer) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
