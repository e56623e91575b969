"""Where people sign in: from the discovery document to the code."""

from typing import Any
from urllib.parse import urlencode

import pytest

from launch.oidc.clients import CONSOLE, client_id_of
from launch.oidc.provider import ACCESS_LIFE
from shared import clock
from shared.roles import PEOPLE, Role
from tests.launch.oidc.browsing import (
    CALLBACK,
    CONSOLE_URL,
    HOST,
    ISSUER,
    PAGE,
    PROGRAMME,
    Browsing,
    client_of,
    told,
    verifier_of,
)

NULS = "\0"


class TestDiscovery:
    def test_names_every_endpoint(self, browsing: Browsing) -> None:
        """Under the issuer's own URL, where clients expect it; each answers."""
        document = browsing.http.get("/oidc/.well-known/openid-configuration").json()
        endpoints = {name: url for name, url in document.items() if name.endswith(("_endpoint", "_uri"))}

        assert document["issuer"] == ISSUER
        assert set(endpoints) == {
            "authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint", "revocation_endpoint",
        }  # fmt: skip
        for url in endpoints.values():
            assert url.startswith(f"{ISSUER}/")
            assert browsing.http.get(url).status_code in {200, 400, 405}
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["response_types_supported"] == ["code"]

    def test_publishes_public_keys_alone(self, browsing: Browsing) -> None:
        """Also the one before a rotation."""
        old = browsing.provider.issuer.key
        new = browsing.provider.issuer.rotate()
        keys = browsing.http.get("/oidc/jwks").json()["keys"]

        assert [key["kid"] for key in keys] == [new.kid, old.kid]
        assert all(set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in keys)


class TestSignIn:
    @pytest.mark.parametrize("role", sorted(PEOPLE))
    def test_gives_tokens_of_the_person_who_was_chosen(self, browsing: Browsing, role: Role) -> None:
        """An access token for the APIs, and an ID token for the console; one of every role."""
        tokens = browsing.sign_in(role)
        person = next(person for person in browsing.provider.people.all() if person.role == role)
        caller = verifier_of(browsing).verify(tokens["access_token"], now=clock.now())
        header, identity = browsing.claims(tokens["id_token"])

        assert (caller.person_id, caller.programme_id) == (person.id, PROGRAMME)
        assert caller.roles == {role}
        assert caller.partner_id == person.partner_id
        assert (person.partner_id is not None) == (role == Role.PARTNER)
        assert (header["typ"], header["alg"]) == ("JWT", "ES256")
        assert (identity["iss"], identity["aud"], identity["azp"]) == (ISSUER, CONSOLE, CONSOLE)
        assert (identity["nonce"], identity["sub"]) == ("a nonce", str(person.id))
        assert (identity["name"], identity["name#en"]) == (person.name_zh, person.name_en)
        assert identity["roles"] == [role]
        assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", ACCESS_LIFE.total_seconds())

    def test_returns_what_the_client_sent_along(self, browsing: Browsing) -> None:
        """And says who answers (RFC 9207), so that no other issuer's code is mixed in."""
        answer = browsing.choose(Role.OPERATOR, state="𠮷&code=x")

        assert (answer["state"], answer["iss"]) == ("𠮷&code=x", ISSUER)
        assert "state" not in browsing.choose(Role.OPERATOR, state=...)

    def test_works_without_a_nonce(self, browsing: Browsing) -> None:
        """It is the client's own protection; PKCE is everybody's."""
        tokens = browsing.exchange(browsing.choose(Role.OPERATOR, nonce=...)["code"]).json()

        assert "nonce" not in browsing.claims(tokens["id_token"])[1]

    def test_an_id_token_is_no_access_token(self, browsing: Browsing) -> None:
        """The console may show it around; it opens nothing."""
        answer = browsing.sign_in()

        with pytest.raises(Exception, match="wrong_audience"):
            verifier_of(browsing).verify(answer["id_token"], now=clock.now())

    def test_can_be_cancelled(self, browsing: Browsing) -> None:
        """The console is told."""
        page = browsing.authorize()
        signed = page.text.partition('name="request" value="')[2].partition('"')[0]
        answer = told(browsing.http.post("/oidc/sign-in", data={"request": signed, "cancel": "1"}, headers=PAGE))

        assert (answer["error"], answer["state"]) == ("access_denied", "a state")


class TestAuthorize:
    def test_may_be_asked_by_post(self, browsing: Browsing) -> None:
        """OpenID Connect Core section 3.1.2.1."""
        assert browsing.http.post("/oidc/authorize", data=browsing.wanted()).status_code == 200

    @pytest.mark.parametrize(
        "overrides",
        [
            {"client_id": ...},
            {"client_id": "another"},
            {"client_id": client_id_of("ledger")},
            {"client_id": NULS},
            {"redirect_uri": ...},
            {"redirect_uri": f"{CALLBACK}/"},
            {"redirect_uri": f"{CALLBACK}?x=1"},
            {"redirect_uri": f"{CALLBACK}#x"},
            {"redirect_uri": CALLBACK.replace("127.0.0.1", "localhost")},
            {"redirect_uri": CALLBACK.replace("8023", "80230")},
            {"redirect_uri": f"{CONSOLE_URL}/sign-in/../sign-in/callback"},
            {"redirect_uri": CALLBACK.upper()},
            {"redirect_uri": "https://evil.test/"},
            {"redirect_uri": f"{CALLBACK}@evil.test/"},
            {"redirect_uri": "javascript:alert(1)"},
            {"redirect_uri": "//evil.test"},
        ],
        ids=str,
    )
    def test_sends_nobody_to_a_place_that_is_not_registered(
        self, browsing: Browsing, overrides: dict[str, Any]
    ) -> None:
        """Compared exactly; the person is told here (RFC 6749 section 4.1.2.1)."""
        answer = browsing.authorize(**overrides)

        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "<script" not in answer.text
        assert "evil" not in answer.text

    @pytest.mark.parametrize(
        ("overrides", "error"),
        [
            ({"response_type": ...}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"scope": ...}, "invalid_scope"),
            ({"scope": "profile"}, "invalid_scope"),
            ({"code_challenge": ...}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge": "x" * 44}, "invalid_request"),
            ({"code_challenge": "𠮷" * 43}, "invalid_request"),
            ({"code_challenge_method": ...}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"prompt": "none"}, "login_required"),
            ({"request": "x.y.z"}, "request_not_supported"),
            ({"request_uri": "https://evil.test/"}, "request_uri_not_supported"),
            ({"nonce": "x" * 3_000}, "invalid_request"),
        ],
        ids=str,
    )
    def test_tells_the_client_what_it_does_wrong(
        self, browsing: Browsing, overrides: dict[str, Any], error: str
    ) -> None:
        """In its own words, with its state."""
        answer = told(browsing.authorize(**overrides))

        assert (answer["error"], answer["state"], answer["iss"]) == (error, "a state", ISSUER)
        assert "code" not in answer

    def test_takes_no_parameter_twice(self, browsing: Browsing) -> None:
        """Two readers may read two values (RFC 6749 section 3.1)."""
        for name in ("scope", "nonce", "state", "response_type"):
            twice = urlencode([*browsing.wanted().items(), (name, "openid")])
            assert told(browsing.http.get("/oidc/authorize", params=twice))["error"] == "invalid_request"
        for name in ("client_id", "redirect_uri"):
            twice = urlencode([*browsing.wanted().items(), (name, browsing.wanted()[name])])
            assert browsing.http.get("/oidc/authorize", params=twice).status_code == 400

    def test_passes_over_what_it_does_not_know(self, browsing: Browsing) -> None:
        """OpenID Connect Core section 3.1.2.1: unknown parameters and scopes."""
        tokens = browsing.exchange(browsing.choose(Role.OPERATOR, scope="openid email x", foo="bar")["code"]).json()

        assert tokens["scope"] == "openid"


class TestPage:
    def test_is_in_the_readers_language(self, browsing: Browsing) -> None:
        """Chinese unless English is asked for; everybody is named and their roles too."""
        chinese, english = browsing.authorize(), browsing.authorize(ui_locales="fr en-GB zh")

        for person in browsing.provider.people.all():
            assert person.name_zh in chinese.text
            assert person.name_en in english.text
            assert f'value="{person.id}"' in chinese.text
        assert '<html lang="zh-CN">' in chinese.text
        assert '<html lang="en">' in english.text
        assert "Finance approver" in english.text
        answer = browsing.http.get("/oidc/authorize", params=browsing.wanted(), headers={"accept-language": "en"})
        assert '<html lang="en">' in answer.text

    def test_loads_nothing_from_elsewhere(self, browsing: Browsing) -> None:
        """And its form may lead nowhere but back to the console, framed by nobody, kept nowhere."""
        page = browsing.authorize()
        policy = page.headers["content-security-policy"]

        assert policy == (
            f"default-src 'none'; style-src 'self'; form-action 'self' {CONSOLE_URL}; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert page.headers["cache-control"] == "no-store"
        assert browsing.http.get("/oidc/pages.css").status_code == 200
        assert "<script" not in page.text
        assert "style=" not in page.text

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"request": ""},
            {"request": "x.y.z", "person": "x"},
            {"person": "x"},
            {"person": ""},
            {"person": "01800000-0000-7000-8000-0000000000ff"},
            {"person": NULS},
            {"person": "𠮷"},
        ],
        ids=str,
    )
    def test_signs_in_nobody_who_is_not_on_it(self, browsing: Browsing, form: dict[str, str]) -> None:
        """Whatever is posted: a page says so, in words."""
        signed = browsing.authorize().text.partition('name="request" value="')[2].partition('"')[0]
        answer = browsing.http.post("/oidc/sign-in", data={"request": signed} | form, headers=PAGE)

        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("text/html")

    def test_carries_its_own_request(self, browsing: Browsing) -> None:
        """What was not asked for at the authorization endpoint cannot be posted."""
        forged = browsing.provider._signatures.sign(browsing.wanted(), purpose="cursor")  # noqa: SLF001  A signature of ours for something else.
        person = str(browsing.provider.people.all()[0].id)
        answer = browsing.http.post("/oidc/sign-in", data={"request": forged, "person": person}, headers=PAGE)

        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "headers",
        [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.test"}, {"origin": "null"}],
        ids=str,
    )
    def test_is_posted_by_itself_alone(self, browsing: Browsing, headers: dict[str, str]) -> None:
        """Another site's page signs nobody in as somebody else (login CSRF)."""
        signed = browsing.authorize().text.partition('name="request" value="')[2].partition('"')[0]
        form = {"request": signed, "person": str(browsing.provider.people.all()[0].id)}
        answer = browsing.http.post("/oidc/sign-in", data=form, headers=headers)

        assert (answer.status_code, "location" in answer.headers) == (400, False)


class TestThisMachine:
    @pytest.mark.parametrize("path", [".well-known/openid-configuration", "jwks", "authorize", "pages.css"])
    @pytest.mark.parametrize(
        ("host", "headers"),
        [
            ("10.0.0.7", {}),
            ("testclient", {}),
            ("127.0.0.1", {"host": "evil.test"}),
            ("127.0.0.1", {"host": "evil.test:8022"}),
            ("127.0.0.1", {"host": "127.0.0.1:80"}),
            ("127.0.0.1", {"x-forwarded-for": "10.0.0.7"}),
            ("127.0.0.1", {"forwarded": "for=10.0.0.7"}),
        ],
        ids=str,
    )
    def test_is_the_only_one(self, browsing: Browsing, host: str, headers: dict[str, str], path: str) -> None:
        """There is no password: not from the network, not by another name (DNS rebinding), not through a proxy."""
        answer = client_of(browsing.provider, host=host).get(f"/oidc/{path}", headers=headers)

        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"

    def test_may_call_itself_localhost(self, browsing: Browsing) -> None:
        """As people do."""
        http = client_of(browsing.provider, base_url="http://localhost:8022")

        assert http.get("/oidc/jwks").status_code == 200
        assert HOST in ISSUER

    @pytest.mark.parametrize(
        "path", ["", "/", "/nothing", "/templates/pages.css", "/../launch/cli.py", "/%2e%2e/cli.py", "/%00"]
    )
    def test_shows_nothing_else(self, browsing: Browsing, path: str) -> None:
        """What is not there is not there."""
        assert browsing.http.get(f"/oidc{path}").status_code == 404
