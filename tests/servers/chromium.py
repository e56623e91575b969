"""The browser for tests: the system's Chromium, which Debian installs; Playwright's own download is never used."""

import os
import shutil
import subprocess

_INSTALL_SECONDS = 600


class ChromiumMissing(Exception):
    """There is no Chromium, and it could not be installed."""


def require_chromium() -> str:
    """Return where Chromium is; root on Debian installs it at first need. Raises ChromiumMissing."""
    return shutil.which("chromium") or _install()


def _install() -> str:
    apt = shutil.which("apt-get")
    if apt is not None and os.geteuid() == 0:
        for command in ([apt, "update"], [apt, "install", "--yes", "--no-install-recommends", "chromium"]):
            subprocess.run(  # noqa: S603  The commands are ours.
                ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", *command],
                check=False,  # What counts is whether the browser is there afterwards.
                capture_output=True,
                timeout=_INSTALL_SECONDS,
            )
    found = shutil.which("chromium")
    if found is None:
        raise ChromiumMissing("Chromium is missing: run `apt-get install chromium` as root, then test again")
    return found
