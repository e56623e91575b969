"""Identifiers: UUIDv7 that grow."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import RFC_4122, UUID

from shared.ids import new_id, new_ids
from tests.waiting import until


def milliseconds_of(identifier: UUID) -> int:
    return identifier.int >> 80


def test_an_id_is_a_version_7_uuid() -> None:
    """Other software reads our keys as what they are (RFC 9562 section 5.7)."""
    for _ in range(100):
        identifier = new_id()
        assert (identifier.version, identifier.variant) == (7, RFC_4122)


def test_an_id_tells_when_it_was_made() -> None:
    """Keys made one after the other lie side by side in an index, also those of different processes."""
    before = time.time_ns() // 1_000_000
    identifier = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= milliseconds_of(identifier) <= after + 1


def test_each_id_is_greater_than_the_one_before() -> None:
    """A list page in the order of keys is in the order of time, within a millisecond too."""
    made = [new_id() for _ in range(20_000)]

    assert all(one < other for one, other in pairwise(made))


def test_ids_made_at_once_are_like_those_made_singly() -> None:
    """Each greater than the one before it, over the batch's edges too, and each with a chance of its own."""
    made = [new_id(), *new_ids(5_000), new_id(), *new_ids(1), *new_ids(0), new_id()]

    assert len(made) == 5_004
    assert all(one < other for one, other in pairwise(made))
    assert {(each.version, each.variant) for each in made} == {(7, RFC_4122)}
    assert len({each.int & (1 << 62) - 1 for each in made}) == len(made)


def test_batches_of_ids_of_many_threads_do_not_meet() -> None:
    """A batch takes its place in the sequence at once."""
    together = threading.Barrier(4)

    def make(_: int) -> list[list[UUID]]:
        together.wait()
        return [new_ids(50) for _ in range(200)]

    with ThreadPoolExecutor(4) as pool:
        batches = [batch for made in pool.map(make, range(4)) for batch in made]

    batches.sort()
    assert all(one[-1] < other[0] for one, other in pairwise(batches))


def test_ids_of_many_threads_are_distinct_and_grow_in_each() -> None:
    """A web process makes ids in forty threads at once."""
    together = threading.Barrier(4)

    def make(_: int) -> list[UUID]:
        together.wait()
        return [new_id() for _ in range(5_000)]

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(4)))

    assert all(one < other for row in made for one, other in pairwise(row))
    assert len({identifier for row in made for identifier in row}) == 20_000


def test_the_rest_of_an_id_is_left_to_chance() -> None:
    """Nobody guesses the next key from the last."""
    tails = {new_id().int & (1 << 62) - 1 for _ in range(1_000)}

    assert len(tails) == 1_000


def test_an_id_can_be_made_to_follow_another() -> None:
    """What follows from an event comes after it, even where that machine's clock was ahead."""
    ahead = UUID(int=new_id().int + (50 << 80))
    follower = new_id(after=ahead)

    assert ahead < follower < new_id()
    assert milliseconds_of(follower) - milliseconds_of(ahead) <= 1
    # Until then this process makes ids of that time, which is not what other tests expect.
    until(lambda: time.time_ns() // 1_000_000 > milliseconds_of(new_id()) - 1, timeout=5, missing="that time")
