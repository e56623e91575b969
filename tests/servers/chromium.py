"""The browser for tests: the system's Chromium, which Debian installs; Playwright's own download is never used."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.servers import apt

HOST = "popcandy.test"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name, not "localhost": as on phones in a partner's network, plain HTTP is then no secure context.
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
]


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


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium once for many pages; Playwright allows one at a time in a thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()
