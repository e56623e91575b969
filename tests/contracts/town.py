"""The services' apps in this process, over databases of their own, with one of everything in one programme."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from launch.services import SERVICES
from services.activities.listings.tables import Listing
from services.activities.manifests import actions as manifests
from services.activities.proposals.rules import State
from services.activities.work_files.queries import list_files
from services.ledger.donations import actions as donations
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.tokens import TokenVerifier
from shared.bus.transport.postgres import PostgresTransport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.roles import PEOPLE
from shared.web.app import create_app
from tests.factories import activities, calendar_feeds, certificates, deliverables, feedback, kits, ledger, proposals
from tests.web_options import OPTIONS


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

    @property
    def now(self) -> datetime:
        return clock.now()

    def headers(self) -> dict[str, str]:
        token = self.issuer.issue(
            person_id=self.person_id, programme_id=self.programme_id, roles=sorted(PEOPLE), now=clock.now(),
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
        answered = feedback.make_feedback(tx, attendance)
        proposal = proposals.make_proposal(
            tx, state=State.IN_REVIEW, programme_id=town.programme_id, partner_id=shift.partner_id
        )
        work = deliverables.make_work_shift(tx, programme_id=town.programme_id, partner_id=shift.partner_id)
        owed = deliverables.make_submitted(
            tx, shift=work, place=activities.make_sign_up(tx, work, volunteer=volunteer)
        )  # fmt: skip
        [(file, _)] = list_files(tx, owed.id)
        craft = kits.make_craft_shift(
            tx, listing=tx.get_one(Listing, shift.listing_id), number=2, starts_at=activities.NOON,
            ends_at=activities.at(14),
        )  # fmt: skip
        kit = kits.make_kit(tx, place=activities.make_sign_up(tx, craft, volunteer=volunteer))
        kits.make_address(tx, kit)
        lost = kits.make_kit(tx, place=activities.make_sign_up(tx, craft), state="lost")
        missed = activities.make_sign_up(tx, shift, state="missed")
        claim, incident = activities.make_claim(tx, missed, shift=shift), activities.make_incident(tx, shift=shift)
        calendar_feeds.make_feed(
            tx, secret=calendar_feeds.SECRET, volunteer_id=volunteer.id, programme_id=town.programme_id
        )
        town.known["activities"] = {
            "claim_id": str(claim.id), "incident_id": str(incident.id),
            "kit_id": str(kit.id), "kit_cost_id": str(kits.make_kit_cost(tx, lost).id),
            "service_on": str(shift.service_on),
            "shift_id": str(shift.id), "attendance_id": str(attendance.id), "feedback_id": str(answered.id),
            "calendar_feed_id": str(calendar_feeds.make_feed(tx, programme_id=town.programme_id).id),
            "address": calendar_feeds.SECRET,
            "certificate_id": str(certificates.make_certificate(tx, attendance).id),
            "deliverable_id": str(owed.id), "file_id": str(file.id),
            "proposal_id": str(proposal.id), "round_id": str(proposal.round_id),
        }  # fmt: skip
        manifests.count_nightly(tx, now=activities.NOON + timedelta(days=1))
    with town.databases["ledger"].transaction() as tx:
        version = ledger.make_policy_version(tx, programme_id=town.programme_id)
        donations.accrue(tx, [ledger.make_settled(programme_id=town.programme_id)], now=ledger.NOW)
    with TestClient(town.apps["ledger"]) as client:
        (donation,) = client.get("/api/ledger/donations", headers=town.headers()).json()["items"]
    town.known["ledger"] = {"donation_id": donation["id"], "version_id": str(version.id)}
