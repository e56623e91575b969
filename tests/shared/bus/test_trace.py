"""One trace from an HTTP request to what followed from it in another service."""

from pathlib import Path

from starlette.testclient import TestClient

from shared import bus
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.consumer import Consumer
from shared.bus.inbox import Inbox
from shared.bus.relay import Relay
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.service import Service
from shared.settings import Settings
from shared.web.app import create_app
from shared.web.doors import Tx
from shared.web.routes import Router
from tests.factories.ledger import make_settled
from tests.shared.bus.hearing import hearing
from tests.shared.bus.running import Owner, running
from tests.waiting import until
from tests.web_options import OPTIONS

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def make_client(telling: Database, transport: Transport, folder: Path) -> TestClient:
    """Serve one route, which tells a fact."""
    router = Router()

    @router.post("/facts")
    def tell(tx: Tx) -> None:
        bus.emit(tx, make_settled())

    issuer = EmbeddedIssuer(folder, Settings())
    verifier = TokenVerifier(issuer.key_store(), issuer="popcandy-embedded", audience="popcandy")
    return TestClient(
        create_app(
            Service("probe", [router]), database=telling, transport=transport, verifier=verifier, options=OPTIONS
        )
    )


def test_a_request_and_its_effect_in_another_service_share_a_trace(
    telling: Database, listening: Database, hearer: Owner, transport: Transport, tmp_path: Path
) -> None:
    """HTTP → outbox → headers → handler: an operator follows one id through all logs."""
    client = make_client(telling, transport, tmp_path)
    consumer = Consumer(transport, Inbox(listening, hearing()))

    answer = client.post("/api/probe/facts", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    with running(Relay(telling, transport, service="activities").run, consumer.run):
        until(lambda: hearer.count("heard") == 1, timeout=20, missing="the effect")

    assert answer.headers["traceparent"].split("-")[1] == TRACE
    assert hearer.execute("SELECT trace_id FROM heard") == [(TRACE,)]


def test_a_request_without_a_trace_begins_one(
    telling: Database, told: Owner, transport: Transport, tmp_path: Path
) -> None:
    """And tells the caller which."""
    answer = make_client(telling, transport, tmp_path).post("/api/probe/facts", headers={"traceparent": "nonsense"})

    ((traceparent,),) = told.execute("SELECT traceparent FROM outbox")
    assert str(traceparent).split("-")[1] == answer.headers["traceparent"].split("-")[1]
