"""Synthesise a season: a history of partners, proposals, shifts and people whose totals are those of the season file.

The same file gives the same history on every machine: one seeded source of chance, whole numbers only, no clock.
"""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from launch.season.assembly import Kind, Occasion, make_portion, make_proposals
from launch.season.attendance import draw_guests
from launch.season.calls import local_instant, make_rounds
from launch.season.crowds import draw_crowds
from launch.season.facts import Fate, Policy, SyntheticSeason, Volunteer
from launch.season.form import Season
from launch.season.hours import Goal, draw_credits
from launch.season.partners import make_partners
from launch.season.plan import CLAIM_DAYS, Slot, plan_slots
from launch.season.shares import share_of
from launch.season.volunteers import draw_people, number_people

_MAX_MINUTES = 480
_CAPACITIES, _DURATIONS = (8, 12, 15, 20, 30), (60, 90, 120, 150, 180, 240)  # Of what is not held.
_SHARE_NEEDED = 3  # An activity needs a third of its places taken.
_OFF = ("too_few", "weather", "venue", "host_unable", "force_majeure")
_OFF_WEIGHTS = (70, 10, 8, 8, 4)
_REJECTED = ("duplicate", "not_feasible", "incomplete", "unsafe", "off_topic")
_REJECTED_WEIGHTS = (30, 25, 25, 10, 10)
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
    plan = plan_slots(rng, season, partners)
    kinds = {slot.series: rng.choice(_KINDS) for slot in (*plan.held, *plan.others)}
    held, volunteers = _draw_held(rng, season, plan.held, kinds)
    occasions = [*held, *_draw_others(rng, season, plan.others, kinds)]
    proposals = make_proposals(season, occasions)
    pairs = list(zip(proposals, held, strict=False))
    end = season.reported.season.reporting_date
    return SyntheticSeason(
        policy=_policy(season),
        rounds=make_rounds(season),
        proposals=tuple(sorted(proposals, key=lambda proposal: proposal.listing.reference)),
        partners=partners,
        volunteers=volunteers,
        history=make_portion([pair for pair in pairs if not pair[1].slot.live]),
        live=make_portion([pair for pair in pairs if pair[1].slot.live]),
        live_on=end,
        claims_from=local_instant(season, end - timedelta(days=CLAIM_DAYS)),
    )


def _draw_held(
    rng: Random, season: Season, slots: Sequence[Slot], kinds: dict[int, Kind]
) -> tuple[list[Occasion], tuple[Volunteer, ...]]:
    """Draw for each slot that is held its length, its places and its people; return them with all volunteers."""
    crowds = draw_crowds(rng, season, slots)
    durations, credits_ = draw_credits(rng, [crowd.settled for crowd in crowds], _goal(season))
    guests = draw_guests(rng, season, slots, crowds, credits_)
    people = draw_people(rng, [slot.on for slot in slots], [len(group) for group in guests])
    numbered = number_people(people, sorted(range(len(slots)), key=lambda index: slots[index].on))
    occasions = [
        Occasion(
            slot=slot,
            kind=kinds[slot.series],
            duration=durations[index],
            capacity=crowds[index].capacity,
            minimum=max(1, len(guests[index]) // 2),
            fate="held",
            guests=guests[index],
            volunteers=[numbered[person] for person in people[index]],
        )
        for index, slot in enumerate(slots)
    ]
    return occasions, tuple(numbered.values())


def _draw_others(rng: Random, season: Season, slots: Sequence[Slot], kinds: dict[int, Kind]) -> list[Occasion]:
    """Draw for each slot that is not held what was offered, whether it was approved, and why nothing came of it."""
    said = season.reported.activities
    off, rejected = said.approved - said.held, said.proposals - said.approved
    fates: list[Fate] = [*["off"] * off, *["rejected"] * rejected]  # type: ignore[list-item]  # Of literals.
    rng.shuffle(fates)
    return [_draw_other(rng, slot, kinds[slot.series], fate) for slot, fate in zip(slots, fates, strict=True)]


def _draw_other(rng: Random, slot: Slot, kind: Kind, fate: Fate) -> Occasion:
    capacity = rng.choice(_CAPACITIES)
    reasons, weights = (_OFF, _OFF_WEIGHTS) if fate == "off" else (_REJECTED, _REJECTED_WEIGHTS)
    return Occasion(
        slot=slot, kind=kind, duration=rng.choice(_DURATIONS), capacity=capacity, minimum=capacity // _SHARE_NEEDED,
        fate=fate, reason=rng.choices(reasons, weights)[0],
    )  # fmt: skip


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
