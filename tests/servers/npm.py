"""Packages from npm that tests need: installed as a committed lock says, their scripts never run."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.servers import apt

_SECONDS = 200
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


class NpmFailed(Exception):
    """There is no npm, or it could not install a lock; the message says why."""


def require_npm() -> str:
    """Return where npm is; root on Debian installs it at first need. Raises NpmFailed."""
    found = shutil.which("npm")
    if found is None:
        try:
            apt.install("npm")
        except apt.AptFailed as error:
            raise NpmFailed(f"tests need npm: apt-get install npm ({error})") from error
        found = shutil.which("npm")
    if found is None:
        raise NpmFailed("tests need npm: apt-get install npm")
    return found


def install(folder: Path) -> Path:
    """Return a folder's `node_modules`, as its lock says; one that is there already is left. Raises NpmFailed.

    Two test workers may want it at once; the second waits for the first. The registry is whichever npm is set to.
    """
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    stamp = modules / ".popcandy-lock"
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = hashlib.sha256(held.read()).hexdigest()
        if not stamp.exists() or stamp.read_text() != wanted:
            _run([require_npm(), *_INSTALL], folder)
            stamp.write_text(wanted)
    return modules


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603  Fixed arguments.
            command, cwd=folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise NpmFailed(f"npm ci took more than {_SECONDS} s in {folder}") from error
    if done.returncode != 0:
        raise NpmFailed(f"npm ci failed in {folder}: {' '.join(done.stderr.split())[-300:]}")
