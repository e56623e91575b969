from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.web.app import create_app
from shared.web.denials import Denials
from tests.shared.auth.signing import AUDIENCE, ISSUER, Key, jwks_of, make_key
from tests.shared.web.inside import SERVICE, Quiet
from tests.shared.web.safe import SERVICE as SAFE
from tests.shared.web.safe import TABLES, World
from tests.web_options import OPTIONS

if TYPE_CHECKING:
    from tests.shared.web.writing import Caller

KEY = make_key("ours")


@pytest.fixture
def transport() -> Quiet:
    return Quiet()


@pytest.fixture
def app(notes: Database, transport: Quiet) -> FastAPI:
    verifier = TokenVerifier(KeyStore(lambda: jwks_of(KEY)), issuer=ISSUER, audience=AUDIENCE)
    return create_app(
        SERVICE, database=notes, transport=cast("Transport", transport), verifier=verifier, options=OPTIONS
    )


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Call the app as a browser would: a fault is an answer."""
    with TestClient(app, raise_server_exceptions=False, base_url="http://testserver/api/kit") as found:
        yield found


def problem_of(answer: Any) -> dict[str, Any]:
    """Return an answer's problem document, which says what every problem says."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert document["type"] == f"urn:popcandy:problem:{document['code']}"
    assert document["trace_id"] == answer.headers["traceparent"].split("-")[1]
    return document


@pytest.fixture(scope="session")
def memos(server: Server) -> Iterator[Database]:
    """A service's database, with the kit's tables and those of `safe`."""
    own = Server(server.url, prefix="safe_")
    own.prepare("activities")
    with create_engine(own.database_url("activities"), poolclass=NullPool).begin() as owner:
        for table in TABLES:
            owner.execute(text(table))
    database = own.open("activities", pool_size=5)
    yield database
    database.close()


def safe_app(database: Database, key: Key = KEY) -> FastAPI:
    """Make the app of `safe` over a database, for tokens signed with a key."""
    verifier = TokenVerifier(KeyStore(lambda: jwks_of(key)), issuer=ISSUER, audience=AUDIENCE)
    transport = cast("Transport", Quiet())
    return create_app(SAFE, database=database, transport=transport, verifier=verifier, options=OPTIONS)


@pytest.fixture(scope="session")
def safe_client(memos: Database) -> Iterator[TestClient]:
    base_url = "http://testserver/api/activities"
    with TestClient(safe_app(memos), raise_server_exceptions=False, base_url=base_url) as found:
        yield found


@pytest.fixture
def caller(safe_client: TestClient, memos: Database) -> Iterator["Caller"]:
    """Somebody in a programme of this test's own."""
    from tests.shared.web.writing import Caller  # noqa: PLC0415  It reads this module's key.

    World.is_full, World.rendezvous = False, None
    safe_client.app.state.denials = Denials(memos)  # type: ignore[attr-defined]  # Not counted: those of other tests.
    yield Caller(safe_client, memos, uuid4())
    World.is_full, World.rendezvous = False, None
