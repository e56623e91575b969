"""From the first page to a session, at a real issuer; what is refused on the way."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.testclient import TestClient
from werkzeug import Response

from services.console.main import connect, create_app
from shared import clock
from tests.console.doubles import ActivitiesApi
from tests.console.provider import CLIENT_ID, Claims, Provider
from tests.console.signing_in import (
    CONSOLE_URL,
    OURS,
    PLACE,
    csrf_of,
    desk_of,
    is_signed_in,
    later,
    sign_in,
    sign_in_at,
    start,
    words,
)

ELSEWHERE = ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]


def signed_by_secret(claims: Claims, secret: str) -> str:
    """Sign as if a public key were a shared secret (CVE-2015-9235)."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims))
    head = b".".join(parts)
    signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), head, "sha256")).rstrip(b"=")
    return (head + b"." + signature).decode()


class TestSignIn:
    def test_asks_the_issuer_for_a_code_that_only_we_can_use(self, stranger: TestClient, provider: Provider) -> None:
        """PKCE with S256, a state and a nonce that are new each time, and one exact way back."""
        asked = [parse_qs(urlsplit(stranger.get("/sign-in").headers["location"]).query) for _ in range(2)]

        first, second = asked
        assert first["redirect_uri"] == [f"{CONSOLE_URL}/sign-in/callback"]
        assert (first["response_type"], first["code_challenge_method"]) == (["code"], ["S256"])
        assert first["client_id"] == [CLIENT_ID]
        for name in ("state", "nonce", "code_challenge"):
            assert first[name] != second[name]
            assert len(first[name][0]) >= 43
        assert provider.renewals == 0

    @pytest.mark.parametrize("path", ["/", f"{PLACE}?code=123456"])
    def test_comes_back_to_where_it_was_asked_for(self, stranger: TestClient, path: str) -> None:
        """The scanned code is still in the address."""
        response = sign_in(stranger, path)

        assert (response.status_code, response.headers["location"]) == (303, path)
        assert is_signed_in(stranger)

    @pytest.mark.parametrize("path", ELSEWHERE)
    def test_leads_to_no_other_site(self, stranger: TestClient, path: str) -> None:
        """An open redirect would lend our name to any site."""
        assert sign_in(stranger, path).headers["location"] == "/"

    def test_keeps_every_token_from_scripts_and_people(self, stranger: TestClient) -> None:
        """What is in the browser is sealed: it names nobody and is no bearer token."""
        (cookie,) = [
            value for value in sign_in(stranger).headers.get_list("set-cookie") if value.startswith("popcandy_session=")
        ]

        assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        assert "refresh-" not in cookie
        assert "eyJ" not in cookie
        assert len(cookie) < 4_096

    def test_binds_its_cookies_to_https_and_this_host(self, activities: ActivitiesApi, provider: Provider) -> None:
        """A neighbour under the same domain can neither read nor plant them."""
        with connect(activities.url) as api:
            app = create_app(api, console_url="https://p.example", sign_in=sign_in_at(provider))
            client = TestClient(app, base_url="https://p.example", follow_redirects=False)
            begun = client.get("/sign-in").headers.get_list("set-cookie")
            done = sign_in(client).headers.get_list("set-cookie")

            assert is_signed_in(client)
        for cookie in (*begun, *done):
            assert cookie.startswith("__Host-popcandy_")
            assert {"Secure", "Path=/"} <= set(cookie.split("; "))

    def test_shows_who_is_there(self, stranger: TestClient, provider: Provider) -> None:
        """By the name in the page's language, and never as markup."""
        provider.person |= {"name": "<b>甲</b>", "name#en": "A & B", "roles": []}
        sign_in(stranger)

        assert "&lt;b&gt;甲&lt;/b&gt;，您好" in stranger.get("/").text
        assert "Hello, A &amp; B" in stranger.get("/?lang=en").text

    def test_works_in_two_tabs(self, stranger: TestClient) -> None:
        """Whichever comes back first, the other is not thrown out."""
        first, second = start(stranger, "/c/first"), start(stranger, "/c/second")

        assert stranger.get(second).headers["location"] == "/c/second"
        assert stranger.get(first).headers["location"] == "/c/first"

    def test_forgets_the_oldest_of_many_tabs(self, stranger: TestClient) -> None:
        """Browsers send every cookie with every request."""
        for _ in range(9):
            stranger.get("/sign-in")

        assert len([name for name in stranger.cookies if name.startswith("popcandy_sign_in_")]) == 5

    def test_replaces_whoever_was_there_before(self, console: TestClient, provider: Provider) -> None:
        """The next person gets a session and form tokens of their own."""
        before, token = console.cookies["popcandy_session"], csrf_of(console)
        provider.person |= {"sub": "somebody else", "name": "乙"}

        sign_in(console)

        assert console.cookies["popcandy_session"] != before
        assert csrf_of(console) != token

    def test_does_as_well_without_a_secret(self, activities: ActivitiesApi, provider: Provider) -> None:
        """A public client has PKCE alone; one whose issuer takes no header posts its secret."""
        for secret, methods in ((None, ["none"]), ("a secret: with a colon & more", ["client_secret_post"])):
            provider.metadata["token_endpoint_auth_methods_supported"] = methods
            with connect(activities.url) as api:
                app = create_app(api, console_url=CONSOLE_URL, sign_in=sign_in_at(provider, secret=secret))
                client = TestClient(app, headers=OURS, follow_redirects=False)
                sign_in(client)
                assert is_signed_in(client)


class TestCallback:
    def refused(self, client: TestClient, address: str, text: str) -> None:
        response = client.get(address)
        assert response.status_code == 400
        assert text in words(response)
        assert 'href="/sign-in"' in response.text
        assert "popcandy_session" not in response.headers.get("set-cookie", "")
        assert not is_signed_in(client)

    def test_is_of_no_use_in_another_browser(self, stranger: TestClient) -> None:
        """Nobody is signed in as somebody else by following a link (login CSRF)."""
        address = start(stranger)
        stranger.cookies.clear()

        self.refused(stranger, address, "这次登录已失效")

    def test_is_of_no_use_with_another_state(self, stranger: TestClient) -> None:
        """Even where a sign-in was begun."""
        address = start(stranger)

        self.refused(stranger, address.replace("state=", "state=x"), "这次登录已失效")

    def test_is_of_no_use_after_ten_minutes(self, stranger: TestClient) -> None:
        """A browser may keep a cookie for longer than it was told."""
        address = start(stranger)
        later(600)

        self.refused(stranger, address, "这次登录已失效")

    def test_works_once(self, stranger: TestClient) -> None:
        """Once signed in a reload is harmless; what was signed out stays out."""
        address = start(stranger, "/c/first")
        stranger.get(address)
        assert stranger.get(address).headers["location"] == "/"

        stranger.post("/sign-out", data={"csrf": csrf_of(stranger)})

        self.refused(stranger, address, "这次登录已失效")

    def test_is_of_no_use_when_the_code_was_used_by_another(self, stranger: TestClient) -> None:
        """The issuer knows it."""
        address, other = start(stranger), start(stranger)
        used, ours = (parse_qs(urlsplit(each).query)["code"][0] for each in (other, address))
        stranger.get(other)
        stranger.cookies.delete("popcandy_session")

        self.refused(stranger, address.replace(f"code={ours}", f"code={used}"), "这次登录已失效")

    def test_of_a_person_who_cancelled_says_so(self, stranger: TestClient, provider: Provider) -> None:
        """It is no fault."""
        provider.answer = lambda back: {"error": "access_denied", "state": back["state"], "iss": back["iss"]}

        self.refused(stranger, start(stranger), "登录已取消")

    @pytest.mark.parametrize(
        "answer",
        [
            lambda back: {**back, "iss": "https://evil.example"},
            lambda back: {"code": back["code"], "state": back["state"]},
            lambda back: {"state": back["state"], "iss": back["iss"]},
            lambda back: {"error": "server_error", "state": back["state"], "iss": back["iss"]},
            lambda back: {"error": "<script>", "state": back["state"], "iss": back["iss"]},
        ],
    )
    def test_of_another_issuer_or_an_error_is_refused(
        self, stranger: TestClient, provider: Provider, answer: Callable[[Claims], Claims]
    ) -> None:
        """An answer mixed up between issuers (RFC 9207), one without a code, one that reports an error."""
        provider.answer = answer

        self.refused(stranger, start(stranger), "登录未完成")

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda claims: {**claims, "nonce": "another"},
            lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
            lambda claims: {**claims, "aud": "another-client"},
            lambda claims: {**claims, "aud": [CLIENT_ID, "another-client"]},
            lambda claims: {**claims, "azp": "another-client"},
            lambda claims: {**claims, "iss": "https://evil.example"},
            lambda claims: {**claims, "exp": claims["iat"] - 3_600},
            lambda claims: {name: value for name, value in claims.items() if name != "exp"},
            lambda claims: {name: value for name, value in claims.items() if name != "sub"},
        ],
    )
    def test_believes_no_id_token_that_was_made_for_something_else(
        self, stranger: TestClient, provider: Provider, spoil: Callable[[Claims], Claims]
    ) -> None:
        """Another attempt, another client, another issuer, another day."""
        provider.spoil = spoil

        self.refused(stranger, start(stranger), "登录未完成")

    @pytest.mark.parametrize("forge", ["unsigned", "public_key_as_secret", "another_key", "none"])
    def test_believes_no_id_token_that_the_issuer_did_not_sign(
        self, stranger: TestClient, provider: Provider, forge: str
    ) -> None:
        """Whoever sits between us and the issuer must not choose who is signed in."""
        address = start(stranger)
        nonce = parse_qs(urlsplit(provider.seen[-1].url).query)["nonce"][0]
        now = int(clock.now().timestamp())
        claims = {"iss": provider.url, "aud": CLIENT_ID, "sub": "x", "iat": now, "exp": now + 300, "nonce": nonce}
        other = ECKey.generate_key("P-256", private=True)
        provider.tokens["id_token"] = {
            "unsigned": f"{provider.sign(claims).rpartition('.')[0]}.",
            "public_key_as_secret": signed_by_secret(claims, json.dumps(provider.key.as_dict(private=False))),
            "another_key": jwt.encode({"alg": "ES256", "kid": str(provider.key.kid)}, claims, other),
            "none": None,
        }[forge]

        self.refused(stranger, address, "登录未完成")

    def test_knows_a_key_that_the_issuer_has_just_made(self, console: TestClient, provider: Provider) -> None:
        """Keys are rotated while we run."""
        desk_of(console).issuer._keys._least_seconds = 0.0  # noqa: SLF001  Else the test waits ten seconds.
        provider.key = ECKey.generate_key("P-256", private=True, auto_kid=True)

        sign_in(console)

        assert is_signed_in(console)


class TestIssuer:
    @pytest.mark.parametrize(
        "metadata",
        [
            {"issuer": "https://evil.example"},
            {"token_endpoint": None},
            {"token_endpoint": "http://evil.example/token"[4:]},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"code_challenge_methods_supported": ["plain"]},
        ],
    )
    def test_that_cannot_be_trusted_signs_nobody_in(
        self, stranger: TestClient, provider: Provider, metadata: Claims
    ) -> None:
        """A page says so; nothing is sent to such an address."""
        provider.metadata = metadata

        response = stranger.get("/sign-in")

        assert response.status_code == 502
        assert "登录服务暂时连不上" in words(response)

    @pytest.mark.parametrize("broken", [Response("", 503), Response("<html>", 200), Response("[]", 200)])
    def test_that_is_away_is_a_page_and_then_works_again(
        self, stranger: TestClient, provider: Provider, broken: Response
    ) -> None:
        """Nobody has to restart the console for it."""
        provider.broken = broken
        assert stranger.get("/sign-in").status_code == 502

        provider.broken = None
        sign_in(stranger)

        assert is_signed_in(stranger)

    def test_that_goes_away_in_the_middle_is_a_page(self, stranger: TestClient, provider: Provider) -> None:
        """The code is lost, and the reader tries again."""
        address = start(stranger)
        provider.broken = Response("", 500)

        response = stranger.get(address)

        assert response.status_code == 502
        assert "登录服务暂时连不上" in words(response)

    def test_whose_tokens_fit_into_several_cookies_is_served(self, stranger: TestClient, provider: Provider) -> None:
        """Other issuers' tokens are long; a browser keeps 4,096 bytes a cookie."""
        provider.tokens |= {"access_token": secrets.token_urlsafe(3_000), "refresh_token": secrets.token_urlsafe(2_000)}

        cookies = sign_in(stranger).headers.get_list("set-cookie")

        assert max(map(len, cookies)) < 4_096
        assert len([cookie for cookie in cookies if cookie.startswith("popcandy_session")]) > 1
        assert is_signed_in(stranger)

        provider.tokens.clear()  # A shorter session leaves none of the longer one's pieces behind.
        sign_in(stranger)

        assert [name for name in stranger.cookies if name.startswith("popcandy_session")] == ["popcandy_session"]
        assert is_signed_in(stranger)

    def test_whose_tokens_fit_into_no_browser_is_a_page(self, stranger: TestClient, provider: Provider) -> None:
        """Rather than a session that is cut off somewhere."""
        provider.tokens["access_token"] = secrets.token_urlsafe(20_000)

        response = sign_in(stranger)

        assert (response.status_code, "登录信息过大" in words(response)) == (502, True)
        assert not is_signed_in(stranger)
