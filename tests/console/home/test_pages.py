"""The first page in a real browser: each role, both languages, from a small phone to a desk."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from services.console.home.rules import SECTIONS_OF
from shared import clock
from tests.console.browser import DESKTOP, NARROW, OpenPage, barriers, overflow
from tests.console.doubles import ActivitiesApi
from tests.console.figures import NINE, SHIFT_ID
from tests.console.provider import Provider

HAND = (390, 844)
LEAST_TOUCH_PX = 44
BYTES = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.transferSize, 0)
"""
EVERY_ROLE = sorted(SECTIONS_OF)


@pytest.fixture(autouse=True)
def before_the_shift() -> Iterator[None]:
    """Stand two hours before the double's shift."""
    clock.travel(NINE - timedelta(hours=2))
    yield
    clock.come_back()


def small_targets(page: Page) -> list[str]:
    found = []
    for target in page.locator("a:visible:not(.skip), button:visible").all():
        box = target.bounding_box()
        if box is not None and min(box["width"], box["height"]) < LEAST_TOUCH_PX:
            found.append(target.inner_text())
    return found


@pytest.mark.parametrize(("size", "locale"), [(HAND, "zh-CN"), (DESKTOP, "en-GB")])
@pytest.mark.parametrize("role", EVERY_ROLE)
def test_every_role_s_page_fits_every_reader(
    open_page: OpenPage, provider: Provider, role: str, size: tuple[int, int], locale: str
) -> None:
    """No barrier that axe knows, nothing beyond the edge, no target too small for a thumb."""
    provider.person["roles"] = [role]

    page = open_page("/", size=size, locale=locale)

    assert page.locator("html").get_attribute("lang") == ("zh-CN" if locale == "zh-CN" else "en")
    assert page.locator("main .part").count() == len(SECTIONS_OF[role])
    assert barriers(page) == []
    assert overflow(page) == 0
    assert small_targets(page) == []


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_all_roles_at_once_fit_the_smallest_phone(
    open_page: OpenPage, provider: Provider, activities: ActivitiesApi, locale: str
) -> None:
    """A small programme's manager is everything, and titles are as long as people make them."""
    provider.person |= {"roles": EVERY_ROLE, "name": "欧阳" * 12, "name#en": "Wolfeschlegelsteinhausenbergerdorff" * 2}
    activities.listings[0]["title"] = "Donaudampfschifffahrts" * 4

    page = open_page("/", size=NARROW, locale=locale)

    assert page.locator("main .part").count() == len({part for parts in SECTIONS_OF.values() for part in parts})
    assert overflow(page) == 0
    assert barriers(page) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_volunteer_takes_a_place(
    open_page: OpenPage,
    activities: ActivitiesApi,
    served: str,
    scripts: bool,  # noqa: FBT001  A case.
) -> None:
    """With a tap; where scripts do not run, by way of a page."""
    activities.refuse("attendance/mine", "not_signed_up", status=404)
    page = open_page("/", size=HAND, scripts=scripts)

    activities.refuse("sign-ups", "shift_full", title="名额已满")
    page.get_by_role("button", name="报名").tap()
    expect(page.get_by_role("alert")).to_contain_text("名额已满")

    activities.refusals.clear()
    page.reload()
    expect(page.get_by_text("已报名", exact=True)).to_be_visible()

    page.get_by_role("link", name="签到页").tap()
    page.wait_for_url(f"{served}/c/{SHIFT_ID}")


def test_a_part_is_loaded_anew_in_place(open_page: OpenPage, provider: Provider, activities: ActivitiesApi) -> None:
    """After an API was away, the reader need not begin again."""
    provider.person["roles"] = ["ops"]
    activities.documents["/api/ledger/flow"] = {}
    page = open_page("/", size=DESKTOP)
    expect(page.get_by_role("alert")).to_contain_text("系统暂时连不上")

    activities.documents.clear()
    page.get_by_role("link", name="刷新").click()

    expect(page.get_by_role("rowheader", name="ledger")).to_be_visible()
    assert page.get_by_text("系统暂时连不上").count() == 0


def test_a_script_of_who_was_signed_out_leads_to_the_sign_in(
    open_page: OpenPage, provider: Provider, served: str
) -> None:
    """And so back in, as the issuer still knows who it is."""
    provider.person["roles"] = ["ops"]
    page = open_page("/", size=DESKTOP)
    page.context.clear_cookies()

    page.get_by_role("link", name="刷新").click()

    page.wait_for_url(f"{served}/")
    expect(page.get_by_role("rowheader", name="ledger")).to_be_visible()


def test_signing_out_goes_by_the_issuer_and_ends_here(open_page: OpenPage, provider: Provider, served: str) -> None:
    """Chromium holds such a redirect to the page's policy too."""
    page = open_page("/", size=HAND)

    page.get_by_role("button", name="退出登录").tap()

    page.wait_for_url(f"{served}/signed-out")
    expect(page.get_by_role("heading", name="您已退出登录")).to_be_visible()
    assert provider.seen[-1].path.endswith("/end-session")
    assert [cookie["name"] for cookie in page.context.cookies() if "session" in str(cookie["name"])] == []


def test_the_language_stays_on_every_page(open_page: OpenPage) -> None:
    """One click, whatever the browser says."""
    page = open_page("/", size=DESKTOP)

    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Hello, Synthetic A")).to_be_visible()
    page.goto(page.url.partition("?")[0])

    expect(page.get_by_role("heading", name="Hello, Synthetic A")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"


def test_a_keyboard_reaches_the_content_first(open_page: OpenPage) -> None:
    """Nobody tabs through the whole bar on every page, and the place is always seen."""
    page = open_page("/", size=DESKTOP)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    expect(page.get_by_role("link", name="跳到正文")).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


@pytest.mark.parametrize(
    ("path", "most_first", "most_again"), [("/", 130_000, 9_000), (f"/c/{SHIFT_ID}", 24_000, 9_000)]
)
def test_a_page_is_light(browser: Browser, served: str, path: str, most_first: int, most_again: int) -> None:
    """The first page once loads its looks, and later itself alone; a phone's page is small from the start."""
    page = browser.new_page()  # Without a guard, which would turn the browser's cache off.
    page.goto(f"{served}/sign-in?next={path}")
    page.wait_for_load_state("networkidle")
    first = page.evaluate(BYTES)
    page.goto(page.url)
    page.wait_for_load_state("networkidle")
    again = page.evaluate(BYTES)
    page.close()

    assert 1_000 < again < most_again
    assert again < first < most_first
