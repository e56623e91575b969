"""The facts that contenders are given, and the people who bring them about."""

from uuid import UUID

from shared.ids import new_id
from tests.bench.crowd import Crowd, Person
from tests.bench.facts import REPEATED, tell, unique

COUNT = 3 * REPEATED


def test_one_letter_in_a_hundred_is_told_again_and_counts_once() -> None:
    """Whoever adds up each letter adds up too much."""
    told = tell(COUNT, programme_id=UUID(int=1))

    assert len(told) == COUNT + COUNT // REPEATED
    assert len(unique(told)) == COUNT == len({fact.attendance_id for fact in unique(told)})


def test_a_mixed_crowd_is_everybody_in_another_order() -> None:
    """The same order each time, so that contenders meet the same crowd."""
    people = tuple(Person(UUID(int=number // 50), new_id(), "token") for number in range(500))
    crowd = Crowd(UUID(int=1), people)

    assert set(crowd.mixed) == set(people)
    assert crowd.mixed == crowd.mixed != list(people)
    assert len({person.shift_id for person in crowd.mixed[:32]}) > 1
