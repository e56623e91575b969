"""A service's own tokens: asked for once, renewed in time, and a clear word when there are none."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from shared import clock
from shared.auth.discovery import Discovery
from shared.auth.service_tokens import PAUSE, RENEW_BEFORE, Credentials, NoServiceToken, ServiceTokens, tokens_of
from tests.shared.auth.signing import PROGRAMME

CREDENTIALS = Credentials("popcandy-ledger", SecretStr("p&ss:wörd"))
LIFE = 300
NOW = clock.now()


class Endpoint:
    """A token endpoint that a test switches."""

    def __init__(self, server: HTTPServer) -> None:
        self.asked: list[Request] = []
        self.status, self.answer = 200, {"expires_in": LIFE, "token_type": "Bearer"}
        self.waits_for: threading.Event | None = None
        self.url = server.url_for("/token")
        server.expect_request("/token", method="POST").respond_with_handler(self._give)

    def _give(self, request: Request) -> Response:
        self.asked.append(request)
        request.get_data()
        number = len(self.asked)
        if self.waits_for is not None:
            assert self.waits_for.wait(10)
        body: dict[str, Any] = {"access_token": f"token-{number}", **self.answer}
        return Response(json.dumps(body), self.status, content_type="application/json")


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> Endpoint:
    return Endpoint(httpserver)


@pytest.fixture
def tokens(endpoint: Endpoint) -> ServiceTokens:
    return ServiceTokens(lambda: endpoint.url, CREDENTIALS)


def test_a_token_is_asked_for_once(tokens: ServiceTokens, endpoint: Endpoint) -> None:
    """With the client's name and secret as RFC 6749 section 2.3.1 writes them, and for nothing but that."""
    assert {tokens.token(now=NOW) for _ in range(10)} == {"token-1"}

    (request,) = endpoint.asked
    assert request.form.to_dict() == {"grant_type": "client_credentials"}
    assert request.authorization is not None
    assert (request.authorization.username, request.authorization.password) == ("popcandy-ledger", "p%26ss%3Aw%C3%B6rd")


def test_a_call_says_who_and_for_which_programme(tokens: ServiceTokens) -> None:
    """A service's token names no programme."""
    assert tokens.headers(PROGRAMME, now=NOW) == {
        "authorization": "Bearer token-1",
        "Popcandy-Programme": str(PROGRAMME),
    }


def test_it_is_renewed_before_its_end(tokens: ServiceTokens) -> None:
    """So that no call takes a token that ends on its way."""
    tokens.token(now=NOW)
    renew = timedelta(seconds=LIFE) - RENEW_BEFORE

    assert tokens.token(now=NOW + renew - timedelta(seconds=1)) == "token-1"
    assert tokens.token(now=NOW + renew) == "token-2"


def test_a_clock_that_travels_back_asks_again(tokens: ServiceTokens) -> None:
    """On the demo's day a token of today is not valid yet."""
    tokens.token(now=NOW)

    assert tokens.token(now=NOW - timedelta(days=1)) == "token-2"


def test_of_many_callers_one_asks(tokens: ServiceTokens, endpoint: Endpoint) -> None:
    """The others wait for its answer."""
    endpoint.waits_for = threading.Event()
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(tokens.token(now=NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    endpoint.waits_for.set()
    for thread in threads:
        thread.join(10)

    assert found == ["token-1"] * 8
    assert len(endpoint.asked) == 1


def test_a_token_that_was_refused_is_dropped(tokens: ServiceTokens) -> None:
    """The issuer's keys may have changed; another's failure does not drop the new one."""
    first = tokens.token(now=NOW)
    tokens.drop(first)
    second = tokens.token(now=NOW)
    tokens.drop(first)

    assert (second, tokens.token(now=NOW)) == ("token-2", "token-2")


class TestWithoutAnIssuer:
    def test_a_token_that_is_still_good_serves_on(self, tokens: ServiceTokens, endpoint: Endpoint) -> None:
        """To its end, and not longer."""
        tokens.token(now=NOW)
        endpoint.status = 503

        assert tokens.token(now=NOW + timedelta(seconds=LIFE - 1)) == "token-1"
        with pytest.raises(NoServiceToken, match="does not answer"):
            tokens.token(now=NOW + timedelta(seconds=LIFE))

    def test_callers_are_told_at_once(self, tokens: ServiceTokens, endpoint: Endpoint) -> None:
        """Rather than each waiting for an answer that does not come; a little later it is tried again."""
        endpoint.status = 500
        for _ in range(5):
            with pytest.raises(NoServiceToken):
                tokens.token(now=NOW)
        assert len(endpoint.asked) == 1

        endpoint.status = 200
        assert tokens.token(now=NOW + PAUSE) == "token-2"

    def test_nobody_at_the_address_is_said(self) -> None:
        """With what is wrong, without the secret."""
        tokens = ServiceTokens(lambda: "http://127.0.0.1:1/token", CREDENTIALS)

        with pytest.raises(NoServiceToken, match="ConnectError") as error:
            tokens.token(now=NOW)
        assert CREDENTIALS.secret.get_secret_value() not in repr(error.value) + str(CREDENTIALS)

    @pytest.mark.parametrize("status", [400, 401, 403])
    def test_an_issuer_that_refuses_us_is_quoted(self, tokens: ServiceTokens, endpoint: Endpoint, status: int) -> None:
        """An operator reads which client, and why."""
        endpoint.status, endpoint.answer = status, {"error": "invalid_client"}

        with pytest.raises(NoServiceToken, match="refuses client popcandy-ledger: invalid_client"):
            tokens.token(now=NOW)

    @pytest.mark.parametrize(
        "answer",
        [{}, {"expires_in": None}, {"expires_in": "soon"}, {"expires_in": float("nan")}, {"expires_in": []}],
        ids=str,
    )
    def test_an_answer_that_is_none_is_said(
        self, tokens: ServiceTokens, endpoint: Endpoint, answer: dict[str, Any]
    ) -> None:
        """A proxy answers 200 with a page of its own."""
        endpoint.answer = answer

        with pytest.raises(NoServiceToken, match="does not answer"):
            tokens.token(now=NOW)


def test_the_issuer_says_where_to_ask(endpoint: Endpoint, httpserver: HTTPServer) -> None:
    """An operator sets its URL, and nothing else."""
    issuer = httpserver.url_for("/realm")
    told = {"issuer": issuer, "jwks_uri": httpserver.url_for("/keys"), "token_endpoint": endpoint.url}
    httpserver.expect_request("/realm/.well-known/openid-configuration").respond_with_json(told)

    assert tokens_of(Discovery(issuer), CREDENTIALS).token(now=NOW) == "token-1"
