import pytest
from starlette.testclient import TestClient

from services.console.main import connect, create_app
from tests.console.conftest import OURS
from tests.console.doubles import SHIFT_ID, ActivitiesApi, make_token

PLACE = f"/c/{SHIFT_ID}"
POSTS = [f"{PLACE}/check-in", f"{PLACE}/check-out", "/sign-in", "/sign-out"]


@pytest.mark.parametrize("path", [PLACE, "/sign-in", "/nowhere", "/livez", "/static/phone.js"])
def test_every_answer_says_what_a_page_may_do(console: TestClient, path: str) -> None:
    """Nothing inline, nothing from elsewhere, no frame around us, no copy left behind."""
    headers = console.get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_a_fault_of_ours_shows_a_page_and_no_stack_trace(activities: ActivitiesApi) -> None:
    """With the same headers, and with the reference by which the logs are found."""
    activities.shift["timezone"] = "Mars/Olympus"
    with connect(activities.url) as api:
        app = create_app(api, console_url="http://testserver")
        client = TestClient(app, raise_server_exceptions=False, cookies={"popcandy_token": make_token()})
        response = client.get(PLACE)

    assert response.status_code == 500
    assert "页面出错了" in response.text
    assert "Traceback" not in response.text
    assert "Mars" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["traceparent"].split("-")[1] in response.text


class TestSameSite:
    @pytest.mark.parametrize("path", POSTS)
    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "cross-site", "origin": "http://testserver"},
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {},
        ],
    )
    def test_refuses_what_another_sites_page_posts(
        self, console: TestClient, activities: ActivitiesApi, path: str, headers: dict[str, str]
    ) -> None:
        """Nobody is checked in, signed in as somebody else or signed out by visiting a page elsewhere."""
        del console.headers["sec-fetch-site"]

        response = console.post(path, data={"code": "123456", "token": make_token()}, headers=headers)

        assert response.status_code == 403
        assert "提交已被拒绝" in response.text
        assert "set-cookie" not in response.headers
        assert activities.seen == []

    @pytest.mark.parametrize("headers", [OURS, {"sec-fetch-site": "none"}, {"origin": "http://testserver"}])
    def test_lets_our_own_pages_post(self, console: TestClient, headers: dict[str, str]) -> None:
        """Over plain HTTP browsers send the origin only."""
        del console.headers["sec-fetch-site"]

        assert console.post(f"{PLACE}/check-in", data={"code": "123456"}, headers=headers).status_code == 303

    def test_knows_its_public_address_behind_a_gateway(self, activities: ActivitiesApi) -> None:
        """The gateway may call us by another name; the cookies are then for HTTPS only."""
        with connect(activities.url) as api:
            client = TestClient(create_app(api, console_url="https://popcandy.example/"), follow_redirects=False)
            response = client.post(
                "/sign-in", data={"token": make_token()}, headers={"origin": "https://popcandy.example"}
            )

        assert response.status_code == 303
        assert "secure" in response.headers["set-cookie"].lower()


def test_a_form_of_any_length_is_not_read(console: TestClient) -> None:
    """A token and a code are short."""
    assert console.post("/sign-in", data={"token": "a" * 20_000}).status_code == 413


def test_the_process_answers_without_its_apis(console: TestClient, activities: ActivitiesApi) -> None:
    """An orchestrator must not restart the console because an API is down."""
    assert console.get("/livez").json() == {"live": True}
    assert activities.seen == []
