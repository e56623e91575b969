"""What every answer says beside its body."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.web.app import create_app
from shared.web.headers import SECURITY
from shared.web.options import WebOptions
from tests.shared.auth.signing import AUDIENCE, ISSUER, jwks_of, make_token
from tests.shared.web.conftest import KEY, problem_of
from tests.shared.web.inside import SERVICE, Quiet
from tests.web_options import OPTIONS

PAGE = "https://front.example"


def signed() -> dict[str, str]:
    """Carry a token that is made now: one made with the module would be too old by its turn."""
    return {"authorization": f"Bearer {make_token(KEY)}"}


def calling(notes: Database, options: WebOptions) -> TestClient:
    verifier = TokenVerifier(KeyStore(lambda: jwks_of(KEY)), issuer=ISSUER, audience=AUDIENCE)
    app = create_app(SERVICE, database=notes, transport=cast("Transport", Quiet()), verifier=verifier, options=options)
    return TestClient(app, raise_server_exceptions=False, base_url="http://testserver/api/kit")


@pytest.fixture
def open_to(notes: Database) -> Iterator[TestClient]:
    """Serve pages of one origin."""
    with calling(notes, replace(OPTIONS, origins=(PAGE,))) as client:
        yield client


class TestSecurity:
    @pytest.mark.parametrize("path", ["bound", "me", "nowhere", "fault", "refusals/closed", "/livez"])
    def test_headers_are_on_every_answer(self, client: TestClient, path: str) -> None:
        """Faults and refusals among them."""
        answer = client.get(path)

        assert {name: answer.headers[name] for name in SECURITY} == SECURITY
        assert "strict-transport-security" not in answer.headers

    def test_over_https_browsers_are_told_to_stay_there(self, client: TestClient) -> None:
        """Over plain HTTP they would not heed it (RFC 6797 section 7.2)."""
        assert (
            client.get("https://testserver/api/kit/bound").headers["strict-transport-security"].startswith("max-age=")
        )


class TestOrigins:
    def test_nobodys_page_may_call_unless_it_is_said(self, client: TestClient) -> None:
        """A browser keeps the answer from the page."""
        answer = client.get("bound", headers={"origin": PAGE})

        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]

    def test_a_page_that_may_is_told_so(self, open_to: TestClient) -> None:
        """With the headers that a front end needs, and without cookies."""
        answer = open_to.get("bound", headers={"origin": PAGE})

        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "etag" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]

    def test_the_browser_may_ask_first(self, open_to: TestClient) -> None:
        """Before it sends a token or a key (Fetch, CORS-preflight)."""
        asked = {"origin": PAGE, "access-control-request-method": "POST"}
        wanted = "authorization, content-type, idempotency-key, if-match"
        answer = open_to.options("notes", headers=asked | {"access-control-request-headers": wanted})

        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == PAGE

    @pytest.mark.parametrize("origin", ["https://evil.example", f"{PAGE}.evil.example", "http://front.example", "null"])
    def test_another_page_is_not(self, open_to: TestClient, origin: str) -> None:
        """Nor one that only looks like it."""
        asked = {"origin": origin, "access-control-request-method": "POST"}

        assert "access-control-allow-origin" not in open_to.get("bound", headers={"origin": origin}).headers
        assert open_to.options("notes", headers=asked).status_code == 400


class TestRates:
    def test_a_caller_is_told_what_is_left(self, client: TestClient) -> None:
        """And whoever has no token yet, nothing."""
        answer = client.get("me", headers=signed())

        limit = OPTIONS.requests_per_minute
        assert answer.headers["ratelimit-policy"] == f'"caller";q={limit};w=60'
        assert answer.headers["ratelimit"] == f'"caller";r={limit - 1};t=1'
        assert "ratelimit" not in client.get("bound").headers

    def test_a_caller_who_calls_too_often_waits(self, notes: Database) -> None:
        """It is theirs to wait, and nobody else's."""
        other = {"authorization": f"Bearer {make_token(KEY, sub='01800000-0000-7000-8000-0000000000ff')}"}
        with calling(notes, replace(OPTIONS, requests_per_minute=2)) as client:
            statuses = [client.get("me", headers=signed()).status_code for _ in range(2)]
            refused = client.get("me", headers=signed())

            assert statuses == [200, 200]
            assert (refused.status_code, problem_of(refused)["code"]) == (429, "too_many_requests")
            assert 1 <= int(refused.headers["retry-after"]) <= 30
            assert client.get("me", headers=other).status_code == 200

    def test_a_request_costs_one_also_if_it_is_wrong(self, notes: Database) -> None:
        """Who has one request left is told what was wrong with it, and not to wait."""
        auditor = {"authorization": f"Bearer {make_token(KEY, roles=['auditor'])}"}
        with calling(notes, replace(OPTIONS, requests_per_minute=2)) as client:
            answers = [client.get("audit-entries", params={"limit": 0}, headers=auditor) for _ in range(3)]

            assert [answer.status_code for answer in answers] == [422, 422, 429]
            assert [answer.headers["ratelimit"][:12] for answer in answers[:2]] == ['"caller";r=1', '"caller";r=0']

    def test_knocking_at_another_programme_counts(self, notes: Database) -> None:
        """Nobody knocks for nothing: a good token for the wrong place has its rate too."""
        elsewhere = signed() | {"popcandy-programme": str(uuid4())}
        with calling(notes, replace(OPTIONS, requests_per_minute=2)) as client:
            answers = [client.get("me", headers=elsewhere) for _ in range(3)]

            assert [answer.status_code for answer in answers] == [403, 403, 429]
            assert client.get("me", headers=signed()).status_code == 429

    def test_guessing_tokens_is_slowed_down(self, notes: Database) -> None:
        """Those who know themselves are let in all the same."""
        with calling(notes, replace(OPTIONS, failures_per_minute=2)) as client:
            statuses = [client.get("me", headers={"authorization": f"Bearer {n}"}).status_code for n in range(4)]

            assert statuses == [401, 401, 429, 429]
            assert client.get("me", headers=signed()).status_code == 200
