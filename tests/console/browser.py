"""Chromium before the served console: whatever a page loads from elsewhere or against its policy fails the test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.architecture.sources import ROOT
from tests.servers import npm

PHONE, TABLET, DESKTOP, NARROW = (360, 640), (1180, 820), (1280, 900), (320, 640)
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

OpenPage = Callable[..., Page]


@contextmanager
def pages_of(browser: Browser, served: str, *, besides: str) -> Iterator[OpenPage]:
    """Open pages of a served console; `besides` is the issuer, which alone may be visited besides it."""
    contexts: list[BrowserContext] = []
    offences: list[str] = []
    known = {urlsplit(url).netloc for url in (served, besides)}

    def guard(route: Route) -> None:
        if urlsplit(route.request.url).netloc in known:
            route.continue_()
        else:
            offences.append(route.request.url)
            route.abort()

    def open_one(
        path: str, *, size: tuple[int, int] = PHONE, locale: str = "zh-CN", signed_in: bool = True, scripts: bool = True
    ) -> Page:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, java_script_enabled=scripts, has_touch=True
        )
        contexts.append(context)
        context.route("**/*", guard)
        page = context.new_page()
        page.on("console", lambda said: offences.append(said.text) if "Security Policy" in said.text else None)
        page.on("pageerror", lambda error: offences.append(str(error)))
        if signed_in:
            page.goto(f"{served}/sign-in?next=/signed-out")
        page.goto(served + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert offences == []


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return pixels


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds on a page, rule by rule, with the elements."""
    page.evaluate(_axe())  # Not as an element: the page's policy would rightly refuse it.
    found = page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })", AXE_TAGS
    )
    return [f"{each['id']}: {', '.join(str(node['target']) for node in each['nodes'])}" for each in found["violations"]]


def _axe() -> str:
    modules: Path = npm.install(ROOT / "services" / "console")
    return (modules / "axe-core" / "axe.min.js").read_text("utf-8")
