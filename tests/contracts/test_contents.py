"""What the services' READMEs say of routes and events, and the catalogue of problems of codes."""

import pytest

from launch import keeping
from launch.contents import BEGIN, readme_of, refreshed
from launch.problems import PAGE, page, refusals
from launch.services import SERVICES
from shared.service import Service


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_the_readme_lists_the_routes_and_events_that_there_are(service: Service) -> None:
    """Whoever reads a service's README reads what the code does; `./popcandy contents` brings it up to date."""
    assert BEGIN in readme_of(service).read_text("utf-8")
    assert refreshed(service) == readme_of(service).read_text("utf-8")


def test_the_retention_table_says_what_the_timers_do() -> None:
    """Whoever answers for the data reads how long it is kept; `./popcandy contents` brings it up to date."""
    assert keeping.PATH.read_text("utf-8") == keeping.rendered()


def test_the_catalogue_lists_every_problem() -> None:
    """A code that a program meets can be looked up; `./popcandy contents` brings the page up to date."""
    assert page() == PAGE.read_text("utf-8")
    assert all(f"| `{kind.code}` | " in page() for kind in refusals())
    assert len(refusals()) > 30
