import html
from datetime import timedelta
from urllib.parse import quote

import httpx2
import pytest
import segno
from starlette.testclient import TestClient
from werkzeug import Response as ApiResponse

from shared import clock
from tests.console.doubles import CHECKED_IN, SETTLED, ActivitiesApi
from tests.console.figures import SHIFT_ID
from tests.console.signing_in import CONSOLE_URL, sign_in

CODE_PAGE = f"/shifts/{SHIFT_ID}/code"
PLACE = f"/c/{SHIFT_ID}"
ENGLISH = {"accept-language": "en-GB,en;q=0.9,zh;q=0.5"}


def words(response: httpx2.Response) -> str:
    return html.unescape(response.text)


def asked(activities: ActivitiesApi) -> list[str]:
    return [f"{seen.method} {seen.path.partition(SHIFT_ID)[2]}" for seen in activities.seen]


class TestCodePage:
    def test_shows_the_code_as_qr_and_in_digits(self, console: TestClient, activities: ActivitiesApi) -> None:
        """A phone's camera opens the volunteer's page; who has no camera reads the digits."""
        response = console.get(CODE_PAGE)

        address = f"{CONSOLE_URL}{PLACE}?code=123456"
        drawing = segno.make_qr(address, error="m").svg_inline(border=4, omitsize=True, svgclass="modules")
        assert response.status_code == 200
        assert drawing in response.text
        for text in ("123 456", "社区图书馆周末故事会", "2022年6月18日 周六", "09:00", "11:30"):
            assert text in words(response)
        assert asked(activities) == ["GET ", "GET /code"]

    def test_renews_itself_without_scripts_too(self, console: TestClient, activities: ActivitiesApi) -> None:
        """An old tablet shows no stale code either."""
        activities.code_lasts = timedelta(seconds=17.5)

        assert '<noscript><meta http-equiv="refresh" content="18"></noscript>' in console.get(CODE_PAGE).text

    def test_gives_a_duration_not_an_instant(self, console: TestClient, activities: ActivitiesApi) -> None:
        """The platform may live in another year than the tablet: the demo does."""
        clock.travel(clock.now() - timedelta(days=1_000))
        try:
            response = console.get(f"{CODE_PAGE}/card")
        finally:
            clock.come_back()

        milliseconds = int(response.text.partition('data-remaining-ms="')[2].partition('"')[0])
        assert 25_000 < milliseconds <= 30_000
        assert asked(activities) == ["GET /code"]

    @pytest.mark.parametrize(
        ("code", "status"), [("missing_permission", 403), ("other_partner", 403), ("not_found", 404)]
    )
    def test_says_why_there_is_none(
        self, console: TestClient, activities: ActivitiesApi, code: str, status: int
    ) -> None:
        """A volunteer who finds the address sees no code."""
        activities.refuse("code", code, status=status, title="不可以")

        response = console.get(CODE_PAGE)

        assert response.status_code == status
        assert "不可以" in words(response)
        assert "123 456" not in words(response)


class TestPlacePage:
    @pytest.mark.parametrize(
        ("place", "zh", "en"),
        [
            ({"state": "expected"}, ["您已报名", ">签到<"], ["You are signed up", ">Check in<"]),
            (CHECKED_IN, ["08:56 已签到", ">签退<"], ["Checked in at 08:56", ">Check out<"]),
            (SETTLED, ["2 小时 5 分钟", "08:56 签到，11:05 签退"], ["2 h 5 min", "In at 08:56, out at 11:05"]),
            ({"state": "voided"}, ["这次服务记录已作废"], ["This record was voided"]),
        ],
    )
    def test_offers_the_one_next_step(
        self, console: TestClient, activities: ActivitiesApi, place: dict[str, object], zh: list[str], en: list[str]
    ) -> None:
        """Whoever stands at the door with a phone in hand needs one button."""
        activities.place = place

        for texts, headers in ((zh, {}), (en, ENGLISH)):
            response = console.get(f"{PLACE}?code=123456", headers=headers)
            assert response.status_code == 200
            assert [text for text in texts if text not in words(response)] == []
            assert response.text.count('class="big"') == (">签" in zh[-1])

    def test_changes_nothing_by_being_looked_at(self, console: TestClient, activities: ActivitiesApi) -> None:
        """Chat programmes open every link for a preview."""
        console.get(f"{PLACE}?code=123456")

        assert asked(activities) == ["GET ", "GET /attendance/mine"]

    def test_carries_the_scanned_code(self, console: TestClient) -> None:
        """One tap is all that is left to do."""
        assert '<input type="hidden" name="code" value="123456">' in console.get(f"{PLACE}?code=123456").text

    @pytest.mark.parametrize("query", ["", "?code=", "?code=12345", '?code="><script>'])
    def test_lets_the_reader_type_a_code(self, console: TestClient, query: str) -> None:
        """A broken camera keeps nobody from checking in."""
        response = console.get(PLACE + query)

        assert 'inputmode="numeric"' in response.text
        assert 'type="hidden" name="code"' not in response.text
        assert '"><script>' not in response.text

    def test_offers_nothing_on_a_cancelled_shift(self, console: TestClient, activities: ActivitiesApi) -> None:
        """The volunteer learns it before pressing anything."""
        activities.shift["state"] = "cancelled"

        response = console.get(f"{PLACE}?code=123456")

        assert "该场次已取消" in words(response)
        assert "<form" not in response.text.partition('<main id="main">')[2].partition("</main>")[0]

    def test_tells_who_has_no_place(self, console: TestClient, activities: ActivitiesApi) -> None:
        """A passer-by who scans the code learns what to do."""
        activities.refuse("attendance/mine", "not_signed_up", status=404, title="You have no place on this shift")

        response = console.get(f"{PLACE}?code=123456", headers=ENGLISH)

        assert response.status_code == 404
        assert "Sign up first" in words(response)
        assert ">Check in<" not in response.text

    def test_writes_titles_as_text(self, console: TestClient, activities: ActivitiesApi) -> None:
        """A listing's title comes from a partner, not from us."""
        activities.shift["listing_title"] = "<script>alert(1)</script> & co"

        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in console.get(PLACE).text

    @pytest.mark.parametrize("path", ["/c/nonsense", "/shifts/1/code", "/nowhere", "/c/nonsense?lang=en"])
    def test_there_is_no_such_page(self, console: TestClient, path: str) -> None:
        """A cut-off link says so in words."""
        response = console.get(path)

        assert response.status_code == 404
        assert "<h1>" in response.text


class TestScanning:
    def test_checks_in_and_shows_the_outcome(self, console: TestClient, activities: ActivitiesApi) -> None:
        """A reload afterwards repeats nothing: the browser is sent on to the page."""
        sent_on = console.post(f"{PLACE}/check-in", data={"code": "123456"})

        assert (sent_on.status_code, sent_on.headers["location"]) == (303, PLACE)
        assert "08:56 已签到" in words(console.get(PLACE))
        assert asked(activities)[0] == "POST /check-ins"

    def test_checks_out_and_shows_the_minutes(self, console: TestClient, activities: ActivitiesApi) -> None:
        """The volunteer goes home knowing what counted."""
        activities.place = CHECKED_IN

        sent_on = console.post(f"{PLACE}/check-out", data={"code": "654321"})

        assert (sent_on.status_code, sent_on.headers["location"]) == (303, PLACE)
        assert "2 小时 5 分钟" in words(console.get(PLACE))
        assert activities.seen[0].get_json() == {"code": "654321"}

    @pytest.mark.parametrize(
        ("code", "status", "advice"),
        [
            ("wrong_code", 422, "核对屏幕上的 6 位数字"),
            ("code_expired", 422, "再扫一次屏幕上的新码"),
            ("code_reused", 422, "请等屏幕换成新码"),
            ("check_in_closed", 409, "签到时间为 08:30 至 12:00"),
            ("already_checked_in", 409, "不用再签一次"),
            ("shift_cancelled", 409, "无需签到"),
            ("too_many_attempts", 429, "请等 10 分钟后再试"),
            ("brand_new_refusal", 409, "请稍后再试"),
        ],
    )
    def test_tells_a_refusal_once(
        self, console: TestClient, activities: ActivitiesApi, code: str, status: int, advice: str
    ) -> None:
        """The API's own words, and what to do next; the next look at the page is clean again."""
        facts = {"opens_at": "2022-06-18T00:30:00Z", "closes_at": "2022-06-18T04:00:00Z", "retry_after": 600}
        activities.refuse("check-ins", code, status=status, title="这次不行", **facts)

        sent_on = console.post(f"{PLACE}/check-in", data={"code": "123456"})
        told, again = console.get(PLACE), console.get(PLACE)

        assert (sent_on.status_code, sent_on.headers["location"]) == (303, PLACE)
        assert "这次不行" in words(told)
        assert advice in words(told)
        assert "这次不行" not in words(again)

    @pytest.mark.parametrize("verb", ["check-in", "check-out"])
    def test_an_old_tab_comes_back_to_the_page(self, console: TestClient, verb: str) -> None:
        """Phones restore tabs by loading their address again."""
        assert console.get(f"{PLACE}/{verb}").headers["location"] == PLACE

    def test_an_api_that_is_down_is_no_check_in(self, console: TestClient, activities: ActivitiesApi) -> None:
        """The page says so, and its button leads back to the truth."""
        activities.broken = ApiResponse("", 500)

        response = console.post(f"{PLACE}/check-in", data={"code": "123456"})

        assert response.status_code == 502
        assert "系统暂时连不上" in words(response)
        assert f'href="{PLACE}"' in response.text


class TestSigningIn:
    @pytest.mark.parametrize("path", [CODE_PAGE, f"{PLACE}?code=123456"])
    def test_is_asked_of_who_is_not_signed_in(self, stranger: TestClient, path: str) -> None:
        """What was scanned comes back after signing in."""
        assert stranger.get(path).headers["location"] == f"/sign-in?next={quote(path, safe='')}"
        assert sign_in(stranger, path).headers["location"] == path

    def test_is_asked_of_a_screen_by_its_whole_page(self, stranger: TestClient) -> None:
        """A script that renews the code cannot follow to the issuer; it loads the page, which can."""
        response = stranger.get(f"{CODE_PAGE}/card", headers={"hx-request": "true"})

        assert (response.status_code, response.headers["hx-redirect"]) == (401, "/sign-in")

    def test_of_a_form_leads_back_to_its_page(self, stranger: TestClient) -> None:
        """A form cannot be reopened by its address."""
        response = stranger.post(f"{PLACE}/check-in", data={"code": "123456"})

        assert response.headers["location"] == f"/sign-in?next={quote(PLACE, safe='')}"


class TestLanguage:
    @pytest.mark.parametrize(
        ("headers", "shown"),
        [
            ({}, "zh-CN"),
            (ENGLISH, "en"),
            ({"accept-language": "zh-TW,en"}, "zh-CN"),
            ({"accept-language": "fr"}, "zh-CN"),
        ],
    )
    def test_is_the_browsers_chinese_first(
        self, console: TestClient, activities: ActivitiesApi, headers: dict[str, str], shown: str
    ) -> None:
        """The API answers in the same one."""
        assert f'<html lang="{shown}">' in console.get(PLACE, headers=headers).text
        assert {seen.headers["accept-language"] for seen in activities.seen} == {shown[:2]}

    def test_is_kept_once_chosen(self, console: TestClient) -> None:
        """A link switches it, on every page from then on, and keeps the scanned code."""
        page = console.get(f"{PLACE}?code=123456")
        assert 'href="?code=123456&amp;lang=en"' in page.text

        console.get(f"{PLACE}?code=123456&lang=en")

        assert '<html lang="en">' in console.get("/signed-out").text

    def test_is_not_what_the_address_makes_up(self, console: TestClient) -> None:
        """Two languages, and nothing else in the cookie."""
        response = console.get(f"{PLACE}?lang=tlh")

        assert '<html lang="zh-CN">' in response.text
        assert "popcandy_lang" not in response.headers.get("set-cookie", "")
