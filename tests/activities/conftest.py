"""What the tests of activities run on: one database a run, built by the migrations, and its web app."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from services.activities.listings.tables import Shift
from services.activities.main import SERVICE
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.transport.postgres import PostgresTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.web.app import create_app
from shared.web.denials import Denials
from shared.web.doors import present
from tests.activities.door import Door
from tests.documented import DocumentedClient
from tests.factories.activities import make_listing, make_shift, make_volunteer
from tests.web_options import OPTIONS


@pytest.fixture(scope="session")
def database(server: Server) -> Iterator[Database]:
    server.prepare("activities")
    database = server.open("activities", pool_size=10)
    yield database
    database.close()


@pytest.fixture
def tx(database: Database) -> Iterator[Session]:
    """Open a transaction of the runtime role that leaves nothing behind."""
    with Session(database.engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


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
def door(client: TestClient, issuer: EmbeddedIssuer, database: Database, programme: UUID) -> Iterator[Door]:
    """Call the service's routes, at the time that the test sets (`door.watch`)."""
    door = Door(client, issuer, database, programme)
    client.app.dependency_overrides[present] = lambda: door.watch.now  # type: ignore[attr-defined]  # It is our FastAPI.
    client.app.state.denials = Denials(database)  # type: ignore[attr-defined]  # Those of other tests are not counted.
    yield door
    client.app.dependency_overrides.clear()  # type: ignore[attr-defined]  # As above.


@pytest.fixture
def shift(tx: Session) -> Shift:
    """Publish the shift L1/1 and register E1 to E3."""
    for number in ("E1", "E2", "E3"):
        make_volunteer(tx, employee_number=number)
    return make_shift(tx, listing=make_listing(tx, reference="L1"), capacity=1)
