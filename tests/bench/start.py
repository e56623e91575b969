"""How long a start takes, and how much memory each role holds once it works."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from launch.services import SERVICES
from shared.auth.issuer import EmbeddedIssuer
from shared.settings import Settings
from tests.bench.figures import Figure, Goal, Spread
from tests.bench.meters import proportional_mib
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.bench.roles import LISTENING, READY_SECONDS, environment_of
from tests.faults.processes import ROOT, Process
from tests.servers.postgres import open_folder

MOST_MIB = {"web": 150, "relay": 100, "consumer": 100, "worker": 100}
ROLES = {
    "activities web": ("activities", "web"),
    "ledger web": ("ledger", "web"),
    "activities relay": ("activities", "relay"),
    "ledger consumer": ("ledger", "consumer"),
    "activities worker": ("activities", "worker"),
    "console web": ("console", "all"),
}


def measure(places: Places, *, repeat: int, say: Say) -> Report:
    """Start `up` a second time over a folder, and each role by itself over prepared servers."""
    with open_folder() as folder:
        _up(folder)  # The first makes the databases.
        seconds = [_up(folder) for _ in range(repeat)]
    say(f"up: {', '.join(f'{each:.1f} s' for each in seconds)}")
    figures = [Figure("second_up_seconds", Spread.of(seconds), Goal(4, is_ceiling=True))]
    environment = _environment(places)
    for name, (service, role) in ROLES.items():
        held = [_memory(places, service, role, environment) for _ in range(repeat)]
        say(f"{name}: {', '.join(f'{each:.0f} MiB' for each in held)}")
        most = MOST_MIB[name.rpartition(" ")[2]]
        figures.append(Figure(f"{name.replace(' ', '_')}_mib", Spread.of(held), Goal(most, is_ceiling=True)))
    return Report("start", {}, figures)


def _up(folder: Path) -> float:
    """Start `./popcandy up` and end it again; return how long it took until it said where it listens."""
    command = [str(ROOT / "popcandy"), "up", "--data", str(folder / "platform"), "--port", "0", "--console-port", "0"]
    begun = time.monotonic()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)  # noqa: S603  Ours.
    assert process.stderr is not None
    for line in process.stderr:
        if LISTENING.search(line):
            break
    else:
        raise AssertionError(f"up ended with {process.wait()}")
    seconds = time.monotonic() - begun
    process.terminate()
    process.communicate(timeout=READY_SECONDS)
    return seconds


def _environment(places: Places) -> Mapping[str, str]:
    for service in SERVICES:
        places.fresh(service.name)
    amqp_url = places.fresh_vhost()
    EmbeddedIssuer(places.processes.folder, Settings())
    return {**environment_of(places, amqp_url), "POPCANDY_ISSUER": "http://127.0.0.1:9/oidc"}


def _memory(places: Places, service: str, role: str, environment: Mapping[str, str]) -> float:
    """Start one role, wait until it works, and return what it holds, shared pages by their share."""
    arguments = ("launch.cli", "serve", service, "--role", role, "--port", "0")
    process = places.processes.start(*arguments, environment=environment)
    try:
        process.until(lambda: _says(process, f"{service} {role}"), missing=f"{service} {role}", timeout=READY_SECONDS)
        return proportional_mib(process.pid)
    finally:
        process.kill()


def _says(process: Process, what: str) -> bool:
    return any(line.startswith(what) for line in process.output.splitlines())
