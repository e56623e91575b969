"""Signing in at the embedded provider, as a browser and the console's server do it together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from launch.oidc.app import MOST_FORM_BYTES
from launch.oidc.clients import CONSOLE, client_id_of
from launch.oidc.provider import ACCESS_LIFE
from shared import clock
from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.roles import PEOPLE, Role
from tests.launch.oidc.browsing import (
    CALLBACK,
    CONSOLE_URL,
    HOST,
    ISSUER,
    PAGE,
    PROGRAMME,
    Browsing,
    challenge_of,
    client_of,
    make_provider,
    told,
)

NULS = "\0"


def verifier_of(browsing: Browsing) -> TokenVerifier:
    store = KeyStore(lambda: browsing.http.get("/oidc/jwks").json())
    store.refresh()
    return TokenVerifier(store, issuer=ISSUER, audience="popcandy")


def error_of(answer: Any, status: int = 400) -> str:
    """Read what the token endpoint says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"].isascii()
    return str(answer.json()["error"])


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


class TestCode:
    def test_is_good_once(self, browsing: Browsing) -> None:
        """A second use ends what the first has begun (RFC 6749 section 4.1.2): somebody has seen the code."""
        code = browsing.choose(Role.OPERATOR)["code"]
        tokens = browsing.exchange(code).json()

        assert error_of(browsing.exchange(code)) == "invalid_grant"
        assert error_of(browsing.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_is_good_once_of_many_at_the_same_time(self, browsing: Browsing) -> None:
        """One wins at most, and keeps nothing of it."""
        code = browsing.choose(Role.OPERATOR)["code"]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: browsing.exchange(code), range(8)))
        winners = [answer for answer in answers if answer.status_code == 200]

        assert len(winners) == 1
        assert error_of(browsing.refresh(winners[0].json()["refresh_token"])) == "invalid_grant"

    def test_is_good_for_a_minute(self, browsing: Browsing) -> None:
        """Codes stand in the histories of browsers."""
        early, late = browsing.choose(Role.OPERATOR)["code"], browsing.choose(Role.OPERATOR)["code"]
        now = clock.now()
        clock.travel(now + timedelta(seconds=55))
        assert browsing.exchange(early).status_code == 200

        clock.travel(now + timedelta(seconds=61))
        assert error_of(browsing.exchange(late)) == "invalid_grant"

    @pytest.mark.parametrize(
        "overrides",
        [
            {"code_verifier": "x" * 43},
            {"code_verifier": "𠮷" * 43},
            {"redirect_uri": f"{CONSOLE_URL}/"},
            {"code": "x"},
            {"code": NULS},
        ],
        ids=str,
    )
    def test_is_for_whoever_asked_for_it(self, browsing: Browsing, overrides: dict[str, Any]) -> None:
        """With the verifier of the challenge (PKCE) and the same way back; a wrong try uses it up."""
        code = browsing.choose(Role.OPERATOR)["code"]

        assert error_of(browsing.exchange(code, **overrides)) == "invalid_grant"
        if "code" not in overrides:
            assert error_of(browsing.exchange(code)) == "invalid_grant"

    @pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier", "grant_type"])
    def test_needs_everything(self, browsing: Browsing, missing: str) -> None:
        """What is missing is said, and uses nothing up."""
        code = browsing.choose(Role.OPERATOR)["code"]

        assert error_of(browsing.exchange(code, **{missing: ...})) == "invalid_request"
        assert error_of(browsing.exchange(code, **{missing: ""})) == "invalid_request"
        assert browsing.exchange(code).status_code == 200

    def test_of_another_request_does_not_fit(self, browsing: Browsing) -> None:
        """A code that was slipped in belongs to another challenge."""
        theirs = browsing.choose(Role.OPERATOR, code_challenge=challenge_of("y" * 43))["code"]

        assert error_of(browsing.exchange(theirs)) == "invalid_grant"


class TestClients:
    @pytest.mark.parametrize(
        "auth",
        [("popcandy-console", "wrong"), ("popcandy-console", ""), ("nobody", "x"), ("", ""), ("𠮷", "𠮷")],
    )
    def test_show_their_secret(self, browsing: Browsing, auth: tuple[str, str]) -> None:
        """In the header; whoever does not gets nothing, and the code stays good."""
        code = browsing.choose(Role.OPERATOR)["code"]
        form = {"grant_type": "authorization_code", "code": code}
        answer = browsing.http.post("/oidc/token", data=form, auth=(auth[0].encode(), auth[1].encode()))

        assert error_of(answer, 401) == "invalid_client"
        assert answer.headers["www-authenticate"] == "Basic"
        assert browsing.exchange(code).status_code == 200

    @pytest.mark.parametrize("header", ["Basic !", "Basic", "Bearer x", "Basic 8J+YgA==", "Basic /w=="])
    def test_show_it_in_a_form_that_can_be_read(self, browsing: Browsing, header: str) -> None:
        """Or they are nobody."""
        answer = browsing.http.post(
            "/oidc/token", data={"grant_type": "client_credentials"}, headers={"authorization": header}
        )

        assert error_of(answer, 401) == "invalid_client"

    def test_show_it_in_the_form_or_in_the_header(self, browsing: Browsing) -> None:
        """In one of them (RFC 6749 section 2.3), and as the same client."""
        shown = {"client_id": CONSOLE, "client_secret": browsing.secret}
        form = {"grant_type": "client_credentials"}

        assert browsing.http.post("/oidc/token", data=form | shown).status_code == 200
        assert error_of(browsing.http.post("/oidc/token", data=form), 401) == "invalid_client"
        both = browsing.http.post("/oidc/token", data=form | shown, auth=(CONSOLE, browsing.secret))
        assert error_of(both) == "invalid_request"
        assert error_of(browsing.token(**form, client_id="popcandy-ledger")) == "invalid_request"

    def test_do_what_they_are_registered_for(self, browsing: Browsing) -> None:
        """A service asks for its own tokens, and for nobody else's."""
        ledger = browsing.provider.clients[client_id_of("ledger")]
        code = browsing.choose(Role.ADMIN)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        answer = browsing.http.post(
            "/oidc/token", data=form | {"code_verifier": browsing.verifier}, auth=(ledger.id, ledger.secret)
        )

        assert error_of(answer) == "unauthorized_client"
        assert error_of(browsing.token(grant_type="password", username="x", password="y")) == "unsupported_grant_type"

    def test_have_secrets_of_their_own(self, browsing: Browsing, tmp_path: Path) -> None:
        """The same after a restart, others in another folder, none in a file."""
        secrets = {client.id: client.secret for client in browsing.provider.clients.values()}

        assert len(set(secrets.values())) == len(secrets) == 3
        assert {client.id: client.secret for client in make_provider(tmp_path).clients.values()} == secrets
        assert make_provider(tmp_path / "other").clients[CONSOLE].secret != browsing.secret

    def test_get_tokens_for_themselves(self, browsing: Browsing) -> None:
        """Of a service, for minutes, without a person, a programme, an ID token or a refresh token."""
        answer = browsing.token(grant_type="client_credentials").json()
        caller = verifier_of(browsing).verify(answer["access_token"], now=clock.now(), programme_id=PROGRAMME)

        assert set(answer) == {"access_token", "token_type", "expires_in"}
        assert answer["expires_in"] == 300
        assert (caller.service, set(caller.roles)) == (CONSOLE, {Role.SERVICE})
        assert error_of(browsing.token(grant_type="client_credentials", scope="admin")) == "invalid_scope"

    @pytest.mark.parametrize(
        ("content", "kind"),
        [(b'{"grant_type": "client_credentials"}', "application/json"), (b"", ""), (b"\xff\xfe", "text/plain")],
    )
    def test_send_forms(self, browsing: Browsing, content: bytes, kind: str) -> None:
        """RFC 6749 section 3.2; parameters of the address are not looked at, and none comes twice."""
        auth = (CONSOLE, browsing.secret)
        answer = browsing.http.post("/oidc/token", content=content, headers={"content-type": kind}, auth=auth)
        assert error_of(answer) == "invalid_request"

        answer = browsing.http.post(
            "/oidc/token", params={"grant_type": "client_credentials"}, data={"x": "y"}, auth=auth
        )
        assert error_of(answer) == "invalid_request"
        twice = b"grant_type=client_credentials&grant_type=client_credentials"
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert error_of(browsing.http.post("/oidc/token", content=twice, headers=form, auth=auth)) == "invalid_request"

    def test_send_short_ones(self, browsing: Browsing) -> None:
        """A large body is refused before it is read."""
        answer = browsing.http.post("/oidc/token", content=b"x" * (MOST_FORM_BYTES + 1))

        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


class TestRefresh:
    def test_goes_on_with_new_tokens(self, browsing: Browsing) -> None:
        """Of the same person and session; each refresh token is good once."""
        first = browsing.sign_in(Role.PARTNER)
        clock.travel(clock.now() + timedelta(hours=1))
        second = browsing.refresh(first["refresh_token"]).json()
        before, after = (browsing.claims(tokens["id_token"])[1] for tokens in (first, second))

        assert second["refresh_token"] != first["refresh_token"]
        assert {name: before[name] for name in ("sub", "sid", "auth_time", "partner_id", "aud")} == {
            name: after[name] for name in ("sub", "sid", "auth_time", "partner_id", "aud")
        }
        assert after["exp"] > before["exp"]
        assert verifier_of(browsing).verify(second["access_token"], now=clock.now()).roles == {Role.PARTNER}

    def test_with_a_token_that_was_used_ends_the_session(self, browsing: Browsing) -> None:
        """Two hold it, and one of them is a thief: nobody goes on (RFC 9700 section 4.14.2)."""
        first = browsing.sign_in()
        second = browsing.refresh(first["refresh_token"]).json()

        assert error_of(browsing.refresh(first["refresh_token"])) == "invalid_grant"
        assert error_of(browsing.refresh(second["refresh_token"])) == "invalid_grant"

    def test_at_once_from_two_tabs_ends_the_session(self, browsing: Browsing) -> None:
        """So the console asks one at a time."""
        token = browsing.sign_in()["refresh_token"]
        with ThreadPoolExecutor(6) as pool:
            answers = [answer.status_code for answer in pool.map(lambda _: browsing.refresh(token), range(6))]

        assert sorted(answers) == [200] + [400] * 5

    def test_outlives_a_restart(self, browsing: Browsing, tmp_path: Path) -> None:
        """Nobody signs in again because the platform was started again; what was used stays used."""
        first = browsing.sign_in()
        second = browsing.refresh(first["refresh_token"]).json()
        provider = make_provider(tmp_path)
        again = Browsing(provider, client_of(provider))

        assert again.refresh(second["refresh_token"]).status_code == 200
        assert error_of(again.refresh(second["refresh_token"])) == "invalid_grant"

    def test_ends_after_half_a_day(self, browsing: Browsing) -> None:
        """However often it went on."""
        now, token = clock.now(), browsing.sign_in()["refresh_token"]
        for hours in (5, 11):
            clock.travel(now + timedelta(hours=hours))
            token = browsing.refresh(token).json()["refresh_token"]
        clock.travel(now + timedelta(hours=12, minutes=1))

        assert error_of(browsing.refresh(token)) == "invalid_grant"

    @pytest.mark.parametrize("token", ["x", "x.y.z", "😀", NULS, "x" * 3_000])
    def test_of_nothing_is_refused(self, browsing: Browsing, token: str) -> None:
        """And ends nobody's session."""
        good = browsing.sign_in()["refresh_token"]

        assert error_of(browsing.refresh(token)) in {"invalid_grant", "invalid_request"}
        assert error_of(browsing.token(grant_type="refresh_token")) == "invalid_request"
        assert browsing.refresh(good).status_code == 200


class TestSignOut:
    def test_ends_the_session_and_leads_on(self, browsing: Browsing) -> None:
        """To a place that the client has registered, with its state (RP-Initiated Logout)."""
        tokens = browsing.sign_in()
        wanted = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{CONSOLE_URL}/", "state": "s"}
        answer = browsing.http.get("/oidc/end-session", params=wanted)

        assert (answer.status_code, answer.headers["location"]) == (303, f"{CONSOLE_URL}/?state=s")
        assert error_of(browsing.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_works_with_a_token_that_has_expired(self, browsing: Browsing) -> None:
        """Who comes back from lunch signs out too; and again."""
        tokens = browsing.sign_in()
        clock.travel(clock.now() + timedelta(hours=2))
        for _ in range(2):
            answer = browsing.http.post("/oidc/end-session", data={"id_token_hint": tokens["id_token"]})
            assert (answer.status_code, "location" in answer.headers) == (200, False)

        assert error_of(browsing.refresh(tokens["refresh_token"])) == "invalid_grant"

    @pytest.mark.parametrize(
        "overrides",
        [
            {"post_logout_redirect_uri": "https://evil.test/"},
            {"post_logout_redirect_uri": f"{CONSOLE_URL}/x"},
            {"client_id": "popcandy-ledger"},
            {"id_token_hint": "x.y.z"},
            {"id_token_hint": NULS},
        ],
        ids=str,
    )
    def test_leads_nowhere_else(self, browsing: Browsing, overrides: dict[str, str]) -> None:
        """And ends nothing then."""
        tokens = browsing.sign_in()
        own = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{CONSOLE_URL}/"}
        answer = browsing.http.get("/oidc/end-session", params=own | overrides)

        assert (answer.status_code, "location" in answer.headers) == (400, False)
        assert browsing.refresh(tokens["refresh_token"]).status_code == 200

    def test_of_a_refresh_token_ends_its_session(self, browsing: Browsing) -> None:
        """RFC 7009: what is no token of the client's is answered alike, and ends nothing."""
        tokens, auth = browsing.sign_in(), (CONSOLE, browsing.secret)
        for nothing in ("x", "", tokens["access_token"]):
            assert browsing.http.post("/oidc/revoke", data={"token": nothing}, auth=auth).status_code == 200
        ledger = browsing.provider.clients[client_id_of("ledger")]
        form = {"token": tokens["refresh_token"]}
        assert browsing.http.post("/oidc/revoke", data=form, auth=(ledger.id, ledger.secret)).status_code == 200
        assert error_of(browsing.http.post("/oidc/revoke", data=form), 401) == "invalid_client"
        going_on = browsing.refresh(tokens["refresh_token"]).json()["refresh_token"]

        assert browsing.http.post("/oidc/revoke", data={"token": going_on}, auth=auth).status_code == 200
        assert error_of(browsing.refresh(going_on)) == "invalid_grant"


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
