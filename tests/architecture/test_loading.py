"""What a process loads before anybody asked for it; `tests/launch/test_roles.py` looks at roles that work."""

import json
import subprocess
import sys

from tests.architecture.sources import ROOT

HEAVY = (
    "altair", "vl_convert", "typst", "xlsxwriter", "narwhals", "pylopdf_fonts_zh_cn", "fastapi", "sqlalchemy", "pika",
    "dramatiq", "alembic", "httpx2", "cryptography", "icalendar",
)  # fmt: skip
WEB_ROLES = (
    "import launch.roles.web, launch.roles.console; from launch.services import SERVICES; "
    "loaded = [router for service in SERVICES for router in service.routers]"
)
COMMANDS = "import launch.cli"
SETTING = {"altair", "vl_convert", "typst", "narwhals", "pylopdf_fonts_zh_cn", "icalendar"}


def loaded(statement: str) -> set[str]:
    """Return which heavy libraries a fresh process has after a statement."""
    program = f"import json, sys; {statement}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(  # noqa: S603  Our own program.
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def test_web_roles_load_no_charts_and_no_pages() -> None:
    """They cost seconds and a hundred megabytes: whoever makes a document loads what it takes, then."""
    found = loaded(WEB_ROLES)

    assert found & SETTING == set()
    assert found >= {"fastapi", "sqlalchemy"}


def test_the_command_line_starts_with_none_of_them() -> None:
    """`--help` answers at once, and each role begins there: what a command needs is loaded by that command."""
    assert loaded(COMMANDS) == set()


def test_to_know_the_services_takes_none_of_them() -> None:
    """Their names and what there is of them; its parts are loaded by the roles."""
    statement = (
        "from launch.services import SERVICES; "
        "known = [(service.name, service.about, service.has_work) for service in SERVICES]"
    )

    assert loaded(statement) == set()


def test_they_are_found_where_they_are_used() -> None:
    """So that the tests above can fail."""
    assert loaded(f"import {', '.join(HEAVY)}") == set(HEAVY)
