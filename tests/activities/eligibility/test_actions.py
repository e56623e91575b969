from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.activities.eligibility import actions, queries
from services.activities.eligibility.actions import PEOPLE_A_TASK, Record, revise_eligibility
from services.activities.eligibility.rules import BadIntervals, Interval
from services.activities.eligibility.tables import Eligibility, EligibleInterval
from services.activities.volunteers.tables import Volunteer
from shared.bus.tables import TaskRun
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.seen import Seen
from tests.activities.racing import at_once
from tests.factories.activities import NINE, PROGRAMME, REVIEWER, make_volunteer

NEW = Seen(("0",))
TOLD = Record(PROGRAMME, "letter of HR", REVIEWER, NINE)
MAY, JUNE, JULY = (date(2022, month, 1) for month in (5, 6, 7))


@pytest.fixture
def person(tx: Session) -> Volunteer:
    return make_volunteer(tx)


def record(tx: Session, person: Volunteer, *intervals: Interval, seen: Seen = NEW) -> None:
    actions.record(tx, TOLD, volunteer_id=person.id, intervals=intervals, seen=seen)


def known(tx: Session, person: Volunteer) -> list[Interval]:
    return queries.find_intervals(tx, [person.id]).get(person.id, [])


def asked(tx: Session) -> list[str]:
    rows = select(TaskRun.arguments).where(TaskRun.task == revise_eligibility.name, TaskRun.programme_id == PROGRAMME)
    return list(tx.scalars(rows.order_by(TaskRun.id)))


class TestRecord:
    def test_all_that_was_recorded_is_replaced(self, tx: Session, person: Volunteer) -> None:
        """With who said so and why; each time what is settled is decided again."""
        record(tx, person, Interval(JUNE, None), Interval(None, MAY))
        assert known(tx, person) == [Interval(None, MAY), Interval(JUNE, None)]
        record(tx, person, Interval(JULY, None), seen=Seen(("1",)))

        assert known(tx, person) == [Interval(JULY, None)]
        row = queries.find_recorded(tx, [person.id])[person.id]
        assert (row.version, row.reason, row.recorded_by, row.recorded_at) == (2, "letter of HR", REVIEWER, NINE)
        assert asked(tx) == [f'["{person.id}"]'] * 2

    def test_none_at_all_makes_eligible_again(self, tx: Session, person: Volunteer) -> None:
        """That it was said stays."""
        record(tx, person, Interval(None, MAY))
        record(tx, person, seen=Seen(("1",)))
        assert queries.are_eligible(tx, [(person.id, JUNE)]) == {(person.id, JUNE): True}
        assert queries.find_recorded(tx, [person.id])[person.id].version == 2

    @pytest.mark.parametrize(
        ("refusal", "wrong"),
        [(ChangedSince, {"seen": Seen(("1",))}), (BadIntervals, {"until": MAY}), (NotFound, {"person": uuid4()})],
    )
    def test_a_refusal_changes_nothing(
        self, tx: Session, person: Volunteer, refusal: type[Exception], wrong: dict[str, Any]
    ) -> None:
        """Neither rows nor a task."""
        intervals = [Interval(MAY, wrong.get("until"))]
        with pytest.raises(refusal):
            actions.record(
                tx, TOLD, volunteer_id=wrong.get("person", person.id), intervals=intervals, seen=wrong.get("seen", NEW)
            )
        assert (known(tx, person), asked(tx)) == ([], [])


class TestTakeOver:
    def test_an_interval_takes_the_place_of_those_it_overlaps(self, tx: Session, person: Volunteer) -> None:
        """An earlier employment stays."""
        record(tx, person, Interval(date(2018, 1, 1), date(2019, 1, 1)), Interval(date(2020, 1, 1), None))
        other = make_volunteer(tx)

        actions.take_over(
            tx, TOLD, {person.id: Interval(date(2020, 1, 1), JUNE), other.id: Interval(MAY, None)}
        )  # fmt: skip

        assert known(tx, person) == [Interval(date(2018, 1, 1), date(2019, 1, 1)), Interval(date(2020, 1, 1), JUNE)]
        assert known(tx, other) == [Interval(MAY, None)]
        assert queries.find_recorded(tx, [person.id])[person.id].version == 2

    def test_many_are_decided_again_in_parts(self, tx: Session) -> None:
        """Each person in one of them."""
        people = [make_volunteer(tx).id for _ in range(PEOPLE_A_TASK + 1)]
        actions.take_over(tx, TOLD, dict.fromkeys(people, Interval(MAY, None)))
        told = [task.count(",") + 1 for task in asked(tx)]
        assert told == [PEOPLE_A_TASK, 1]

    def test_nobody_is_nothing(self, tx: Session) -> None:
        """A sheet without dates."""
        actions.take_over(tx, TOLD, {})
        assert asked(tx) == []


def test_eligibility_is_asked_of_many_at_once(tx: Session, person: Volunteer) -> None:
    """By person and date; of whom nothing is recorded on every date."""
    record(tx, person, Interval(MAY, JUNE))
    other = make_volunteer(tx).id
    pairs = [(person.id, MAY), (person.id, date(2022, 5, 31)), (person.id, JUNE), (other, JUNE)]
    assert list(queries.are_eligible(tx, pairs).values()) == [True, True, False, True]
    assert queries.are_eligible(tx, []) == {}


@pytest.mark.parametrize("during", [Range(MAY, JULY), Range(JUNE, JUNE), Range(None, None)])
def test_the_database_lets_no_two_share_a_date(tx: Session, person: Volunteer, during: Range[date]) -> None:
    """Whoever writes; an empty one neither."""
    record(tx, person, Interval(JUNE, None))
    tx.add(EligibleInterval(volunteer_id=person.id, during=during))
    with pytest.raises(IntegrityError):
        tx.flush()


def test_of_two_at_once_the_first_is_kept(database: Database, programme: UUID) -> None:
    """Both had read that there is nothing yet."""
    with database.transaction() as tx:
        someone = make_volunteer(tx, programme_id=programme).id

    def say(since: date) -> str:
        with database.transaction() as tx:
            told = Record(programme, "x", REVIEWER, NINE)
            actions.record(tx, told, volunteer_id=someone, intervals=[Interval(since, None)], seen=NEW)
            return "done"

    assert sorted(map(str, at_once(lambda: say(MAY), lambda: say(JUNE)))) == ["done", "precondition_failed"]
    with database.transaction() as tx:
        rows = select(Eligibility.version).where(Eligibility.volunteer_id == someone)
        assert tx.scalars(rows).all() == [1]
