from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.volunteers import actions
from services.activities.volunteers.queries import get_volunteer
from services.activities.volunteers.rules import EmployeeNumberTaken, Registration
from services.activities.volunteers.tables import Volunteer
from shared.database.sessions import Database
from shared.errors import NotFound
from shared.events.activities import VolunteerRegistered
from tests.activities.racing import at_once
from tests.activities.told import told
from tests.factories.activities import NINE, NOON, PROGRAMME, make_volunteer

SOMEBODY = Registration("E1", "合成甲")


def register(tx: Session, registration: Registration = SOMEBODY, programme_id: UUID = PROGRAMME) -> Volunteer:
    return actions.register(tx, programme_id=programme_id, registration=registration, now=NINE)


def test_a_person_is_registered_once(tx: Session) -> None:
    """Again, later, is neither a second person nor an error."""
    first = register(tx)

    again = actions.register(tx, programme_id=PROGRAMME, registration=SOMEBODY, now=NOON)

    assert again is first
    new = VolunteerRegistered(programme_id=PROGRAMME, volunteer_id=first.id, registered_at=NINE)
    assert told(tx) == [new]
    [row] = tx.scalars(select(Volunteer).where(Volunteer.programme_id == PROGRAMME))
    assert (row.employee_number, row.display_name, row.registered_at) == ("E1", "合成甲", NINE)


def test_another_person_does_not_take_over_a_number(tx: Session) -> None:
    """The first keeps it; the refusal names the field and nobody."""
    register(tx)

    with pytest.raises(EmployeeNumberTaken) as refused:
        register(tx, Registration("E1", "合成乙"))

    assert refused.value.facts == {"field": "employee_number"}
    assert tx.scalars(select(Volunteer.display_name).where(Volunteer.programme_id == PROGRAMME)).all() == ["合成甲"]


def test_each_programme_has_its_own_people(tx: Session) -> None:
    """One number in two programmes is two people, each seen in its own programme only."""
    elsewhere = uuid4()
    first, second = register(tx), register(tx, Registration("E1", "合成乙"), elsewhere)

    assert first.id != second.id
    assert get_volunteer(tx, programme_id=elsewhere, volunteer_id=second.id) is second
    for volunteer_id in (first.id, uuid4()):
        with pytest.raises(NotFound):
            get_volunteer(tx, programme_id=elsewhere, volunteer_id=volunteer_id)


def test_many_are_registered_with_those_who_are_already(tx: Session) -> None:
    """Only the new ones are counted."""
    known = make_volunteer(tx)
    people = [Registration(known.employee_number, "合成甲"), Registration("E2", "合成乙"), Registration("E3", "合成丁")]

    assert actions.register_all(tx, programme_id=PROGRAMME, registrations=people, now=NINE) == 2
    assert actions.register_all(tx, programme_id=PROGRAMME, registrations=people, now=NINE) == 0
    assert actions.register_all(tx, programme_id=PROGRAMME, registrations=[], now=NINE) == 0


def test_two_lists_at_once_do_not_wait_for_each_other_in_a_circle(database: Database, programme: UUID) -> None:
    """One list upside down is the worst case; each person is registered by one of the two."""
    people = [Registration(f"E{number}", "合成甲") for number in range(3_000)]

    def register_in(order: list[Registration]) -> int:
        with database.transaction() as tx:
            return actions.register_all(tx, programme_id=programme, registrations=order, now=NINE)

    counts = at_once(lambda: register_in(people), lambda: register_in(people[::-1]))

    assert sum(int(count) for count in counts) == len(people)
