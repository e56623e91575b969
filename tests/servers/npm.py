"""Packages from npm that tests need: installed as a committed lock says, their scripts never run."""

import fcntl
import hashlib
from pathlib import Path

from launch import npm


def install(folder: Path) -> Path:
    """Return a folder's `node_modules`, as its lock says; one that is there already is left. Raises npm.NpmFailed.

    Two test workers may want it at once; the second waits for the first. The registry is whichever npm is set to.
    """
    modules, lock = folder / "node_modules", folder / "package-lock.json"
    stamp = modules / ".popcandy-lock"
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = hashlib.sha256(held.read()).hexdigest()
        if not stamp.exists() or stamp.read_text() != wanted:
            npm.ci(folder, dev=True)
            stamp.write_text(wanted)
    return modules
