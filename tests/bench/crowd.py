"""A day of a programme: shifts that run now and people with places on them, written straight into the tables."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.check_ins.rules import code_at, code_step
from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.ids import new_id, new_ids
from shared.roles import Role
from shared.settings import Settings
from tests.bench.places import Places
from tests.factories.activities import SECRET, make_listing, make_shift

ON_A_SHIFT = 50  # People, as on a large one.
RUNS_FOR = timedelta(hours=8)
SERVED = timedelta(hours=2)  # By those who have come.


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a place on a shift, and what proves who they are."""

    shift_id: UUID
    volunteer_id: UUID
    token: str


@dataclass(frozen=True, slots=True)
class Crowd:
    """All people of a day; every shift shows the same code."""

    programme_id: UUID
    people: tuple[Person, ...]

    @property
    def mixed(self) -> list[Person]:
        """Everybody, neighbours on different shifts; in the same order whenever there are as many."""
        return Random(len(self.people)).sample(self.people, len(self.people))  # noqa: S311  Not a secret.

    @staticmethod
    def code() -> str:
        """Return the code that is shown now."""
        return code_at(SECRET, code_step(clock.now()))


def gather(places: Places, count: int, *, came: bool) -> Crowd:
    """Make a programme in a fresh database with so many people, who have come to their shifts already or not yet."""
    places.fresh("activities")
    programme_id = new_id()
    issuer = EmbeddedIssuer(places.processes.folder, Settings())
    with closing(places.server.open("activities", pool_size=1)) as database, database.transaction() as tx:
        placed = list(_placed(tx, programme_id, count, came=came))
    now, roles = clock.now(), (Role.VOLUNTEER,)
    return Crowd(
        programme_id,
        tuple(
            Person(
                shift_id, volunteer_id,
                issuer.issue(person_id=volunteer_id, programme_id=programme_id, roles=roles, now=now),
            )
            for shift_id, volunteer_id in placed
        ),
    )  # fmt: skip


def register(tx: Session, people: Sequence[UUID], *, programme_id: UUID, at: datetime) -> None:
    """Register people under these ids."""
    tx.execute(
        insert(Volunteer),
        [
            {"id": person, "employee_number": f"E-{person.hex[-12:]}", "display_name": "合成",
             "programme_id": programme_id, "registered_at": at}
            for person in people
        ],
    )  # fmt: skip


def _placed(tx: Session, programme_id: UUID, count: int, *, came: bool) -> Iterator[tuple[UUID, UUID]]:
    """Fill shift after shift, each of a partner of its own."""
    starts_at = clock.now() - (SERVED if came else timedelta())
    for placed in range(0, count, ON_A_SHIFT):
        people = new_ids(min(ON_A_SHIFT, count - placed))
        shift = make_shift(
            tx, listing=make_listing(tx, programme_id=programme_id), starts_at=starts_at, ends_at=starts_at + RUNS_FOR,
            service_on=starts_at.date(), capacity=ON_A_SHIFT, taken=len(people), state="running" if came else "open",
        )  # fmt: skip
        _seat(tx, shift, people, came=came)
        yield from ((shift.id, person) for person in people)


def _seat(tx: Session, shift: Shift, people: list[UUID], *, came: bool) -> None:
    whose = {"programme_id": shift.programme_id}
    register(tx, people, programme_id=shift.programme_id, at=shift.starts_at)
    tx.execute(
        insert(SignUp),
        [
            {"id": new_id(), "shift_id": shift.id, "volunteer_id": person, "source": "self", **whose,
             "signed_up_at": shift.starts_at}
            for person in people
        ],
    )  # fmt: skip
    if came:
        of_shift = {"shift_id": shift.id, "listing_id": shift.listing_id, "partner_id": shift.partner_id}
        tx.execute(
            insert(Attendance),
            [
                {"id": new_id(), "volunteer_id": person, "service_on": shift.service_on, "state": "checked_in",
                 "version": 0, "checked_in_at": shift.starts_at, **of_shift, **whose}
                for person in people
            ],
        )  # fmt: skip
