"""The sign-in page in a real browser: Chromium, as on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from launch.oidc.provider import Provider
from tests.console.phone.test_pages import FAINT_TEXTS, LEAST_CONTRAST
from tests.launch.oidc.browsing import CALLBACK, Browsing, client_of, served

LEAST_TOUCH_PX = 48


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with served(tmp_path) as found:
        yield found


@pytest.fixture(params=["zh-CN", "en-GB"])
def page(browser: Browser, provider: Provider, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open the page; whatever it loads from elsewhere or against its policy fails the test."""
    offences: list[str] = []

    def guard(route: Route) -> None:
        url = route.request.url
        if url.startswith(CALLBACK):  # The console's server stands in for itself.
            route.fulfill(status=200, body="signed in")
        elif urlsplit(url).netloc == urlsplit(provider.url).netloc:
            route.continue_()
        else:
            offences.append(url)
            route.abort()

    context = browser.new_context(viewport={"width": 360, "height": 640}, locale=request.param, has_touch=True)
    context.route("**/*", guard)
    opened = context.new_page()
    opened.on("console", lambda message: offences.append(message.text) if message.type == "error" else None)
    browsing = Browsing(provider, client_of(provider))
    opened.goto(f"{provider.url}/authorize?{urlencode(browsing.wanted())}")
    yield opened
    context.close()
    assert offences == []


def test_somebody_signs_in_with_one_tap(page: Page, provider: Provider) -> None:
    """And is back at the console with a code; the policy of the page lets that through."""
    language = "en" if page.locator("html").get_attribute("lang") == "en" else "zh"
    operator = provider.people.all()[4]
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request))  # noqa: PLW0108  Playwright refuses a built-in.
    page.get_by_role("button", name=operator.name(language)).tap()

    expect(page).to_have_url(re.compile(re.escape(CALLBACK) + r"\?code=.+&state=.+&iss=.+"))
    assert all("referer" not in request.headers for request in seen if request.url.startswith(CALLBACK))


def test_the_language_can_be_changed(page: Page) -> None:
    """Without losing who asked."""
    before = page.locator("html").get_attribute("lang")
    page.get_by_role("link").tap()

    expect(page.locator("html")).not_to_have_attribute("lang", before or "")
    expect(page.get_by_role("button")).to_have_count(13)


def test_it_fits_a_phone(page: Page) -> None:
    """Nothing to scroll sideways, buttons for thumbs, text that can be read, a name for each control."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= LEAST_TOUCH_PX
        assert button.inner_text().strip()
    assert page.evaluate(FAINT_TEXTS, LEAST_CONTRAST) == []
    assert page.get_by_role("heading", level=1).count() == 1
