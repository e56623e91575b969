from uuid import uuid4

import pytest

from services.activities.acceptances import rules
from services.activities.deliverables.rules import Command


class TestAcceptance:
    @pytest.mark.parametrize(
        ("pieces", "reason", "found"),
        [
            (None, None, (Command.ACCEPT, 3)),
            (3, None, (Command.ACCEPT, 3)),
            (2, "一件有错", (Command.ACCEPT_PARTLY, 2)),
            (1, "两件有错", (Command.ACCEPT_PARTLY, 1)),
        ],
    )
    def test_all_or_some_pieces_are_accepted(
        self, pieces: int | None, reason: str | None, found: tuple[Command, int]
    ) -> None:  # fmt: skip
        """All of them unless it is said how many; fewer than were handed in need a reason."""
        assert rules.acceptance(pieces, handed_in=3, reason=reason) == found

    @pytest.mark.parametrize("pieces", [-1, 0, 4])
    def test_none_and_more_than_there_are_cannot_be(self, pieces: int) -> None:
        """None at all is a rejection."""
        with pytest.raises(rules.BadPieces):
            rules.acceptance(pieces, handed_in=3, reason="x")

    def test_fewer_need_a_reason(self) -> None:
        """The volunteer is told why."""
        with pytest.raises(rules.PartNeedsReason):
            rules.acceptance(2, handed_in=3, reason=None)


def test_minutes_are_agreed_by_the_piece() -> None:
    """Whole minutes."""
    assert rules.agreed_minutes(pieces=3, minutes_per_piece=45) == 135


def test_nobody_accepts_their_own_work() -> None:
    """A partner's member may be the volunteer."""
    me, you = uuid4(), uuid4()
    rules.require_stranger(you, volunteer_id=me)
    with pytest.raises(rules.OwnDeliverable):
        rules.require_stranger(me, volunteer_id=me)


def test_one_decides_on_the_last_submission() -> None:
    """Not on what was handed in before."""
    rules.require_last(2, last=2)
    for submission in (1, 3):
        with pytest.raises(rules.SubmissionSuperseded):
            rules.require_last(submission, last=2)
