"""A session: how it goes on, and how it ends."""

import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from starlette.testclient import TestClient
from werkzeug import Response

from services.console.main import connect, create_app
from shared import clock
from tests.console.doubles import ActivitiesApi
from tests.console.provider import CLIENT_ID, Provider
from tests.console.signing_in import CONSOLE_URL, PLACE, desk_of, is_signed_in, later, sign_in, sign_in_at, words
from tests.web_options import SECRET


class TestStaying:
    def test_passes_the_token_on_and_renews_it_before_it_expires(
        self, console: TestClient, activities: ActivitiesApi, provider: Provider
    ) -> None:
        """A shift is longer than a token lives."""
        console.get(PLACE)
        later(provider.life.total_seconds() - 59)
        console.get(PLACE)
        console.get(PLACE)

        tokens = [seen.headers["authorization"] for seen in activities.seen[::2]]
        assert tokens[0] != tokens[1] == tokens[2]
        assert provider.renewals == 1

    def test_renews_once_for_many_tabs(self, console: TestClient, provider: Provider) -> None:
        """A refresh token that is used twice would end the session."""
        later(provider.life.total_seconds())
        old = dict(console.cookies)
        answers: list[int] = []

        def look() -> None:
            tab = TestClient(console.app, cookies=old, follow_redirects=False)
            answers.append(tab.get(PLACE).status_code)

        threads = [threading.Thread(target=look) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert answers == [200] * 6
        assert provider.renewals == 1
        assert TestClient(console.app, cookies=old, follow_redirects=False).get(PLACE).status_code == 200

    def test_goes_on_while_the_issuer_is_away_and_the_token_good(self, console: TestClient, provider: Provider) -> None:
        """Nobody is thrown out a minute early."""
        later(provider.life.total_seconds() - 30)
        provider.broken = Response("", 503)
        assert is_signed_in(console)

        later(31)

        response = console.get(PLACE)
        assert response.status_code == 502
        assert "登录服务暂时连不上" in words(response)

        provider.broken = None
        assert is_signed_in(console)

    def test_ends_when_the_issuer_says_so(self, console: TestClient, provider: Provider) -> None:
        """Somebody who left the company is out when the token expires, and not in a loop."""
        later(provider.life.total_seconds())
        provider.before_renewal = provider.end

        assert console.get(PLACE).headers["location"] == f"/sign-in?next={quote(PLACE, safe='')}"

    def test_ends_after_twelve_hours(self, console: TestClient, provider: Provider) -> None:
        """However often it was renewed."""
        for _ in range(52):
            later(14 * 60 + 1)
            console.get(PLACE)

        assert provider.renewals > 40
        assert console.get(PLACE).status_code == 303

    def test_without_a_refresh_token_ends_with_the_token(self, stranger: TestClient, provider: Provider) -> None:
        """Not every issuer gives one."""
        provider.tokens["refresh_token"] = None
        before = clock.now()
        sign_in(stranger)
        after = clock.now()
        clock.travel(before + provider.life - timedelta(seconds=1))
        assert is_signed_in(stranger)

        clock.travel(after + provider.life)

        assert stranger.get(PLACE).status_code == 303

    def test_takes_over_new_roles(self, console: TestClient, provider: Provider) -> None:
        """With the next token, not with the next sign-in."""
        provider.person["roles"] = []
        later(provider.life.total_seconds())

        assert "您的账户还没有角色" in words(console.get("/"))

    def test_is_not_asked_for_in_a_loop(self, console: TestClient, activities: ActivitiesApi) -> None:
        """An API that refuses a session of this minute would refuse the next one too."""
        activities.refuse("shift", "not_authenticated", status=401)
        now = console.get(PLACE)

        later(60)

        assert (now.status_code, "系统不接受这次登录" in words(now)) == (403, True)
        assert console.get(PLACE).headers["location"] == f"/sign-in?next={quote(PLACE, safe='')}"

    @pytest.mark.parametrize(
        "change",
        [
            lambda value: value[:-4],
            lambda value: f"{value[:20]}{chr(ord(value[20]) ^ 1)}{value[21:]}",
            lambda _: "1.x",
            lambda _: "",
        ],
    )
    def test_needs_a_cookie_of_our_making(
        self, console: TestClient, activities: ActivitiesApi, change: Callable[[str], str]
    ) -> None:
        """Whatever a browser sends in its place reaches no API."""
        cookie = f"popcandy_session={change(console.cookies['popcandy_session'])}"
        console.cookies.clear()

        response = console.get(PLACE, headers=[(b"cookie", cookie.encode("latin-1"))])

        assert response.status_code == 303
        assert activities.seen == []

    def test_outlives_a_change_of_keys(
        self, console: TestClient, activities: ActivitiesApi, provider: Provider
    ) -> None:
        """The newest key seals, the older ones still open; a key that is gone opens nothing."""
        new = "another-secret-of-forty-characters-or-so"
        for keys, status in (((new, SECRET), 200), ((new,), 303)):
            with connect(activities.url) as api:
                app = create_app(api, console_url=CONSOLE_URL, sign_in=sign_in_at(provider, keys=keys))
                client = TestClient(app, cookies=dict(console.cookies), follow_redirects=False)
                assert client.get(PLACE).status_code == status


class TestSignOut:
    def test_ends_the_session_here_and_at_the_issuer(self, console: TestClient, provider: Provider) -> None:
        """A shared phone forgets its last user, and the issuer does not sign them in again by itself."""
        copied = dict(console.cookies)

        response = console.post("/sign-out")

        asked = urlsplit(response.headers["location"])
        query = parse_qs(asked.query)
        assert f"{asked.scheme}://{asked.netloc}{asked.path}" == f"{provider.url}/end-session"
        assert query["post_logout_redirect_uri"] == [f"{CONSOLE_URL}/signed-out"]
        assert query["client_id"] == [CLIENT_ID]
        assert "id_token_hint" in query
        assert len(provider.revoked) == 1
        assert provider.revoked[0].startswith("refresh-")
        assert "popcandy_session" not in console.cookies
        assert not is_signed_in(console)
        assert TestClient(console.app, cookies=copied, follow_redirects=False).get(PLACE).status_code == 303

    def test_works_while_the_issuer_is_away(self, console: TestClient, provider: Provider) -> None:
        """Here it is over all the same."""
        provider.broken = Response("", 503)

        response = console.post("/sign-out")

        assert (response.status_code, response.headers["location"]) == (303, "/signed-out")
        assert not is_signed_in(console)

    def test_of_nobody_is_no_error(self, stranger: TestClient) -> None:
        """An old tab has an old button."""
        assert stranger.post("/sign-out").headers["location"] == "/signed-out"

    def test_is_not_undone_by_another_tabs_late_answer(self, console: TestClient, provider: Provider) -> None:
        """One tab renews while the other signs out: the renewed cookies must not come back."""
        later(provider.life.total_seconds())
        old = dict(console.cookies)
        desk = desk_of(console)
        ended = threading.Event()

        def sign_out_meanwhile() -> None:
            session = desk.cookies.read_session(old)
            assert session is not None
            desk.renewals.forget(session)  # As the other tab's request does; the double's server has one thread.
            ended.set()

        provider.before_renewal = sign_out_meanwhile
        response = console.get(PLACE)

        assert ended.is_set()
        assert "popcandy_session=" not in response.headers.get("set-cookie", "")

    def test_says_that_it_is_done(self, stranger: TestClient) -> None:
        """And offers the way back."""
        page = stranger.get("/signed-out")

        assert "您已退出登录" in words(page)
        assert 'href="/sign-in"' in page.text
