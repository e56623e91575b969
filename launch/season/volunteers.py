"""Who comes to which shift: a few people often, most once or twice, and nobody to two shifts of one day."""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from random import Random

from launch.season.facts import Volunteer

_POOL_PER_HUNDRED = 51  # People who may come, for a hundred who do; not all of them ever will.
_TAIL = 45  # The larger, the more often the keenest come.


def draw_people(rng: Random, days: Sequence[date], rows: Sequence[int]) -> list[list[int]]:
    """Draw `rows` different people (from 0) for each shift, given its day; nobody has two shifts on one day."""
    by_day: dict[date, list[int]] = {}
    for index in sorted(range(len(days)), key=days.__getitem__):
        by_day.setdefault(days[index], []).append(index)
    needs = {day: sum(rows[index] for index in indices) for day, indices in by_day.items()}
    keenness = _keenness(max(*needs.values(), sum(rows) * _POOL_PER_HUNDRED // 100, 1))
    people: list[list[int]] = [[] for _ in days]
    for day, indices in by_day.items():
        guests = iter(_draw_distinct(rng, keenness, needs[day]))
        for index in indices:
            people[index] = [next(guests) for _ in range(rows[index])]
    return people


def number_people(people: Sequence[Sequence[int]], order: Sequence[int]) -> dict[int, Volunteer]:
    """Give everybody who came an employee number, in order of first appearance along `order`."""
    seen = dict.fromkeys(person for index in order for person in people[index])
    return {person: _volunteer(number) for number, person in enumerate(seen, start=1)}


def _keenness(size: int) -> list[int]:
    """Say how likely each of `size` people is to come, as running totals."""
    return list(accumulate(1_000_000_000 // (person + 1 + size // _TAIL) for person in range(size)))


def _draw_distinct(rng: Random, keenness: Sequence[int], count: int) -> list[int]:
    """Draw `count` different people, the keen ones more often; fill up evenly if too many were drawn twice."""
    everyone = range(len(keenness))
    drawn = list(dict.fromkeys(rng.choices(everyone, cum_weights=keenness, k=count * 2)))[:count]
    if len(drawn) < count:
        known = set(drawn)
        drawn += rng.sample([person for person in everyone if person not in known], count - len(drawn))
    return drawn


def _volunteer(number: int) -> Volunteer:
    """Name a volunteer so that nobody can take it for a real one."""
    return Volunteer(employee_number=f"E{number:06d}", display_name=f"合成志愿者 {number:06d}")
