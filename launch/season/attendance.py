"""What each person on each shift does: when they come and go, and how well that is proven."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from launch.season import presence
from launch.season.crowds import Crowd, missed_check_ins
from launch.season.facts import Evidence
from launch.season.form import Season
from launch.season.hours import Credit
from launch.season.plan import Slot
from launch.season.presence import Stay
from launch.season.shares import share_of

_ATTESTED = Fraction(2, 3)  # Of the recovered ones, whom the partner saw; the others claimed and were confirmed.


@dataclass(frozen=True, slots=True)
class Guest:
    """One person on a shift: the stay and its evidence."""

    stay: Stay
    evidence: Evidence


def draw_guests(
    rng: Random, season: Season, slots: Sequence[Slot], crowds: Sequence[Crowd], credits_: Sequence[Credit]
) -> list[list[Guest]]:
    """Draw the guests of each slot: those who earn the given credits, then those who never settle."""
    late = _draw_late(rng, season, credits_)
    evidence = _draw_evidence(rng, season, [slots[credit.slot] for credit in credits_])
    guests: list[list[Guest]] = [[] for _ in slots]
    for index, credit in enumerate(credits_):
        stay = _draw_stay(rng, season, credit, late=index in late, live=slots[credit.slot].live)
        guests[credit.slot].append(Guest(stay, evidence[index]))
    for slot, crowd in enumerate(crowds):
        guests[slot] += [Guest(presence.draw_lapsed(rng), "scanned") for _ in range(crowd.unsettled)]
    return guests


def _draw_stay(rng: Random, season: Season, credit: Credit, *, late: bool, live: bool) -> Stay:
    """Draw a stay that earns the credit."""
    duration, step = credit.duration, season.step_minutes
    missed = presence.draw_missed(rng, duration=duration, steps=credit.steps, step=step, late=late)
    return presence.draw_stay(rng, duration=duration, missed=missed, late=late, live=live)


def _draw_late(rng: Random, season: Season, credits_: Sequence[Credit]) -> frozenset[int]:
    """Draw who comes late: the season's share of the participations, or all who can without losing a credit."""
    step = season.step_minutes
    able = [
        index
        for index, credit in enumerate(credits_)
        if presence.may_be_late(duration=credit.duration, steps=credit.steps, step=step)
    ]
    count = share_of(len(credits_), season.assumed.late_arrival_share)
    return frozenset(rng.sample(able, min(count, len(able))))


def _draw_evidence(rng: Random, season: Season, slots: Sequence[Slot]) -> list[Evidence]:
    """Draw how well each participation is proven: scanned, but for the recovered ones, none of whom is live.

    Of what can still be claimed, the partner and the volunteer both say when it ended.
    """
    evidence: list[Evidence] = ["scanned"] * len(slots)
    past = [index for index, slot in enumerate(slots) if not slot.live]
    recovered = rng.sample(past, min(missed_check_ins(season)[0], len(past)))
    recovered.sort(key=lambda index: not slots[index].recent)
    attested = round(len(recovered) * _ATTESTED)
    for number, index in enumerate(recovered):
        evidence[index] = "attested" if number < attested or slots[index].recent else "claimed"
    return evidence
