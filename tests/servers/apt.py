"""Debian packages that tests need and a machine lacks: root has them installed, by one process at a time."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")
_POLICY_TEXT = "#!/bin/sh\n# Popcandy's tests install packages without starting the system's services.\nexit 101\n"
_LOCK = Path(tempfile.gettempdir()) / "popcandy-apt.lock"
_SECONDS = 600
_ENVIRONMENT = {"PATH": f"{os.defpath}:/usr/sbin:/sbin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


class AptFailed(Exception):
    """A package could not be installed; the message says why."""


def install(package: str) -> None:
    """Install a package without letting its service start. Raises AptFailed, also for anybody but root on Debian.

    Two test workers may want two packages at once, and apt does not wait for another apt.
    """
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise AptFailed("only root on Debian can have it installed")
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _services_stay_down():
            for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
                _run([apt, *arguments])


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603  Fixed arguments.
        command,
        env=_ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise AptFailed(f"apt-get {command[1]} failed: {' '.join(done.stderr.split())[-300:]}")


@contextlib.contextmanager
def _services_stay_down() -> Iterator[None]:
    """Forbid package scripts to start services; the machine's own policy is back afterwards."""
    aside = _POLICY.with_suffix(".before-popcandy")
    had_one = _POLICY.exists()
    if had_one:
        _POLICY.rename(aside)
    _POLICY.write_text(_POLICY_TEXT)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
        if had_one:
            aside.rename(_POLICY)
