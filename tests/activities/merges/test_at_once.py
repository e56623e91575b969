"""Merges that meet what else is done with the people: real connections."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.merges import actions
from services.activities.merges.actions import Decision
from services.activities.merges.tables import Merge
from services.activities.sign_ups.queries import find_states_of
from services.activities.volunteers.queries import lock_volunteer
from shared.database.sessions import Database
from shared.seen import ANYTHING
from tests.activities.racing import at_once, held
from tests.factories.activities import NINE, make_merge, make_shift, make_sign_up

OTHER = UUID("01800000-0000-7000-8000-00000000000c")


def approve(database: Database, merge: Merge) -> str:
    with database.transaction() as tx:
        decision = Decision(merge.programme_id, merge.id, ANYTHING, OTHER, NINE)
        return str(actions.approve(tx, decision).outcome)


def test_two_approvals_are_one(database: Database, programme: UUID) -> None:
    """Whoever comes second is told that it is decided."""
    with database.transaction() as tx:
        merge = make_merge(tx, programme_id=programme)

    outcomes = at_once(lambda: approve(database, merge), lambda: approve(database, merge))

    assert sorted(outcomes) == ["approved", "merge_decided"]


def test_two_merges_into_each_other_do_not_wait_in_a_circle(database: Database, programme: UUID) -> None:
    """Each locks both in order of id; the second finds that one of them is gone."""
    with database.transaction() as tx:
        one = make_merge(tx, programme_id=programme)
        two = make_merge(tx, programme_id=programme, kept_id=one.merged_id, merged_id=one.kept_id)

    outcomes = at_once(lambda: approve(database, one), lambda: approve(database, two))

    assert sorted(outcomes) == ["approved", "not_found"]


def test_what_the_person_does_meanwhile_goes_over_as_well(database: Database, programme: UUID) -> None:
    """A merge waits for who is signing up as the record that goes."""
    with database.transaction() as tx:
        merge = make_merge(tx, programme_id=programme)
        shift = make_shift(tx, programme_id=programme)

    def sign_up(tx: Session) -> None:
        person = lock_volunteer(tx, programme_id=programme, volunteer_id=merge.merged_id)
        make_sign_up(tx, tx.merge(shift), volunteer=person)

    with held(database, sign_up) as start:
        approval = start(lambda: approve(database, merge))

    assert approval.result() == "approved"
    with database.transaction() as tx:
        assert find_states_of(tx, volunteer_id=merge.kept_id) == {shift.id: "confirmed"}
