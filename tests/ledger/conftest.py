"""What the ledger's tests run on: one server a run, its ledger database built by the migrations."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from services.ledger.main import SERVICE
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.inbox import Inbox
from shared.bus.transport.postgres import PostgresTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.web.app import create_app
from shared.web.denials import Denials
from tests.documented import DocumentedClient
from tests.ledger.door import Door
from tests.ledger.raw import Raw
from tests.web_options import OPTIONS


@pytest.fixture(scope="session")
def database(server: Server) -> Iterator[Database]:
    server.prepare("ledger")
    database = server.open("ledger", pool_size=5)
    yield database
    database.close()


@pytest.fixture
def tx(database: Database) -> Iterator[Session]:
    """Open a transaction of the runtime role that leaves nothing behind."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def raw_owner(server: Server, database: Database) -> Iterator[Session]:
    """Open a transaction of the schema's owner, who has every right."""
    engine = create_engine(server.database_url(database.role.removeprefix("popcandy_")), poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture(params=["runtime role", "owner"])
def raw(request: pytest.FixtureRequest) -> Raw:
    """Try something once as the runtime role and once as the owner."""
    name = {"runtime role": "tx", "owner": "raw_owner"}[request.param]
    return Raw(request.param, request.getfixturevalue(name))


@pytest.fixture
def inbox(database: Database) -> Inbox:
    return Inbox(database, SERVICE.subscriptions)


@pytest.fixture(scope="session")
def client(server: Server, database: Database, issuer: EmbeddedIssuer) -> Iterator[TestClient]:
    server.prepare("bus")
    transport = PostgresTransport(server.open("bus", pool_size=2))
    settings = issuer.settings
    verifier = TokenVerifier(issuer.key_store(), issuer=settings.issuer, audience=settings.audience)
    with DocumentedClient(
        create_app(SERVICE, database=database, transport=transport, verifier=verifier, options=OPTIONS)
    ) as client:
        yield client
    transport.close()


@pytest.fixture
def door(client: TestClient, database: Database, issuer: EmbeddedIssuer, programme: UUID) -> Door:
    client.app.state.denials = Denials(database)  # type: ignore[attr-defined]  # Those of other tests are not counted.
    return Door(client, issuer, programme)
