"""Whatever callers send, the APIs answer as their documents say: schemathesis, with and without a token."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from launch.services import SERVICES
from services.ledger.donations import actions as donations
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.transport.postgres import PostgresTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.roles import Role
from shared.web.app import create_app
from tests.contracts.fuzzing import Found, fuzz
from tests.factories import activities, ledger
from tests.web_options import OPTIONS

SAMPLE, ALL = 2, 100
NAMES = [service.name for service in SERVICES]
CHECKS = {
    "allow_header_conformance",
    "content_type_conformance",
    "ignored_auth",
    "negative_data_rejection",
    "not_a_server_error",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
}
# What other pieces of work replace. Each entry goes with its reason.
KNOWN = {
    ("positive_data_acceptance", "GET /api/activities/dead-letters"),  # Cursors become opaque.
    ("positive_data_acceptance", "GET /api/ledger/dead-letters"),
    ("allow_header_conformance", "POST /api/activities/imports/{kind}"),  # Each kind gets a path of its own.
    ("unsupported_method", "POST /api/activities/imports/{kind}"),
    ("allow_header_conformance", "GET /api/activities/imports/{import_id}"),
    ("unsupported_method", "GET /api/activities/imports/{import_id}"),
}

pytestmark = pytest.mark.timeout(3600)


@dataclass
class Town:
    """The services' apps over databases of their own, and somebody who may do everything."""

    issuer: EmbeddedIssuer
    apps: dict[str, FastAPI] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)
    programme_id: UUID = field(default_factory=uuid4)
    partner_id: UUID = field(default_factory=uuid4)
    person_id: UUID = field(default_factory=uuid4)
    known: dict[str, dict[str, str]] = field(default_factory=dict)  # Parameters that lead to something, by service.

    def headers(self) -> dict[str, str]:
        token = self.issuer.issue(
            person_id=self.person_id, programme_id=self.programme_id, roles=list(Role), now=clock.now(),
            partner_id=self.partner_id,
        )  # fmt: skip
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="session")
def town(server: Server, issuer: EmbeddedIssuer) -> Iterator[Town]:
    server.prepare("bus")
    with contextlib.ExitStack() as stack:
        transport = PostgresTransport(server.open("bus", pool_size=2))
        stack.callback(transport.close)
        found = Town(issuer)
        verifier = TokenVerifier(issuer.key_store(), issuer=issuer.settings.issuer, audience=issuer.settings.audience)
        for service in SERVICES:
            server.prepare(service.name)
            database = server.open(service.name, pool_size=5)
            stack.callback(database.close)
            found.databases[service.name] = database
            found.apps[service.name] = create_app(
                service, database=database, transport=transport, verifier=verifier, options=OPTIONS
            )
        settle(found)
        yield found


def settle(town: Town) -> None:
    """Put one of everything into the programme, so that ids lead somewhere."""
    with town.databases["activities"].transaction() as tx:
        volunteer = activities.make_volunteer(tx, programme_id=town.programme_id)
        shift = activities.make_shift(tx, programme_id=town.programme_id)
        activities.make_sign_up(tx, shift, volunteer=volunteer)
        attendance = activities.make_settled(tx, shift, volunteer_id=volunteer.id)
        town.person_id, town.partner_id = volunteer.id, shift.partner_id
        town.known["activities"] = {"shift_id": str(shift.id), "attendance_id": str(attendance.id)}
    with town.databases["ledger"].transaction() as tx:
        version = ledger.make_policy_version(tx, programme_id=town.programme_id)
        donations.accrue(tx, [ledger.make_settled(programme_id=town.programme_id)], now=ledger.NOW)
    with TestClient(town.apps["ledger"]) as client:
        (donation,) = client.get("/api/ledger/donations", headers=town.headers()).json()["items"]
    town.known["ledger"] = {"donation_id": donation["id"], "version_id": str(version.id)}


def require_sound(found: Found, record: Any) -> None:
    """Fail for what was found, or for a run that looked at nothing."""
    record("measured", f"{found.cases} cases, statuses {dict(sorted(found.statuses.items()))}")
    assert found.errors == []
    failures = [f"{' '.join(key)}: {said}" for key, said in found.failures.items() if key not in KNOWN]
    assert not failures, "\n".join(failures)
    assert found.checks >= CHECKS
    assert found.phases.keys() >= {"examples", "coverage", "fuzzing", "stateful_testing"}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_sent_is_answered_as_documented(town: Town, name: str, record_property: Any) -> None:
    """No 5xx, no status, media type or shape that is not in the document; bad input is refused, good input is not."""
    found = fuzz(town.apps[name], name, examples=SAMPLE, headers=town.headers(), known={})

    require_sound(found, record_property)
    assert found.statuses[200] > 50


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_is_shown_as_documented(town: Town, name: str, record_property: Any) -> None:
    """The same where ids lead to something: answers have bodies, and rules say no."""
    found = fuzz(town.apps[name], name, examples=SAMPLE, headers=town.headers(), known=town.known[name])

    require_sound(found, record_property)
    assert found.statuses[200] > 50


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_gets_nothing(town: Town, name: str, record_property: Any) -> None:
    """Without a token there is one answer: sign in first. Only what is no operation at all is told so."""
    found = fuzz(town.apps[name], name, examples=SAMPLE, headers={}, known=town.known[name])

    record_property("measured", f"{found.cases} cases, statuses {dict(sorted(found.statuses.items()))}")
    assert found.errors == []
    assert {key for key in found.failures if key not in KNOWN} == set()
    assert found.statuses.keys() <= {401, 404, 405}
    assert found.statuses[401] > 300


@pytest.mark.nightly
@pytest.mark.parametrize("known", [False, True], ids=["any id", "ids that are there"])
@pytest.mark.parametrize("name", NAMES)
def test_all_night(town: Town, name: str, record_property: Any, *, known: bool) -> None:
    """The same with many more examples, and in sequences of calls."""
    parameters = town.known[name] if known else {}

    require_sound(fuzz(town.apps[name], name, examples=ALL, headers=town.headers(), known=parameters), record_property)
