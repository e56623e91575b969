from datetime import timedelta
from uuid import uuid4

import pytest

from services.activities.merges import rules
from services.activities.merges.rules import (
    Block,
    MergeBlocked,
    MergeDecided,
    OwnMergeApproved,
    SameRecord,
    Served,
)
from tests.factories.activities import NINE

ONE, TWO, THREE = uuid4(), uuid4(), uuid4()


def served(minutes: int, state: str = "settled") -> Served:
    return Served(state, NINE, NINE + timedelta(minutes=minutes))


CAME = Served("checked_in", None, None)


class TestIsLonger:
    @pytest.mark.parametrize(
        ("merged", "kept", "longer"),
        [
            (served(61), served(60), True), (served(60), served(60), False), (served(59), served(60), False),
            (served(0), CAME, True), (CAME, served(0), False), (CAME, CAME, False),
            (served(60, "voided"), served(30), False), (served(60, "voided"), CAME, False),
        ],
    )  # fmt: skip
    def test_the_longer_service_is_kept(self, merged: Served, kept: Served, *, longer: bool) -> None:
        """Of equal ones that of the record that stays; what was never settled, or was voided, is none."""
        assert rules.is_longer(merged, kept) is longer


class TestBlocks:
    def test_two_sign_ups_for_a_shift_to_come_are_decided_first(self) -> None:
        """By withdrawing one: the other record's may be over already."""
        found = rules.blocks(pending=[ONE, TWO], claimed=[], owed=[], signed_up=[ONE], served={}, under_way=[])
        assert found == {ONE: Block.OPEN_SIGN_UP}

    @pytest.mark.parametrize(
        ("kept", "merged", "blocked"),
        [
            (served(60, "voided"), served(60), True), (served(60, "voided"), served(60, "voided"), False),
            (served(60, "voided"), CAME, False), (served(60), served(60, "voided"), False), (CAME, served(60), False),
        ],
    )  # fmt: skip
    def test_what_was_voided_is_not_brought_back(self, kept: Served, merged: Served, *, blocked: bool) -> None:
        """Somebody decided that; the other record's service is decided about by a person as well."""
        found = rules.blocks(pending=[], claimed=[], owed=[], signed_up=[], served={ONE: (kept, merged)}, under_way=[])
        assert found == ({ONE: Block.VOIDED} if blocked else {})

    def test_a_claim_that_waits_is_decided_first_where_the_other_is_signed_up(self) -> None:
        """Elsewhere it goes over; an open sign-up is what is told of a shift with both."""
        found = rules.blocks(
            pending=[TWO], claimed=[ONE, TWO, THREE], owed=[], signed_up=[ONE, TWO], served={}, under_way=[]
        )
        assert found == {ONE: Block.OPEN_CLAIM, TWO: Block.OPEN_SIGN_UP}

    def test_open_work_is_decided_first_where_the_other_is_signed_up(self) -> None:
        """Elsewhere it goes over."""
        found = rules.blocks(pending=[], claimed=[], owed=[ONE, TWO], signed_up=[ONE], served={}, under_way=[])
        assert found == {ONE: Block.OPEN_WORK}

    def test_who_is_serving_checks_out_first(self) -> None:
        """As either record."""
        assert rules.blocks(pending=[], claimed=[], owed=[], signed_up=[], served={}, under_way=[ONE]) == {
            ONE: Block.UNDER_WAY
        }

    def test_the_refusal_lists_the_shifts(self) -> None:
        """Each with what stands against it."""
        rules.require_clear({})
        with pytest.raises(MergeBlocked) as refused:
            rules.require_clear({ONE: Block.VOIDED})
        assert refused.value.facts == {"shifts": {str(ONE): "voided"}}


def test_two_records_and_two_people() -> None:
    """And one decision."""
    rules.require_two(ONE, TWO)
    rules.require_another(maker_id=ONE, approver_id=TWO)
    rules.require_open(None)
    with pytest.raises(SameRecord):
        rules.require_two(ONE, ONE)
    with pytest.raises(OwnMergeApproved):
        rules.require_another(maker_id=ONE, approver_id=ONE)
    for outcome in ("approved", "declined"):
        with pytest.raises(MergeDecided):
            rules.require_open(outcome)
