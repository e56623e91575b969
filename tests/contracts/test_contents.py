"""What the services' READMEs say of routes and events, and pages that are made from the code."""

import pytest

from launch import keeping, states
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


def test_the_page_of_states_is_what_the_rules_say() -> None:
    """`./popcandy contents` brings it up to date; every state and every command of a life stands there."""
    told = states.PAGE.read_text("utf-8")

    assert told == states.page()
    for life in states.LIVES:
        section = told.partition(f" · {life.title.en}\n")[2].partition("\n## ")[0]
        assert len(life.table) > 1
        assert all(f"| `{state}` |" in section for state in life.states)
        assert all(f"`{command}` |" in section for command in life.commands)
        assert sum(cell.strip() != "" for row in section.splitlines()[3:] for cell in row.split("|")[2:-1]) == len(
            life.table
        )
