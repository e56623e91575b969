"""The browser for tests: the system's Chromium, which Debian installs; Playwright's own download is never used."""

import shutil

from tests.servers import apt


class ChromiumMissing(Exception):
    """There is no Chromium, and it could not be installed."""


def require_chromium() -> str:
    """Return where Chromium is; root on Debian installs it at first need. Raises ChromiumMissing."""
    found = shutil.which("chromium")
    if found is None:
        try:
            apt.install("chromium")
        except apt.AptFailed as error:
            raise ChromiumMissing(f"tests need Chromium: apt-get install chromium ({error})") from error
        found = shutil.which("chromium")
    if found is None:
        raise ChromiumMissing("tests need Chromium: apt-get install chromium")
    return found
