"""What a person has handed in before their two records become one."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.acceptances import actions as acceptances
from services.activities.acceptances.actions import Judge
from services.activities.attendance.tables import Attendance
from services.activities.deliverables.queries import list_submissions
from services.activities.deliverables.tables import Deliverable
from services.activities.listings.tables import Shift
from services.activities.merges import actions
from services.activities.merges.actions import Decision
from services.activities.merges.rules import MergeBlocked
from services.activities.merges.tables import Merge
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.seen import ANYTHING
from tests.factories.activities import PROGRAMME, REVIEWER, at, make_merge, make_settled, make_sign_up
from tests.factories.deliverables import make_submitted, make_work_shift

OTHER = UUID("01800000-0000-7000-8000-00000000000c")


@pytest.fixture
def merge(tx: Session) -> Merge:
    return make_merge(tx)


@pytest.fixture
def shift(tx: Session) -> Shift:
    return make_work_shift(tx, concluded_at=at(13), owed_at=at(12))


def approve(tx: Session, merge: Merge) -> None:
    tx.flush()
    tx.expire_all()  # As in a transaction of its own.
    actions.approve(tx, Decision(merge.programme_id, merge.id, ANYTHING, OTHER, at(15)))
    tx.expire_all()


def handed_in(tx: Session, shift: Shift, volunteer_id: UUID) -> Deliverable:
    person = tx.get_one(Volunteer, volunteer_id)
    place = make_sign_up(tx, shift, volunteer=person, state="attended", ended_at=at(13))
    make_settled(tx, shift, volunteer_id=person.id)
    return make_submitted(tx, shift=shift, place=place)


def accept(tx: Session, row: Deliverable) -> None:
    judge = Judge(Scope(PROGRAMME, partner_id=row.partner_id), REVIEWER, at(14))
    acceptances.accept(tx, judge, row.id, pieces=None, reason=None, seen=ANYTHING)


def minutes(tx: Session, volunteer_id: UUID) -> list[tuple[int, int]]:
    rows = select(Attendance).where(Attendance.volunteer_id == volunteer_id, Attendance.state == "settled")
    found = tx.scalars(rows.execution_options(populate_existing=True))
    return [(each.service_minutes, each.matchable_minutes) for each in found]


def test_open_work_goes_over_and_is_accepted_there(tx: Session, merge: Merge, shift: Shift) -> None:
    """With its submissions; nothing of it is matched before, and the agreed minutes after."""
    row = handed_in(tx, shift, merge.merged_id)

    approve(tx, merge)

    assert row.volunteer_id == merge.kept_id
    assert [each.volunteer_id for each in list_submissions(tx, row.id)] == [merge.kept_id]
    assert minutes(tx, merge.kept_id) == [(180, 0)]
    accept(tx, row)
    assert minutes(tx, merge.kept_id) == [(180, 90)]


def test_agreed_minutes_go_over(tx: Session, merge: Merge, shift: Shift) -> None:
    """What was accepted is matched to the record that stays."""
    accept(tx, handed_in(tx, shift, merge.merged_id))
    approve(tx, merge)
    assert (minutes(tx, merge.kept_id), minutes(tx, merge.merged_id)) == ([(180, 90)], [])


def test_open_work_is_decided_first_where_both_have_the_shift(tx: Session, merge: Merge, shift: Shift) -> None:
    """Else nobody could accept it any more."""
    row = handed_in(tx, shift, merge.merged_id)
    handed_in(tx, shift, merge.kept_id)
    with pytest.raises(MergeBlocked) as refused:
        approve(tx, merge)
    assert refused.value.facts["shifts"] == {str(shift.id): "open_work"}
    accept(tx, row)
    approve(tx, merge)
    assert row.volunteer_id == merge.merged_id
