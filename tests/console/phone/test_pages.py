"""The pages in a real browser: Chromium, as phones and tablets see them."""

from datetime import timedelta
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Page, expect
from werkzeug import Response

from tests.console.browser import PHONE, TABLET, OpenPage, barriers, overflow
from tests.console.doubles import CHECKED_IN, SETTLED, ActivitiesApi
from tests.console.figures import SHIFT_ID

CODE_PAGE = f"/shifts/{SHIFT_ID}/code"
PLACE = f"/c/{SHIFT_ID}"
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 (AA).
LEAST_TOUCH_PX = 48
QR_MODULES = """
svg => {
  const path = svg.querySelector("path"), size = svg.viewBox.baseVal.width, border = 4, rows = [];
  for (let y = border; y < size - border; y++) {
    const row = [];
    for (let x = border; x < size - border; x++) row.push(path.isPointInStroke(new DOMPoint(x + 0.5, y + 0.5)) ? 1 : 0);
    rows.push(row);
  }
  return rows;
}
"""
FAINT_TEXTS = (Path(__file__).parent / "faint_texts.js").read_text("utf-8")


def shown_modules(page: Page) -> list[list[int]]:
    modules: list[list[int]] = page.locator(".qr svg").evaluate(QR_MODULES)
    return modules


def modules_of(url: str) -> list[list[int]]:
    return [list(row) for row in segno.make_qr(url, error="m").matrix]


class TestCodePage:
    def test_draws_the_address_of_the_volunteers_page(self, open_page: OpenPage, served: str) -> None:
        """What is drawn is, module by module, what a phone's camera has to read."""
        page = open_page(CODE_PAGE, size=TABLET)

        assert shown_modules(page) == modules_of(f"{served}{PLACE}?code=123456")

    @pytest.mark.parametrize(("size", "share"), [(TABLET, 0.8), (PHONE, 0.4)])
    def test_is_large_enough_to_be_read_from_afar(
        self, open_page: OpenPage, size: tuple[int, int], share: float
    ) -> None:
        """The code takes most of the screen's height, on a phone of its width, and nothing needs scrolling."""
        page = open_page(CODE_PAGE, size=size)

        box = page.locator(".qr").bounding_box()
        assert box is not None
        assert box["height"] >= share * size[1]
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")

    def test_changes_with_the_code(self, open_page: OpenPage, served: str, activities: ActivitiesApi) -> None:
        """A photo of the screen is worthless half a minute later."""
        activities.code_lasts = timedelta(seconds=1)
        page = open_page(CODE_PAGE)
        expect(page.locator(".digits")).to_have_text("123 456")

        activities.code = "654321"

        expect(page.locator(".digits")).to_have_text("654 321")
        assert shown_modules(page) == modules_of(f"{served}{PLACE}?code=654321")

    def test_changes_without_scripts(self, open_page: OpenPage, activities: ActivitiesApi) -> None:
        """The page then loads itself again."""
        activities.code_lasts = timedelta(seconds=1)
        page = open_page(CODE_PAGE, scripts=False)

        activities.code = "654321"

        expect(page.locator(".digits")).to_have_text("654 321")

    def test_counts_down(self, open_page: OpenPage) -> None:
        """People at the door see whether to hurry or to wait."""
        page = open_page(CODE_PAGE)

        expect(page.locator("[data-seconds]")).not_to_have_text("30")
        assert float(page.locator("[data-ring]").get_attribute("stroke-dashoffset") or 0) > 0

    @pytest.mark.parametrize("size", [PHONE, TABLET])
    def test_hides_a_code_that_it_cannot_renew(
        self, open_page: OpenPage, activities: ActivitiesApi, size: tuple[int, int]
    ) -> None:
        """A stale code would be refused at the door; the screen says that it lost the connection, until it is back."""
        activities.code_lasts = timedelta(seconds=1)
        page = open_page(CODE_PAGE, size=size)

        activities.broken = Response("", 503)

        expect(page.get_by_text("连接中断")).to_be_visible()
        expect(page.locator(".qr")).to_be_hidden()
        expect(page.locator(".digits")).to_be_hidden()
        assert overflow(page) == 0

        activities.broken, activities.code = None, "654321"

        expect(page.locator(".digits")).to_have_text("654 321")
        expect(page.get_by_text("连接中断")).to_be_hidden()

    @pytest.mark.parametrize(
        ("code", "status", "text"),
        [("not_found", 404, "没有这个场次"), ("shift_cancelled", 409, "取消了")],
    )
    def test_ends_when_there_is_no_code_any_more(
        self, open_page: OpenPage, activities: ActivitiesApi, code: str, status: int, text: str
    ) -> None:
        """A screen left alone overnight shows why, not the last code."""
        activities.code_lasts = timedelta(seconds=1)
        page = open_page(CODE_PAGE)

        activities.refuse("code", code, status=status, title=text)

        expect(page.get_by_text(text)).to_be_visible()
        expect(page.locator(".qr")).to_have_count(0)

    def test_fills_the_screen(self, open_page: OpenPage) -> None:
        """A tablet at the door shows nothing else."""
        page = open_page(CODE_PAGE, size=TABLET)

        page.get_by_role("button", name="全屏").click()

        page.wait_for_function("document.fullscreenElement !== null")


class TestVolunteer:
    def test_checks_in_and_out_with_a_tap_each(
        self, open_page: OpenPage, served: str, activities: ActivitiesApi
    ) -> None:
        """From the camera, by way of the issuer, to the minutes, on a phone in a network without TLS."""
        page = open_page(f"{PLACE}?code=123456", signed_in=False)
        page.wait_for_url(f"{served}{PLACE}?code=123456")

        page.get_by_role("button", name="签到").tap()
        expect(page.get_by_text("08:56 已签到")).to_be_visible()
        assert page.url == served + PLACE

        page.get_by_label("屏幕上的 6 位数字").fill("654 321")
        page.get_by_role("button", name="签退").tap()
        expect(page.get_by_text("2 小时 5 分钟")).to_be_visible()
        codes = [seen.get_json()["code"] for seen in activities.seen if seen.method == "POST"]
        assert codes == ["123456", "654321"]

    def test_reads_a_refusal_and_tries_again(self, open_page: OpenPage, activities: ActivitiesApi) -> None:
        """The refusal stands where the button is, and the digits can be typed at once."""
        activities.refuse("check-ins", "code_expired", status=422, title="签到码已过期，请重新扫码")
        page = open_page(f"{PLACE}?code=123456")

        page.get_by_role("button", name="签到").tap()
        expect(page.get_by_role("alert")).to_contain_text("签到码已过期，请重新扫码")

        activities.refusals.clear()
        page.get_by_label("屏幕上的 6 位数字").fill("654321")
        page.get_by_role("button", name="签到").tap()
        expect(page.get_by_text("08:56 已签到")).to_be_visible()

    def test_has_no_token_that_a_script_could_read(self, open_page: OpenPage, served: str) -> None:
        """Nor in the address or the history, should the phone be handed on."""
        page = open_page("/sign-in?next=/signed-out", signed_in=False)

        assert page.url == f"{served}/signed-out"
        assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]

    def test_chooses_the_language(self, open_page: OpenPage) -> None:
        """One tap, and the scanned code stays."""
        page = open_page(f"{PLACE}?code=123456")

        page.get_by_role("link", name="English").tap()

        expect(page.get_by_role("button", name="Check in")).to_be_visible()
        expect(page.locator('input[name="code"]')).to_have_value("123456")


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize(
    ("path", "place"),
    [
        (CODE_PAGE, {}),
        (f"{PLACE}?code=123456", {"state": "expected"}),
        (PLACE, CHECKED_IN),
        (PLACE, SETTLED),
        (PLACE, {"state": "voided"}),
        ("/nowhere", {}),
        ("/signed-out", {}),
    ],
)
def test_every_page_fits_every_reader(
    open_page: OpenPage, activities: ActivitiesApi, path: str, place: dict[str, object], locale: str
) -> None:
    """A narrow phone, tired eyes, large thumbs."""
    activities.place = place
    activities.shift["listing_title"] = (
        "社区图书馆周末故事会：陪孩子读绘本" if locale == "zh-CN" else "Donaudampfschifffahrts" * 3
    )
    page = open_page(path, locale=locale)

    assert overflow(page) == 0
    assert barriers(page) == []
    assert page.evaluate(FAINT_TEXTS, LEAST_CONTRAST) == []
    for target in page.locator("a:visible:not(.skip), button:visible, input:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= LEAST_TOUCH_PX, target.inner_text()
