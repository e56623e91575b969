"""Synthesise a season: a history of partners, shifts and people whose totals are exactly those of the season file.

The same file gives the same history on every machine: one seeded source of chance, whole numbers only, no clock.
"""

from collections.abc import Sequence
from random import Random

from launch.season.assembly import Kind, Occasion, local_instant, make_portion
from launch.season.attendance import draw_guests
from launch.season.crowds import draw_crowds
from launch.season.facts import Policy, SyntheticSeason, Volunteer
from launch.season.form import Season
from launch.season.hours import Goal, draw_credits
from launch.season.partners import make_partners
from launch.season.plan import Slot, plan_slots
from launch.season.shares import share_of
from launch.season.volunteers import draw_people, number_people

_MAX_MINUTES = 480
_KINDS = (
    Kind("线上陪伴阅读", "online"),
    Kind("公益数据整理", "online"),
    Kind("线上简历辅导", "online"),
    Kind("社区环境维护", "on_site"),
    Kind("博物馆讲解", "on_site"),
    Kind("乐龄手机课堂", "on_site"),
    Kind("手工编织围巾", "craft"),
    Kind("手绘明信片", "craft"),
)


def synthesise(season: Season) -> SyntheticSeason:
    """Synthesise a season that `read_season` accepted; the same season gives the same result, always."""
    rng = Random(season.assumed.seed)  # noqa: S311  Reproducible, not secret.  # Reproducible, not secret.
    partners = make_partners(rng, season)
    slots = plan_slots(rng, season, partners)
    occasions, volunteers = _draw_occasions(rng, season, slots)
    return SyntheticSeason(
        policy=_policy(season),
        partners=partners,
        volunteers=volunteers,
        history=make_portion(season, (occasion for occasion in occasions if not occasion.slot.live)),
        live=make_portion(season, (occasion for occasion in occasions if occasion.slot.live)),
        live_on=season.reported.season.reporting_date,
    )


def _draw_occasions(rng: Random, season: Season, slots: Sequence[Slot]) -> tuple[list[Occasion], tuple[Volunteer, ...]]:
    """Draw for each slot its work, its length, its places and its people; return them with all volunteers."""
    kinds = [rng.choice(_KINDS) for _ in range(slots[-1].listing + 1)]
    crowds = draw_crowds(rng, season, slots)
    durations, credits_ = draw_credits(rng, [crowd.settled for crowd in crowds], _goal(season))
    guests = draw_guests(rng, season, slots, crowds, credits_)
    people = draw_people(rng, [slot.on for slot in slots], [len(group) for group in guests])
    numbered = number_people(people, sorted(range(len(slots)), key=lambda index: slots[index].on))
    occasions = [
        Occasion(
            slot=slot,
            kind=kinds[slot.listing],
            duration=durations[index],
            capacity=crowds[index].capacity,
            guests=guests[index],
            volunteers=[numbered[person] for person in people[index]],
        )
        for index, slot in enumerate(slots)
    ]
    return occasions, tuple(numbered.values())


def _goal(season: Season) -> Goal:
    """Say in hour steps what the season is credited with."""
    late = share_of(season.reported.activities.participations, season.assumed.late_arrival_share)
    return Goal(credited=season.credited_minutes // season.step_minutes, step=season.step_minutes, late=late)


def _policy(season: Season) -> Policy:
    """Make the matching policy, in force from the beginning of the first round's day."""
    return Policy(
        rate_fen_per_hour=season.reported.season.rate_fen_per_hour,
        step_minutes=season.step_minutes,
        min_minutes=season.step_minutes,
        max_minutes=_MAX_MINUTES,
        effective_from=local_instant(season, season.assumed.first_round),
    )
