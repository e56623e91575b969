"""What each role loads, read from processes that work: what they do without costs each of them memory and a start."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from launch.roles import Duty, Wanted
from launch.services import SERVICES
from shared.auth.issuer import EmbeddedIssuer
from shared.database.server import Server
from shared.settings import Settings
from tests.faults.processes import processes
from tests.servers.rabbitmq import Broker, own_vhost
from tests.web_options import SECRET

LOADED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", re.MULTILINE)

HTTP = frozenset({"fastapi", "starlette", "uvicorn", "httpx2", "shared.web.app"})
TOKENS = frozenset({"cryptography", "joserfc", "shared.auth.tokens"})
STORAGE = frozenset({"sqlalchemy", "psycopg", "alembic"})
BROKER = frozenset({"pika", "shared.bus"})
WORK = frozenset({"dramatiq"})
SHEETS = frozenset({"xlsxwriter", "python_calamine"})
# What some workers alone come to need, once they have something to draw, set or read.
PAPERS = frozenset({"altair", "vl_convert", "typst", "narwhals", "pylopdf_fonts_zh_cn", "icalendar", "pypinyin"})
PAGES = frozenset({"services.console", "jinja2", "segno"})
IDENTITY = frozenset({"launch.oidc.app", "launch.embedded"})  # Of `up` and `demo` alone.
ACTIVITIES, LEDGER = "services.activities", "services.ledger"


@dataclass(frozen=True)
class Role:
    """What a role must have, and what it does without; a package stands for all that is in it."""

    service: str
    name: str
    has: frozenset[str]
    lacks: frozenset[str]
    rooms: str = ""  # Doors of its aggregates, by the names of their modules.


QUIET = HTTP | TOKENS | PAPERS | PAGES  # What no role needs that nobody asks.
ROLES = [
    Role("activities", "relay", STORAGE | BROKER, QUIET | WORK | SHEETS),
    Role("ledger", "relay", STORAGE | BROKER, QUIET | WORK | SHEETS),
    Role("activities", "consumer", STORAGE | BROKER, QUIET | WORK | SHEETS, "handlers"),
    Role("ledger", "consumer", STORAGE | BROKER, QUIET | WORK | SHEETS, "handlers"),
    Role("activities", "worker", STORAGE | BROKER | WORK, QUIET, "jobs"),
    Role("ledger", "worker", STORAGE | BROKER | WORK, QUIET | SHEETS, "jobs"),
    Role("activities", "web", STORAGE | BROKER | HTTP | TOKENS, WORK | PAPERS | PAGES, "api jobs"),  # It stages sheets.
    Role("ledger", "web", STORAGE | BROKER | HTTP | TOKENS, WORK | PAPERS | PAGES, "api"),
    Role("console", "all", PAGES | HTTP - {"shared.web.app"}, STORAGE | BROKER | WORK | SHEETS | PAPERS, "api"),
]
each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: f"{role.service} {role.name}")


@pytest.fixture
def environment(server: Server, rabbitmq: Broker, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Prepare what roles want, and have Python say each module that it loads."""
    EmbeddedIssuer(tmp_path, Settings())
    own = Server(server.url)
    for service in SERVICES:
        own.prepare(service.name)
    with own_vhost(rabbitmq) as amqp_url:
        yield {
            "PYTHONPROFILEIMPORTTIME": "1",
            "POPCANDY_DATABASE_URL": server.url.set(drivername="postgresql").render_as_string(hide_password=False),
            "POPCANDY_AMQP_URL": amqp_url,
            "POPCANDY_JWKS": str(tmp_path / "jwks.json"),
            "POPCANDY_ISSUER": "http://127.0.0.1:9/oidc",
            "POPCANDY_SECRETS": SECRET,
        }
    for service in SERVICES:
        own.drop(service.name)


@each_role
def test_a_role_loads_what_it_needs_and_nothing_else(role: Role, environment: dict[str, str], tmp_path: Path) -> None:
    """Neither the libraries of another role, nor the doors that others answer at, nor another service."""
    found = loaded_by(role, environment, tmp_path)

    assert {name for name in role.has if not within(found, name)} == set()
    assert {name for name in role.lacks | IDENTITY if within(found, name)} == set()
    assert doors(found) == set(role.rooms.split())
    others = {ACTIVITIES, LEDGER} - {f"services.{role.service}"}
    assert [name for other in others for name in within(found, f"{other}.") if name != f"{other}.main"] == []


def test_every_role_is_looked_at() -> None:
    """Each that `serve` can be asked for, of each service."""
    every = Wanted("ledger", Duty.ALL, "127.0.0.1", 0).roles

    assert {(role.service, role.name) for role in ROLES} == {
        *((service.name, str(name)) for service in SERVICES for name in every),
        ("console", "all"),
    }
    assert set(every) | {Duty.ALL} == set(Duty)


def loaded_by(role: Role, environment: dict[str, str], tmp_path: Path) -> set[str]:
    """Return the modules of a role's process from its beginning until it works."""
    with processes(tmp_path) as started:
        process = started.start(
            "launch.cli", "serve", role.service, "--role", role.name, "--port", "0", environment=environment
        )
        works = re.compile(rf"^{role.service} {role.name}\b", re.MULTILINE)
        process.until(lambda: works.search(process.output), missing=f"{role.service} {role.name}")
        process.end()  # Cleanly: what its threads have loaded since they began is in its log too.
        return set(LOADED.findall(process.output))


def within(found: set[str], package: str) -> list[str]:
    """Return which modules are a package, or in it; a package that ends with a dot is none of them itself."""
    return sorted(name for name in found if name == package or name.startswith(f"{package.removesuffix('.')}."))


def doors(found: set[str]) -> set[str]:
    """Return which doors of aggregates are among modules."""
    rooms = {name.rpartition(".")[2] for name in found if name.startswith("services.") and name.count(".") == 3}
    return rooms & {"api", "handlers", "jobs"}
