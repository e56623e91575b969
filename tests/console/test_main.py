from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from services.console.home import api as home
from services.console.main import AssetsMissing, connect, create_app, require_assets
from services.console.phone import api as phone
from services.console.sessions import api as sessions
from services.console.shell.schemas import asset
from tests.console.doubles import ActivitiesApi
from tests.console.figures import SHIFT_ID
from tests.console.provider import Provider
from tests.console.signing_in import CONSOLE_URL, OURS, sign_in, sign_in_at

PLACE = f"/c/{SHIFT_ID}"
POSTS = [f"{PLACE}/check-in", f"{PLACE}/check-out", f"/shifts/{SHIFT_ID}/sign-up", "/sign-out"]


@pytest.mark.parametrize("path", [PLACE, "/", "/sign-in", "/signed-out", "/nowhere", "/livez", "/static/phone.js"])
def test_every_answer_says_what_a_page_may_do(console: TestClient, path: str) -> None:
    """Nothing inline, nothing from elsewhere, no frame around us, no copy left behind."""
    headers = console.get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_a_fault_of_ours_shows_a_page_and_no_stack_trace(activities: ActivitiesApi, provider: Provider) -> None:
    """With the same headers, and with the reference by which the logs are found."""
    activities.shift["timezone"] = "Mars/Olympus"
    with connect(activities.url) as api:
        app = create_app(api, console_url=CONSOLE_URL, sign_in=sign_in_at(provider))
        client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        sign_in(client)
        response = client.get(PLACE)

    assert response.status_code == 500
    assert "页面出错了" in response.text
    assert "Traceback" not in response.text
    assert "Mars" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["traceparent"].split("-")[1] in response.text


class TestStatic:
    @pytest.mark.parametrize(("suffix", "kept"), [("", True), ("0", False)])
    def test_is_kept_for_good_under_its_own_mark_only(self, console: TestClient, suffix: str, kept: bool) -> None:  # noqa: FBT001  A case's expectation.
        """A page loads what it needs once; an address of yesterday must not keep today's file."""
        response = console.get(asset("vendor/tabler.min.css") + suffix, headers={"accept-encoding": "gzip"})

        assert response.headers["cache-control"] == ("public, max-age=31536000, immutable" if kept else "no-cache")
        assert response.headers["content-encoding"] == "gzip"

    @pytest.mark.parametrize("path", ["/static/../main.py", "/static/%2e%2e/main.py", "/static/..%2f..%2fmain.py"])
    def test_is_that_folder_and_nothing_else(self, console: TestClient, path: str) -> None:
        """Our own code is no secret, but what lies beside it may be."""
        assert console.get(path).status_code == 404

    def test_is_required_before_the_first_request(self, tmp_path: Path) -> None:
        """A console without its looks does not start; the line says what to do."""
        (tmp_path / "assets.json").write_text("[]")

        with pytest.raises(AssetsMissing, match=r"\./popcandy fetches it once"):
            require_assets(tmp_path / "static")


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
        """Nobody is checked in, given a place or signed out by visiting a page elsewhere."""
        del console.headers["sec-fetch-site"]

        response = console.post(path, data={"code": "123456"}, headers=headers)

        assert response.status_code == 403
        assert "提交已被拒绝" in response.text
        assert "set-cookie" not in response.headers
        assert activities.seen == []

    @pytest.mark.parametrize("headers", [OURS, {"sec-fetch-site": "none"}, {"origin": "http://testserver"}])
    def test_lets_our_own_pages_post(self, console: TestClient, headers: dict[str, str]) -> None:
        """Over plain HTTP browsers send the origin only."""
        del console.headers["sec-fetch-site"]

        assert console.post(f"{PLACE}/check-in", data={"code": "123456"}, headers=headers).status_code == 303

    def test_knows_its_public_address_behind_a_gateway(self, activities: ActivitiesApi, provider: Provider) -> None:
        """The gateway may call us by another name."""
        with connect(activities.url) as api:
            app = create_app(api, console_url="https://popcandy.example/", sign_in=sign_in_at(provider))
            client = TestClient(app, follow_redirects=False)
            response = client.post("/sign-out", headers={"origin": "https://popcandy.example"})

        assert (response.status_code, response.headers["location"]) == (303, "/signed-out")


class TestOwnForm:
    @pytest.mark.parametrize("path", POSTS)
    @pytest.mark.parametrize("given", ["", "guessed", "字"])
    def test_is_required_of_every_post(
        self, console: TestClient, activities: ActivitiesApi, path: str, given: str
    ) -> None:
        """A page on a neighbouring port shares our cookies' site and could claim our origin's name."""
        del console.headers["x-csrf-token"]

        response = console.post(path, data={"code": "123456", "csrf": given})

        assert response.status_code == 403
        assert "提交已被拒绝" in response.text
        assert activities.seen == []
        assert console.get(PLACE).status_code == 200  # Still signed in.

    def test_covers_every_door_that_changes_something(self) -> None:
        """A new post route is among those above, or this fails."""
        routes = [route for router in (home.router, phone.router, sessions.router) for route in router.routes]
        doors = [route for route in routes if isinstance(route, APIRoute)]
        posts = {door.path for door in doors if (door.methods or set()) - {"GET", "HEAD"}}

        assert posts == {path.replace(SHIFT_ID, "{shift_id}") for path in POSTS}

    def test_may_come_as_a_header(self, console: TestClient) -> None:
        """Scripts send it so."""
        assert console.post(f"{PLACE}/check-in", data={"code": "123456"}).status_code == 303


def test_a_form_of_any_length_is_not_read(console: TestClient) -> None:
    """A code is short."""
    assert console.post(f"{PLACE}/check-in", data={"code": "1" * 20_000}).status_code == 413


def test_the_process_answers_without_its_apis(console: TestClient, activities: ActivitiesApi) -> None:
    """An orchestrator must not restart the console because an API is down."""
    assert console.get("/livez").json() == {"live": True}
    assert activities.seen == []
