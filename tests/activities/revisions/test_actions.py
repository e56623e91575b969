from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.queries import list_versions
from services.activities.attendance.tables import Attendance
from services.activities.corrections import actions as corrections
from services.activities.corrections.actions import Decision
from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.actions import Record
from services.activities.eligibility.rules import Interval
from services.activities.revisions import actions
from shared.events.activities import AttendanceRevised, AttendanceSettled
from shared.seen import ANYTHING
from tests.activities.told import emitted
from tests.factories.activities import NOON, PROGRAMME, REVIEWER, at, make_settled, make_shift

EVENING = at(20)
HR = UUID("01800000-0000-7000-8000-00000000000c")
SECOND = date(2022, 6, 2)


def employ(tx: Session, person: UUID, *intervals: Interval) -> None:
    eligibility.replace_all(tx, Record(PROGRAMME, "letter of HR", HR, NOON), {person: intervals})


def minutes(tx: Session, row: Attendance) -> tuple[int, int, int]:
    tx.refresh(row)
    return row.version, row.service_minutes, row.matchable_minutes


@pytest.mark.parametrize(
    ("interval", "matchable"),
    [
        (Interval(None, date(2022, 6, 1)), 0), (Interval(None, SECOND), 180),
        (Interval(date(2022, 6, 1), None), 180), (Interval(SECOND, None), 0),
    ],
)  # fmt: skip
def test_service_of_who_has_left_is_recorded_and_not_matched(tx: Session, interval: Interval, matchable: int) -> None:
    """Volunteer left the company: what counts is the date of service, the last day is not the first day after it."""
    shift = make_shift(tx)
    person = make_settled(tx, make_shift(tx, starts_at=at(1), ends_at=at(2))).volunteer_id
    employ(tx, person, interval)

    record = make_settled(tx, shift, volunteer_id=person)

    assert minutes(tx, record) == (1, 180, matchable)
    [version] = list_versions(tx, record.id)
    assert (version.service_minutes, version.matchable_minutes) == (180, matchable)
    fact = emitted(tx)[-1]
    assert isinstance(fact, AttendanceSettled)
    assert (fact.service_minutes, fact.matchable_minutes) == (180, matchable)


def test_a_correction_keeps_to_it(tx: Session) -> None:
    """Whoever decides: a reviewer's word does not make anybody eligible."""
    record = make_settled(tx, make_shift(tx))
    employ(tx, record.volunteer_id, Interval(SECOND, None))
    decision = Decision(PROGRAMME, record.id, ANYTHING, "机构更正", REVIEWER, EVENING)
    presence = attendance.presence_of(record)

    corrections.correct(tx, decision, presence)

    assert minutes(tx, record) == (2, 180, 0)


class TestRevise:
    def test_what_is_settled_follows_what_becomes_known(self, tx: Session) -> None:
        """As a new version, with the reason of who recorded it; when it is taken back the minutes are too."""
        record = make_settled(tx, make_shift(tx))
        employ(tx, record.volunteer_id, Interval(None, date(2022, 6, 1)))
        assert actions.revise_eligibility(tx, [record.volunteer_id], now=EVENING) == 1
        assert minutes(tx, record) == (2, 180, 0)

        employ(tx, record.volunteer_id)
        assert actions.revise_eligibility(tx, [record.volunteer_id], now=EVENING) == 1
        assert minutes(tx, record) == (3, 180, 180)

        last = list_versions(tx, record.id)[-1]
        assert (last.kind, last.reason, last.decided_by, last.decided_at) == (
            "revised", "eligibility on the date of service: letter of HR", HR, EVENING,
        )  # fmt: skip
        told = [(type(fact), fact.version, fact.service_minutes, fact.matchable_minutes) for fact in emitted(tx)]
        assert told[1:] == [(AttendanceRevised, 2, 180, 0), (AttendanceRevised, 3, 180, 180)]

    def test_again_it_changes_nothing(self, tx: Session) -> None:
        """A worker may be asked twice, and late."""
        record = make_settled(tx, make_shift(tx))
        employ(tx, record.volunteer_id, Interval(SECOND, None))
        actions.revise_eligibility(tx, [record.volunteer_id], now=EVENING)
        told = emitted(tx)

        assert actions.revise_eligibility(tx, [record.volunteer_id], now=EVENING) == 0
        assert emitted(tx) == told

    def test_many_are_revised_each_by_their_own(self, tx: Session) -> None:
        """Of whom nothing is recorded nothing changes, nor what was voided."""
        shift = make_shift(tx)
        records = [make_settled(tx, shift) for _ in range(4)]
        people = [record.volunteer_id for record in records]
        employ(tx, people[0], Interval(SECOND, None))
        employ(tx, people[1], Interval(None, SECOND))
        employ(tx, people[2], Interval(SECOND, None))
        corrections.void(tx, Decision(PROGRAMME, records[2].id, ANYTHING, "误报", REVIEWER, NOON))

        assert actions.revise_eligibility(tx, people, now=EVENING) == 1

        assert [minutes(tx, record) for record in records] == [(2, 180, 0), (1, 180, 180), (2, 0, 0), (1, 180, 180)]

    def test_minutes_that_another_attendance_covers_stay_there(self, tx: Session) -> None:
        """The union of a person's intervals is the same, whoever pays for it."""
        first = make_settled(tx, make_shift(tx))
        shift = make_shift(tx, starts_at=at(11), ends_at=at(14))
        second = make_settled(tx, shift, came=at(11), left=at(14), volunteer_id=first.volunteer_id)
        employ(tx, first.volunteer_id, Interval(SECOND, None))

        assert actions.revise_eligibility(tx, [first.volunteer_id], now=EVENING) == 2

        assert (minutes(tx, first), minutes(tx, second)) == ((2, 180, 0), (2, 120, 0))
