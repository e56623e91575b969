"""A service's app: what it answers to whom, under which trace, and whether it is ready."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import pytest
import structlog
from fastapi import FastAPI
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from shared import clock
from shared.auth.keys import key_store
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.web.app import create_app
from tests.shared.auth.signing import AUDIENCE, ISSUER, PERSON, PROGRAMME, jwks_of, make_key, make_raw, make_token
from tests.shared.notes import bodies
from tests.shared.web.conftest import KEY, problem_of
from tests.shared.web.inside import SERVICE, Quiet
from tests.web_options import OPTIONS

ROOT = "http://testserver"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def signed(**claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {make_token(KEY, **claims)}"}


class TestTransaction:
    def test_is_committed_before_the_answer_leaves(self, client: TestClient, notes: Database) -> None:
        """Whoever reads 201 finds it there."""
        assert client.post("notes", json={"id": 1, "body": "kept"}).status_code == 201
        assert bodies(notes) == ["kept"]

    def test_that_cannot_be_committed_is_no_success(self, client: TestClient, notes: Database) -> None:
        """A failed commit once answered 200 (PITFALLS.md H1)."""
        answer = client.post("answers/404")

        assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal_error")
        with notes.transaction() as tx:
            assert tx.scalar(text("SELECT count(*) FROM answer")) == 0

    def test_that_breaks_a_rule_of_the_tables_names_nobody_in_the_log(self, client: TestClient) -> None:
        """A database's error quotes the row; the row may be about a person."""
        client.post("notes", json={"id": 1, "body": "合成丙"})
        with structlog.testing.capture_logs() as lines:
            answer = client.post("notes", json={"id": 1, "body": "合成丙"})

        assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal_error")
        assert "合成丙" not in str(lines) + answer.text
        assert "note_pkey" in str(lines)

    def test_of_a_refused_request_leaves_nothing(self, client: TestClient, notes: Database) -> None:
        """What it wrote before the refusal is rolled back."""
        assert client.post("attempts/1").status_code == 409
        assert bodies(notes) == []


class TestCaller:
    def test_is_whoever_the_token_names(self, client: TestClient) -> None:
        """And stands on each line of the request's log."""
        answer = client.get("me", headers=signed()).json()

        assert answer["person"] == str(PERSON)
        assert answer["bound"]["caller"] == str(PERSON)
        assert answer["bound"]["programme_id"] == str(PROGRAMME)

    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXM6aW4=", "bearer x.y.z", "x" * 9_000])
    def test_without_a_good_token_is_asked_to_sign_in(self, client: TestClient, header: str | None) -> None:
        """Nobody is anybody without proof."""
        answer = client.get("me", headers={} if header is None else {"authorization": header})

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert problem_of(answer)["facts"]["reason"]

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
    def test_may_write_the_scheme_as_they_like(self, client: TestClient, scheme: str) -> None:
        """RFC 9110 section 11.1: it has no case; and spaces around it mean nothing."""
        token = make_token(KEY)

        assert client.get("me", headers={"authorization": f"{scheme} {token}"}).status_code == 200
        assert client.get("me", headers={"authorization": f" {scheme}   {token} "}).status_code == 200

    @pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXM6aW4=", "Token x.y.z"])
    def test_who_brings_no_token_is_told_how(self, client: TestClient, header: str | None) -> None:
        """And not that something was wrong with it (RFC 6750 section 3.1)."""
        answer = client.get("me", headers={} if header is None else {"authorization": header})

        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert problem_of(answer)["facts"] == {"reason": "no_bearer_token"}

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: make_token(KEY, exp=1), "expired_token"),
            (lambda: make_token(KEY, nbf=2**33), "not_yet_valid"),
            (lambda: make_token(KEY, iat=2**33), "issued_in_the_future"),
            (lambda: make_token(KEY, aud="another"), "wrong_audience"),
            (lambda: make_token(KEY, iss="another"), "wrong_issuer"),
            (lambda: make_token(KEY, programme_id=...), "no_programme"),
            (lambda: make_token(KEY, nonce="n"), "not_an_access_token"),
            (lambda: make_token(make_key("another")), "unknown_key"),
            (lambda: make_token(make_key("ours")), "bad_signature"),
            (lambda: make_raw(KEY, "{}", alg="none"), "unsupported_algorithm"),
            (lambda: make_raw(KEY, "{}", alg="HS256"), "unsupported_algorithm"),
            (lambda: make_raw(KEY, "{}", kid=...), "no_key_id"),
            (lambda: make_raw(KEY, "{}", jwk=KEY.as_dict(private=False)), "unsupported_header"),
            (lambda: make_raw(KEY, "[]"), "malformed_claims"),
            (lambda: "garbage", "malformed_token"),
            (lambda: "a.b.c.d.e", "malformed_token"),
            (lambda: "x" * 60_000, "token_too_large"),
            (lambda: "a\0b", "malformed_token"),
            (lambda: "x y", "malformed_token"),
            (lambda: "😀", "malformed_token"),
            (lambda: "𠮷.𠮷.𠮷", "malformed_token"),
        ],
        ids=range(21),
    )
    def test_who_brings_a_bad_token_is_told_why(self, client: TestClient, make: Callable[[], str], reason: str) -> None:
        """401 and a problem, never a fault; the token itself is quoted nowhere."""
        token = make()
        with structlog.testing.capture_logs() as lines:
            answer = client.get("me", headers={b"authorization": f"Bearer {token}".encode()})

        challenge = f'Bearer error="invalid_token", error_description="{reason}"'
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
        assert problem_of(answer)["code"] == "not_authenticated"
        assert problem_of(answer)["facts"] == {"reason": reason}
        assert token not in answer.text + str(lines) or len(token) < 4

    def test_may_not_be_two(self, client: TestClient) -> None:
        """Two headers have two readers: the one before us may have looked at the other."""
        both = [("authorization", f"Bearer {make_token(KEY)}"), ("authorization", f"Bearer {make_token(KEY)}")]
        answer = client.get("me", headers=both)

        assert (answer.status_code, problem_of(answer)["code"]) == (400, "unclear_credentials")
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_request"')

    def test_may_not_write_the_token_into_the_address(self, client: TestClient) -> None:
        """It would stand in logs and histories, with a header beside it or without."""
        token = make_token(KEY)
        for headers in ({}, signed()):
            answer = client.get("me", params={"access_token": token}, headers=headers)
            assert (answer.status_code, problem_of(answer)["code"]) == (400, "unclear_credentials")
            assert problem_of(answer)["facts"] == {"reason": "token_in_query"}

    def test_is_verified_once(self, client: TestClient, app: FastAPI) -> None:
        """A page asks ten times with one token."""
        headers = signed()
        for _ in range(3):
            assert client.get("me", headers=headers).status_code == 200
            assert client.get("me", headers={"authorization": f"Bearer {make_token(KEY, exp=1)}"}).status_code == 401

        assert len(app.state.verifier.remembered) == 1

    def test_stays_in_the_programme_of_the_token(self, client: TestClient) -> None:
        """Naming another one is refused, naming it again changes nothing, naming none is usual."""
        assert client.get("me", headers=signed() | {"Popcandy-Programme": str(PROGRAMME)}).status_code == 200
        answer = client.get("me", headers=signed() | {"Popcandy-Programme": str(PERSON)})
        assert (answer.status_code, problem_of(answer)["code"]) == (403, "programme_differs")
        for odd in ("", "ours", "\0"):
            answer = client.get("me", headers=signed() | {"Popcandy-Programme": odd})
            assert (answer.status_code, problem_of(answer)["code"]) == (422, "programme_needed")

    def test_with_another_role_is_told_what_is_missing(self, client: TestClient) -> None:
        """An administrator can then give it."""
        answer = client.get("me", headers=signed(roles=["auditor"]))

        assert (answer.status_code, problem_of(answer)["code"]) == (403, "missing_permission")
        assert problem_of(answer)["facts"] == {"permission": "attendance.read"}

    def test_does_not_stand_in_the_log_of_the_next_request(self, client: TestClient) -> None:
        """A connection is used again, by whomever."""
        client.get("me", headers=signed())

        assert set(client.get("bound").json()) == {"trace_id"}

    def test_time_is_the_clocks(self, client: TestClient) -> None:
        """On the demo's day it is the demo's day at the doors."""
        before = clock.now().isoformat()

        assert before <= client.get("me", headers=signed()).json()["at"] <= clock.now().isoformat()


class TestService:
    TOKEN: ClassVar = {"client_id": "popcandy-ledger", "roles": ["service"], "programme_id": ...}

    def test_says_for_which_programme_it_calls(self, client: TestClient) -> None:
        """And stands in the log by its name."""
        assert client.get("names", headers=signed(**self.TOKEN)).status_code == 422
        answer = client.get("names", headers=signed(**self.TOKEN) | {"Popcandy-Programme": str(PROGRAMME)}).json()

        assert answer == {
            "service": "popcandy-ledger",
            "programme": str(PROGRAMME),
            "caller": "service:popcandy-ledger",
        }

    def test_has_no_persons_powers(self, client: TestClient) -> None:
        """Whatever people may: a service may what is said of services."""
        answer = client.get("me", headers=signed(**self.TOKEN) | {"Popcandy-Programme": str(PROGRAMME)})

        assert (answer.status_code, problem_of(answer)["code"]) == (403, "missing_permission")

    def test_that_does_not_answer_us_is_a_passing_trouble(self, client: TestClient) -> None:
        """Whoever reads a list with names tries again; where there is no way to ask at all, too."""
        for path in ("names/unavailable", "names/of-people"):
            answer = client.get(path)
            assert (answer.status_code, problem_of(answer)["code"]) == (503, "unavailable")


@contextmanager
def calling(notes: Database, jwks_url: str) -> Iterator[TestClient]:
    verifier = TokenVerifier(key_store(jwks_url, least_seconds=0), issuer=ISSUER, audience=AUDIENCE)
    app = create_app(SERVICE, database=notes, transport=cast("Transport", Quiet()), verifier=verifier, options=OPTIONS)
    with TestClient(app, raise_server_exceptions=False, base_url="http://testserver/api/kit") as client:
        yield client


class TestKeys:
    def test_of_an_issuer_elsewhere_are_read_and_read_again(self, notes: Database, httpserver: HTTPServer) -> None:
        """A new key of the issuer's needs no restart of ours."""
        new = make_key("new")
        httpserver.expect_ordered_request("/jwks").respond_with_json(jwks_of(KEY))
        httpserver.expect_ordered_request("/jwks").respond_with_json(jwks_of(KEY, new))
        with calling(notes, httpserver.url_for("/jwks")) as client:
            assert client.get("me", headers=signed()).status_code == 200
            assert client.get("me", headers={"authorization": f"Bearer {make_token(new)}"}).status_code == 200

    def test_that_cannot_be_read_are_our_trouble(self, notes: Database) -> None:
        """Nobody is sent to sign in again because the issuer is down."""
        with calling(notes, "http://127.0.0.1:1/jwks") as client:
            answer = client.get("me", headers=signed())

        assert (answer.status_code, problem_of(answer)["code"]) == (503, "unavailable")


class TestTrace:
    def test_of_the_caller_goes_on(self, client: TestClient) -> None:
        """From the front end through us to the events."""
        answer = client.get("bound", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})

        assert answer.json()["trace_id"] == TRACE
        assert answer.headers["traceparent"].split("-")[1] == TRACE
        assert answer.headers["traceparent"].split("-")[2] != "b7ad6b7169203331"

    @pytest.mark.parametrize("sent", [None, "garbage", f"00-{'0' * 32}-b7ad6b7169203331-01"])
    def test_begins_here_without_a_good_one(self, client: TestClient, sent: str | None) -> None:
        """Every request has one, and no two have the same."""
        headers = {} if sent is None else {"traceparent": sent}
        answers = [client.get("bound", headers=headers) for _ in range(2)]

        assert len({answer.json()["trace_id"] for answer in answers} - {"0" * 32}) == 2

    @pytest.mark.parametrize("path", ["fault", "nowhere", "refusals/closed"])
    def test_is_told_with_every_answer(self, client: TestClient, path: str) -> None:
        """With those above all after which somebody asks us."""
        answer = client.get(path, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})

        assert problem_of(answer)["trace_id"] == TRACE


class TestHealth:
    def test_of_a_process_is_that_it_answers(self, client: TestClient, transport: Quiet) -> None:
        """Whoever restarts processes asks this; a broker that is away is no reason to."""
        transport.has_everything = False

        assert (client.get(f"{ROOT}/livez").status_code, client.get(f"{ROOT}/livez").json()) == (200, {"live": True})

    def test_of_a_service_is_that_it_has_what_it_needs(self, client: TestClient) -> None:
        """Whoever sends requests asks this."""
        answer = client.get(f"{ROOT}/readyz")

        assert (answer.status_code, answer.json()) == (200, {"ready": True, "failures": {}})

    def test_names_what_is_missing(self, client: TestClient, transport: Quiet) -> None:
        """And nothing of how it is reached."""
        transport.has_everything = False
        answer = client.get(f"{ROOT}/readyz")

        assert answer.status_code == 503
        assert answer.json() == {"ready": False, "failures": {"broker": "TopologyMissing"}}

    def test_names_a_database_that_is_gone(self, kit: Server, transport: Quiet) -> None:
        """Not ready, but alive: it comes back by itself."""
        kit.prepare("bus")
        doomed = Server(kit.url, prefix="doomed_")
        doomed.prepare("bus")
        database = doomed.open("bus", pool_size=1)
        verifier = TokenVerifier(key_store("nowhere"), issuer=ISSUER, audience=AUDIENCE)
        app = create_app(
            SERVICE, database=database, transport=cast("Transport", transport), verifier=verifier, options=OPTIONS
        )
        with TestClient(app) as client:
            assert client.get(f"{ROOT}/readyz").status_code == 200
            doomed.drop("bus")
            answer = client.get(f"{ROOT}/readyz")
            assert (answer.status_code, list(answer.json()["failures"])) == (503, ["database"])
            assert client.get(f"{ROOT}/livez").status_code == 200
            answer = client.post("/api/kit/notes", json={"id": 1, "body": "later"})
            assert (answer.status_code, problem_of(answer)["code"]) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        database.close()

    def test_comes_back(self, client: TestClient, kit: Server, notes: Database) -> None:
        """A restart of the database is over when it is over."""
        with create_engine(kit.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as owner:
            ended = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
            owner.execute(ended, {"name": notes.url.database})

        assert client.get(f"{ROOT}/readyz").status_code == 200


def test_the_api_describes_itself(app: FastAPI, client: TestClient) -> None:
    """Under the service's prefix; FastAPI's own pages, which load from elsewhere, are not there (PITFALLS.md H5)."""
    assert client.get("openapi.json").json() == app.openapi()
    for path in (f"{ROOT}/docs", f"{ROOT}/redoc", "redoc"):
        assert client.get(path).status_code == 404
