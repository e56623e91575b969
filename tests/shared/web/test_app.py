"""A service's app: what it answers to whom, under which trace, and whether it is ready."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

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
from tests.shared.auth.signing import AUDIENCE, ISSUER, PERSON, PROGRAMME, jwks_of, make_key, make_token
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

    def test_of_a_refused_request_leaves_only_what_was_done_apart(self, client: TestClient, notes: Database) -> None:
        """An attempt counts although it was refused (PITFALLS.md H7)."""
        assert client.post("attempts/1").status_code == 409
        assert bodies(notes) == ["counted"]


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
        assert answer.headers["www-authenticate"] == "Bearer"
        assert problem_of(answer)["facts"]["reason"]

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
