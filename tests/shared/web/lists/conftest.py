from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

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
from tests.shared.auth.signing import AUDIENCE, ISSUER, jwks_of, make_token
from tests.shared.web.conftest import KEY
from tests.shared.web.inside import Quiet
from tests.shared.web.lists.shelf import INDEXES, SERVICE, Base, fill
from tests.web_options import OPTIONS

POOL_SIZE = 6
BOOKS_IN_ALL = 100_000


@pytest.fixture(scope="session")
def shelf(server: Server) -> Iterator[Database]:
    """Open a database with a table for books."""
    own = Server(server.url, prefix="shelf_")
    own.prepare("bus")
    with create_engine(own.database_url("bus"), poolclass=NullPool).begin() as owner:
        Base.metadata.create_all(owner)
        for index in INDEXES:
            owner.execute(text(index))
    database = own.open("bus", pool_size=POOL_SIZE)
    yield database
    database.close()


def app_of(database: Database) -> FastAPI:
    verifier = TokenVerifier(KeyStore(lambda: jwks_of(KEY)), issuer=ISSUER, audience=AUDIENCE)
    transport = cast("Transport", Quiet())
    return create_app(SERVICE, database=database, transport=transport, verifier=verifier, options=OPTIONS)


@dataclass
class Reader:
    """Somebody who reads books of one programme."""

    client: TestClient
    programme_id: UUID

    def get(self, path: str = "/books", *, accept: str = "*/*", language: str = "en", **query: Any) -> Any:
        headers = self.headers() | {"accept": accept, "accept-language": language}
        return self.client.get(f"/api/kit{path}", params=query, headers=headers)

    def headers(self, **claims: Any) -> dict[str, str]:
        claims = {"roles": ["operator"], "programme_id": str(self.programme_id)} | claims
        return {"authorization": f"Bearer {make_token(KEY, **claims)}"}

    def walk(self, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """Read page after page."""
        while True:
            page = self.get(**query).json()
            yield page["items"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]


@pytest.fixture(scope="session")
def shelf_client(shelf: Database) -> Iterator[TestClient]:
    with TestClient(app_of(shelf), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def reader(shelf_client: TestClient) -> Reader:
    """Read books of a programme that has none yet."""
    return Reader(shelf_client, uuid4())


@pytest.fixture(scope="session")
def full_programme(shelf: Database) -> UUID:
    """Return a programme with a hundred thousand books, among others of another."""
    programme_id = uuid4()
    for each in (programme_id, uuid4()):
        fill(shelf, each, BOOKS_IN_ALL)
    with create_engine(shelf.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as owner:
        owner.execute(text("VACUUM (ANALYZE) book"))
    return programme_id
