"""The random mark of a phone: where it is made and kept, what it goes with, and that people are told."""

import html
from http.cookies import Morsel, SimpleCookie

import httpx2
import pytest
from starlette.testclient import TestClient

from services.console.main import connect, create_app
from services.console.phone import rules
from tests.console.doubles import CHECKED_IN, SETTLED, ActivitiesApi
from tests.console.figures import SHIFT_ID
from tests.console.provider import Provider
from tests.console.signing_in import OURS, csrf_of, sign_in, sign_in_at

PLACE, CODE_PAGE = f"/c/{SHIFT_ID}", f"/shifts/{SHIFT_ID}/code"
ENGLISH = {"accept-language": "en"}
SAID = ("为发现一部手机替多人扫码", "To notice when one phone scans for several people")


def cookie_of(response: httpx2.Response) -> Morsel[str] | None:
    """Return the phone's mark as an answer sets it."""
    found = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        found.load(header)
    return found.get("popcandy_device")


def devices(activities: ActivitiesApi) -> list[object]:
    """Return by which device each scan was handed on."""
    return [seen.get_json().get("device") for seen in activities.seen if seen.method == "POST"]


def scan(console: TestClient, activities: ActivitiesApi, *, way: str = "in") -> None:
    activities.place = {"state": "expected"} if way == "in" else CHECKED_IN
    assert console.get(PLACE).status_code == 200
    assert console.post(f"{PLACE}/check-{way}", data={"code": "123456"}).status_code == 303


def test_is_made_when_a_page_first_offers_a_scan(console: TestClient) -> None:
    """Random, out of reach of scripts and of other sites, for these pages alone, and not for long."""
    cookie = cookie_of(console.get(PLACE))

    assert cookie is not None
    assert rules.known_device(cookie.value) == cookie.value
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/c")
    assert (cookie["max-age"], cookie["secure"]) == (str(2 * 24 * 60 * 60), "")


def test_travels_by_https_alone_where_there_is_any(activities: ActivitiesApi, provider: Provider) -> None:
    """As the session does."""
    with connect(activities.url) as api:
        url = "https://testserver"
        app = create_app(api, console_url=url, sign_in=sign_in_at(provider))
        console = TestClient(app, base_url=url, headers=OURS, follow_redirects=False)
        sign_in(console)

        cookie = cookie_of(console.get(PLACE))

    assert cookie is not None
    assert cookie["secure"] is True


def test_goes_with_each_scan_and_stays_over_visits(console: TestClient, activities: ActivitiesApi) -> None:
    """Whoever is signed in: that is what it is for."""
    scan(console, activities)
    scan(console, activities, way="out")
    sign_in(console)
    console.headers["x-csrf-token"] = csrf_of(console)
    scan(console, activities)

    [device] = set(devices(activities))
    assert rules.known_device(str(device)) == device
    assert len(devices(activities)) == 3


def test_another_phone_has_another(console: TestClient) -> None:
    """None is told by what it is."""
    marks = set()
    for _ in range(2):
        cookie = cookie_of(console.get(PLACE))
        assert cookie is not None
        marks.add(cookie.value)
        console.cookies.delete("popcandy_device")
    assert len(marks) == 2


def test_is_not_needed(console: TestClient, activities: ActivitiesApi) -> None:
    """A phone that keeps no cookies of this kind checks in as before."""
    assert console.post(f"{PLACE}/check-in", data={"code": "123456"}).status_code == 303
    assert activities.seen[0].get_json() == {"code": "123456"}


@pytest.mark.parametrize("forged", ["", "short", "x" * 23, "x" * 21 + ".", "<script>alert(1)</sc>"])
def test_one_that_is_not_of_our_making_is_as_none(console: TestClient, activities: ActivitiesApi, forged: str) -> None:
    """It keeps nobody out, and the next page puts a right one in its place."""
    console.cookies.set("popcandy_device", forged, path="/c")
    assert console.post(f"{PLACE}/check-in", data={"code": "123456"}).status_code == 303
    assert devices(activities) == [None]

    activities.place = CHECKED_IN
    cookie = cookie_of(console.get(PLACE))

    assert cookie is not None
    assert cookie.value != forged


@pytest.mark.parametrize("place", [{"state": "expected"}, CHECKED_IN])
def test_people_are_told_where_it_goes_with_a_scan(
    console: TestClient, activities: ActivitiesApi, place: dict[str, object]
) -> None:
    """In one sentence, in both languages."""
    activities.place = place
    for said, headers in zip(SAID, ({}, ENGLISH), strict=True):
        assert said in html.unescape(console.get(PLACE, headers=headers).text)


def test_where_nothing_is_scanned_there_is_none(console: TestClient, activities: ActivitiesApi) -> None:
    """Neither the mark nor the sentence: on a partner's screen, after the service, without a place."""
    answers = [console.get(CODE_PAGE), console.get("/signed-out")]
    activities.place = SETTLED
    answers.append(console.get(PLACE))
    activities.refuse("attendance/mine", "not_signed_up", status=404)
    answers.append(console.get(PLACE))

    assert [cookie_of(answer) for answer in answers] == [None] * 4
    assert not [answer for answer in answers if SAID[0] in html.unescape(answer.text)]
