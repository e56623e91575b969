"""On what a benchmark ran: figures of two machines cannot be compared."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from shared import clock
from tests.bench.places import Places


def described(places: Places) -> dict[str, Any]:
    """Name what decides how fast things are here."""
    return {
        "on": clock.now().date().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": _postgresql(places),
        "rabbitmq": places.rabbitmq_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  Nothing of others.
    return said.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _postgresql(places: Places) -> str:
    engine = create_engine(places.server.url, poolclass=NullPool)
    with engine.connect() as connection:
        version, fsync = connection.execute(
            text("SELECT current_setting('server_version'), current_setting('fsync')")
        ).one()
    return f"{version}, fsync {fsync}"
