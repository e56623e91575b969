from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from shared.auth.keys import KeyStore
from shared.auth.tokens import TokenVerifier
from shared.bus.transport import Transport
from shared.database.sessions import Database
from shared.web.app import create_app
from tests.shared.auth.signing import AUDIENCE, ISSUER, jwks_of, make_key
from tests.shared.web.inside import SERVICE, Quiet
from tests.web_options import OPTIONS

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
