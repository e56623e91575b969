"""Roles and other web processes of one run, started apart from each other, and where they listen."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

from tests.bench.places import Places
from tests.faults.processes import Process
from tests.servers.erlang import LOOPBACK, listens
from tests.web_options import SECRET

READY_SECONDS = 60
CHAIN = (("activities", "web"), ("activities", "relay"), ("ledger", "consumer"))
LISTENING = re.compile(r"http://127\.0\.0\.1:\d+")


def environment_of(places: Places, amqp_url: str) -> dict[str, str]:
    """Say what a role has to be told to find its servers."""
    return {
        "POPCANDY_DATABASE_URL": places.database_url,
        "POPCANDY_AMQP_URL": amqp_url,
        "POPCANDY_JWKS": str(places.processes.folder / "jwks.json"),
        "POPCANDY_SECRETS": SECRET,
    }


def start_chain(places: Places, stack: ExitStack) -> tuple[str, Mapping[str, Process]]:
    """Start web and relay of activities and the ledger's consumer; return where the first listens, and them by role."""
    environment = environment_of(places, places.fresh_vhost())
    started = {}
    for service, role in CHAIN:
        arguments = ("launch.cli", "serve", service, "--role", role, "--port", "0")
        started[role] = places.processes.start(*arguments, environment=environment)
        stack.callback(started[role].kill)
    for process in started.values():
        process.until(partial(_works, process), missing="a role that works")
    found = LISTENING.search(started["web"].output)
    assert found is not None
    return found[0], started


def await_port(process: Process, port: int) -> str:
    """Wait until a process takes connections on its port; return its address."""
    process.until(partial(listens, port), missing="a web process on its port", timeout=READY_SECONDS)
    return f"http://{LOOPBACK}:{port}"


def end(process: Process) -> None:
    """Tell a process to end, and let it end its own children."""
    process.signal_end()
    process.wait()


def _works(process: Process) -> bool:
    return any(line.startswith(("activities ", "ledger ")) for line in process.output.splitlines())
