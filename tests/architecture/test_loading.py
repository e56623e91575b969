"""What a process loads before anybody asked for it."""

import json
import subprocess
import sys

from tests.architecture.sources import ROOT

HEAVY = ("altair", "vl_convert", "typst", "xlsxwriter", "narwhals", "pylopdf_fonts_zh_cn")
WEB_ROLE = "import launch.serve, launch.services, services.console.main, shared.web.app"
COMMANDS = "import launch.cli"


def loaded(statement: str) -> set[str]:
    """Return which heavy libraries a fresh process has after a statement."""
    program = f"import json, sys; {statement}; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(  # noqa: S603  Our own program.
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def test_a_web_role_loads_no_charts_and_no_pages() -> None:
    """They cost seconds and a hundred megabytes: whoever makes a document loads what it takes, then."""
    assert loaded(WEB_ROLE) <= {"xlsxwriter"}  # Reject files of imports are written in a request.


def test_the_command_line_starts_without_them() -> None:
    """`--help` answers at once."""
    assert loaded(COMMANDS) <= {"xlsxwriter"}


def test_they_are_found_where_they_are_used() -> None:
    """So that the two tests above can fail."""
    assert loaded("import altair, vl_convert, typst") >= {"altair", "vl_convert", "typst"}
