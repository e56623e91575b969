"""What the first page calls things that services name in their own words."""

from fastapi.routing import APIRoute

from launch.services import SERVICES
from services.activities.main import imports
from services.console.home.schemas import PAGES
from shared.web.app import routers_of
from shared.web.routes import UNSAFE


def test_what_an_audit_trail_names_has_words_in_both_languages() -> None:
    """An auditor reads no identifiers, but for those of calls that only ask."""
    routes = [route for service in SERVICES for router in routers_of(service) for route in router.routes]
    unsafe = {
        route.operation_id for route in routes if isinstance(route, APIRoute) and UNSAFE & (route.methods or set())
    }

    assert unsafe - set(PAGES.texts["operation"]) == {"look_up_names", "look_up_volunteers", "preview_shifts"}
    assert set(PAGES.texts["operation"]) - unsafe == {"bring_in_import"}  # A worker's doing, in somebody's name.


def test_every_kind_of_sheet_has_words_in_both_languages() -> None:
    """An operator neither."""
    assert set(imports().kinds) <= set(PAGES.texts["import"])
