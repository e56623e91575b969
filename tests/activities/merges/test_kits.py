"""Kits that a person has in hand before their two records become one."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.kits.queries import find_blocking
from services.activities.merges import actions
from services.activities.merges.actions import Decision
from services.activities.volunteers.tables import Volunteer
from shared.seen import ANYTHING
from tests.factories.activities import NOON, make_merge, make_sign_up
from tests.factories.kits import make_craft_shift, make_kit

OTHER = UUID("01800000-0000-7000-8000-00000000000c")


def test_all_kits_of_either_record_are_the_persons(tx: Session) -> None:
    """Also where both had a place on one shift; what is overdue of either keeps the person from another."""
    merge, shift = make_merge(tx), make_craft_shift(tx)
    kept, merged = (tx.get_one(Volunteer, each) for each in (merge.kept_id, merge.merged_id))
    mine = make_kit(tx, place=make_sign_up(tx, shift, volunteer=kept), state="shipped")
    theirs = make_kit(tx, place=make_sign_up(tx, shift, volunteer=merged, state="withdrawn"), state="overdue")
    gone_over = make_kit(tx, place=make_sign_up(tx, make_craft_shift(tx), volunteer=merged))
    people = merge.kept_id, merge.merged_id

    actions.approve(tx, Decision(merge.programme_id, merge.id, ANYTHING, OTHER, NOON))

    tx.expire_all()
    assert {kit.volunteer_id for kit in (mine, theirs, gone_over)} == {people[0]}
    assert find_blocking(tx, volunteer_ids=people, now=NOON) == {people[0]: theirs.id}
