"""The examples for people who write clients: each runs as it stands against a running platform."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.embedded import EmbeddedPlatform
from shared.settings import Settings
from tests.servers import clients
from tests.servers.postgres import open_folder

SAID = ["signed up", "checked in; the code changes every half minute", "checked out"]
DONATION = "donation: 120 minutes, CNY 200.00"

pytestmark = pytest.mark.timeout(900)  # At first need the tools are installed.


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Run a platform, and say where it is as a person would: `./popcandy token` reads the same setting."""
    with open_folder() as folder:
        platform = EmbeddedPlatform(folder, Settings())
        try:
            url = platform.start().api_url
            yield {
                "PATH": os.defpath,
                "HOME": str(folder),
                "POPCANDY_URL": url,
                "POPCANDY_DATA": str(folder),
                "POPCANDY_COMMAND": str(clients.ROOT / "popcandy"),
            }
        finally:
            platform.stop()


def test_the_python_example_earns_a_donation(environment: dict[str, str], tmp_path: Path) -> None:
    """From sign-up to donation with the generated package, as five people."""
    program = clients.make_python(tmp_path)

    said = clients.run(
        clients.python_environment() / "python", "-W", "error", program, cwd=tmp_path, environment=environment
    )

    assert said.splitlines() == [*SAID, DONATION]


def test_the_typescript_example_earns_a_donation(environment: dict[str, str], tmp_path: Path) -> None:
    """The same with the generated types; whichever example runs second finds the terms of the first."""
    node = shutil.which("node")
    assert node, "tests need node; it comes with npm"
    program = clients.make_typescript(tmp_path)

    said = clients.run(node, program, cwd=tmp_path, environment=environment)

    assert said.splitlines() == [*SAID, DONATION]
