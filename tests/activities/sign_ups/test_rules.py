from datetime import timedelta

import pytest

from services.activities.sign_ups import rules
from tests.factories.activities import NOON


def test_places_are_taken_until_the_end() -> None:
    """The end itself is excluded."""
    rules.require_before_end(NOON, now=NOON - timedelta(microseconds=1))
    with pytest.raises(rules.ShiftOver):
        rules.require_before_end(NOON, now=NOON)


@pytest.mark.parametrize(("taken", "is_full"), [(0, False), (9, False), (10, True), (11, True)])
def test_there_are_as_many_places_as_were_offered(taken: int, *, is_full: bool) -> None:
    """History may have exceeded them; then too none is left."""
    if is_full:
        with pytest.raises(rules.ShiftFull):
            rules.require_room(taken=taken, capacity=10)
    else:
        rules.require_room(taken=taken, capacity=10)
