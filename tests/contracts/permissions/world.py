"""Two programmes, two partners and two people, each with one of everything that a route can be asked for."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.feedback_forms.rules import Side as AnsweringSide
from services.activities.manifests import actions as manifests
from services.activities.proposals.rules import State
from services.activities.proposals.tables import Proposal
from services.activities.rounds.tables import Round
from services.activities.volunteers.tables import Volunteer
from services.activities.work_files.queries import list_files
from services.ledger.donations.tables import Donation
from services.ledger.main import SERVICE as LEDGER
from services.ledger.policies.queries import list_in_force
from shared.bus.inbox import Inbox
from shared.bus.tables import Replay, TaskRun
from shared.database.sessions import Database
from shared.ids import new_id
from shared.imports.tables import Import
from tests.factories import activities, calendar_feeds, certificates, deliverables, feedback, kits, ledger, proposals
from tests.factories.activities import NINE, NOON
from tests.shared.bus.dead_letters.dying import make_dead

Things = dict[str, Any]  # By the name that a path gives them: `shift_id`; ids, but for a code.


@dataclass(frozen=True)
class Side:
    """What belongs to one partner and one person of one programme, by service."""

    programme_id: UUID
    partner_id: UUID = field(default_factory=uuid4)
    volunteer_id: UUID = field(default_factory=uuid4)
    things: dict[str, Things] = field(default_factory=dict)

    @property
    def whose(self) -> Things:
        """Name the partner and the person."""
        return {"partner_id": self.partner_id, "volunteer_id": self.volunteer_id}

    @property
    def of_person(self) -> set[UUID]:
        """Name what is one person's alone."""
        return {self.volunteer_id, *(self.things[service][name] for service, name in PERSONAL)}

    @property
    def of_partner(self) -> set[UUID]:
        """Name what is one partner's alone."""
        partners = {thing for things in self.things.values() for name, thing in things.items() if name not in SHARED}
        return {self.partner_id, self.volunteer_id, *partners}

    @property
    def of_programme(self) -> set[UUID]:
        """Name everything of this side."""
        return self.of_partner | {thing for things in self.things.values() for thing in things.values()}


PERSONAL = (
    ("activities", "attendance_id"),
    ("activities", "claim_id"),
    ("activities", "deliverable_id"),
    ("activities", "file_id"),
    ("activities", "kit_id"),
    ("activities", "spare_kit_id"),
    ("activities", "walk_in_id"),
    ("activities", "sign_up_id"),
    ("activities", "remark_id"),
    ("activities", "certificate_id"),
    ("activities", "own_feed_id"),
    ("ledger", "donation_id"),
    ("ledger", "attendance_id"),
)
SHARED = {
    "round_id",
    "policy_version_id",
    "letter_id",
    "spare_letter_id",
    "replay_id",
    "run_id",
    "import_id",
    "skill_code",
    "merge_id",
    "appeal_id",
}  # Of the programme as a whole.


@dataclass(frozen=True)
class World:
    """What is the caller's, what is another's of the same programme, and what is another programme's."""

    own: Side
    other: Side
    elsewhere: Side


def make_world(databases: dict[str, Database]) -> World:
    """Put the three sides into the services' databases."""
    ours = uuid4()
    world = World(Side(ours), Side(ours), Side(uuid4()))
    for side in (world.own, world.other, world.elsewhere):
        for service, make in (("activities", _of_activities), ("ledger", _of_ledger)):
            database = databases[service]
            side.things[service] = make(database, side) | _of_the_kit(database, side)
    with databases["activities"].transaction() as tx:
        manifests.count_nightly(tx, now=NOON + timedelta(days=1))
    return world


def _of_activities(database: Database, side: Side) -> Things:
    with database.transaction() as tx:
        programme = {"programme_id": side.programme_id}
        activities.make_partner(tx, id=side.partner_id, reference=str(side.partner_id), **programme)
        person = activities.make_volunteer(tx, id=side.volunteer_id, **programme)
        listing = activities.make_listing(tx, partner_id=side.partner_id, **programme)
        shift = activities.make_shift(tx, listing=listing)
        missed_on = activities.make_shift(tx, listing=listing, number=2)
        missed = activities.make_sign_up(tx, missed_on, volunteer=person)
        sign_up = activities.make_sign_up(tx, shift, volunteer=person)
        attendance = activities.make_settled(tx, shift, volunteer_id=person.id)
        proposal, spare = (_proposal(tx, side) for _ in range(2))
        later = activities.make_shift(tx, listing=listing, number=4, starts_at=NOON, ends_at=activities.at(15))
        activities.make_sign_up(tx, later, volunteer=person)
        served = activities.make_settled(
            tx, later, came=NOON, left=activities.at(15), volunteer_id=person.id
        )  # Nobody voids this one.
        craft = kits.make_craft_shift(tx, listing=listing, number=5, starts_at=NOON, ends_at=activities.at(14))
        kit = kits.make_kit(tx, place=activities.make_sign_up(tx, craft, volunteer=person))
        lost = kits.make_kit(tx, place=activities.make_sign_up(tx, craft), state="lost")
        kits.make_address(tx, kit)
        answered, _, remark = (feedback.make_feedback(tx, served, side=each) for each in AnsweringSide)
        return {
            "shift_id": shift.id,
            "listing_id": listing.id,
            "spare_listing_id": activities.make_listing(tx, partner_id=side.partner_id, **programme).id,
            "drawn_shift_id": activities.make_draw(tx, activities.make_shift(tx, listing=listing, number=3)).shift_id,
            "sign_up_id": sign_up.id,
            "attendance_id": attendance.id,
            "proposal_id": proposal.id,
            "spare_proposal_id": spare.id,
            "answered_shift_id": later.id,
            "feedback_id": answered.id,
            "remark_id": remark.id,
            **_feeds(tx, side),
            "certificate_id": certificates.make_certificate(tx, served).id,
            "spare_volunteer_id": activities.make_volunteer(tx, **programme).id,
            "twin_volunteer_id": activities.make_volunteer(tx, **programme).id,
            "import_id": _import(tx, side),
            "round_id": _round(tx, side),
            "kit_id": kit.id,
            "spare_kit_id": kits.make_kit(tx, place=activities.make_sign_up(tx, craft)).id,
            "kit_cost_id": kits.make_kit_cost(tx, lost).id,
            "claim_id": activities.make_claim(tx, missed, shift=missed_on).id,
            **_work(tx, side, person),
            "walk_in_id": activities.make_walk_in(tx, missed_on, volunteer_id=person.id).id,
            "incident_id": activities.make_incident(
                tx, shift=shift, opened_by=person.id, opened_side="volunteer", shared_at=NOON
            ).id,
            "appeal_id": activities.make_appeal(tx, **programme).id,
            "merge_id": activities.make_merge(tx, **programme).id,
            "skill_code": activities.make_skill(tx, **programme).code,
        }


def _work(tx: Session, side: Side, person: Volunteer) -> Things:
    """Make work that the person has handed in, with a file."""
    shift = deliverables.make_work_shift(
        tx, programme_id=side.programme_id, partner_id=side.partner_id, owed_at=NOON, starts_at=activities.at(16),
        ends_at=activities.at(17),
    )  # fmt: skip
    row = deliverables.make_submitted(tx, shift=shift, place=activities.make_sign_up(tx, shift, volunteer=person))
    [(file, _)] = list_files(tx, row.id)
    return {"deliverable_id": row.id, "file_id": file.id}


def _feeds(tx: Session, side: Side) -> Things:
    """Make one calendar feed for each way to see one: all of them are the person's, and one the partner's as well."""
    make, programme_id, person_id = calendar_feeds.make_feed, side.programme_id, side.volunteer_id
    own = make(tx, volunteer_id=person_id, programme_id=programme_id)
    hosts = make(tx, partner_id=side.partner_id, person_id=person_id, programme_id=programme_id)
    return {"own_feed_id": own.id, "calendar_feed_id": hosts.id}


def _import(tx: Session, side: Side) -> UUID:
    row = Import(
        id=new_id(), programme_id=side.programme_id, kind="volunteers", state="staged", file_name="people.csv",
        file_kind="csv", timezone="UTC", creates=0, updates=0, skips=0, rejects=1, errors=[], samples={},
        staged_by=uuid4(), staged_at=NINE, reject_file=b"x",
    )  # fmt: skip
    tx.add(row)
    tx.flush()
    return row.id


def _round(tx: Session, side: Side) -> UUID:
    """Return the programme's round, which both of its sides have, with the calendar."""
    found = tx.scalars(select(Round.id).where(Round.programme_id == side.programme_id)).first()
    if found is None:
        activities.make_round_calendar(tx, programme_id=side.programme_id)
        found = activities.make_round(tx, programme_id=side.programme_id).id
    return found


def _proposal(tx: Session, side: Side) -> Proposal:
    call = tx.get_one(Round, _round(tx, side))
    return proposals.make_proposal(tx, state=State.SUBMITTED, call=call, partner_id=side.partner_id)


def _of_ledger(database: Database, side: Side) -> Things:
    with database.transaction() as tx:
        proposed = ledger.make_policy_version(tx, programme_id=side.programme_id, approved=False)
    fact = ledger.make_settled(
        programme_id=side.programme_id, partner_id=side.partner_id, volunteer_id=side.volunteer_id
    )
    with database.transaction() as tx:
        if not list_in_force(tx, [side.programme_id], first=fact.started_at, last=fact.started_at):
            ledger.make_policy_version(tx, programme_id=side.programme_id)
    Inbox(database, LEDGER.subscriptions).settle([ledger.delivery_of(fact)])
    with database.transaction() as tx:
        donation_id = tx.scalars(select(Donation.id).where(Donation.attendance_id == fact.attendance_id)).one()
    return {"policy_version_id": proposed.id, "donation_id": donation_id, "attendance_id": fact.attendance_id}


def _of_the_kit(database: Database, side: Side) -> Things:
    settled, settled_again = (ledger.make_settled(programme_id=side.programme_id) for _ in range(2))
    letter_id, spare_letter_id = make_dead(database, settled), make_dead(database, settled_again)
    with database.transaction() as tx:
        replay = Replay(
            id=new_id(), programme_id=side.programme_id, requested_by=uuid4(), why="made", selection="{}",
            letters_per_second=1, total=0, requested_at=NINE, finished_at=NOON,
        )  # fmt: skip
        run = TaskRun(
            id=new_id(), task="kit.made", arguments="[]", programme_id=side.programme_id, traceparent="", state="done",
            finished_at=NOON,
        )  # fmt: skip
        tx.add_all([replay, run])
        tx.flush()
        return {"letter_id": letter_id, "spare_letter_id": spare_letter_id, "replay_id": replay.id, "run_id": run.id}
