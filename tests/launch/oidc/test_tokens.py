"""What a code, a client or a refresh token is exchanged for, and how a session ends."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from launch.oidc.app import MOST_FORM_BYTES
from launch.oidc.clients import CONSOLE, client_id_of
from shared import clock
from shared.roles import Role
from tests.launch.oidc.browsing import (
    CALLBACK,
    CONSOLE_URL,
    PROGRAMME,
    Browsing,
    challenge_of,
    client_of,
    make_provider,
    verifier_of,
)

NULS = "\0"


def error_of(answer: Any, status: int = 400) -> str:
    """Read what the token endpoint says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"].isascii()
    return str(answer.json()["error"])


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
