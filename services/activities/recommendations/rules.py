"""What is recommended to somebody, and why. Source: DOMAIN.md section 4, "Sign-up"; docs/decisions/0059.

Each reason has its points, and both are shown: whoever adds them up knows why something stands where it stands. Nothing
else moves anything; how reliable somebody is does not, and nobody loses anything by taking nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.activities.checklists.rules import Mode
from services.activities.eligibility.rules import Interval, is_eligible
from services.activities.openings.rules import Part, part_of, spellings
from shared.errors import Title

VERSION: Final = 1
MOST: Final = 20
MOST_OF_ONE: Final = 2  # Shifts of one activity, lest it fill the list.
AHEAD: Final = timedelta(days=60)
SOON: Final = timedelta(days=14)
LIKED, DISLIKED = 4, 2  # Of 5: from here on up, and from here on down.
USUAL_TIMES: Final = 2  # Who was there at such a time as often as this usually has time then.


class Code(StrEnum):
    """Why something is recommended."""

    SKILL_MATCHES = "skill_matches"
    LIKED_BEFORE = "liked_before"
    SAME_CITY = "same_city"
    STARTS_SOON_AND_SHORT = "starts_soon_and_short"
    SAME_PARTNER_AS_BEFORE = "same_partner_as_before"
    USUAL_TIME = "usual_time"
    FROM_ANYWHERE = "from_anywhere"
    ROOM_LEFT = "room_left"


POINTS: Final[Mapping[Code, int]] = {
    Code.SKILL_MATCHES: 30,
    Code.LIKED_BEFORE: 25,
    Code.SAME_CITY: 20,
    Code.STARTS_SOON_AND_SHORT: 20,
    Code.SAME_PARTNER_AS_BEFORE: 10,
    Code.USUAL_TIME: 10,
    Code.FROM_ANYWHERE: 10,
    Code.ROOM_LEFT: 5,
}
TITLES: Final[Mapping[Code, Title]] = {
    Code.SKILL_MATCHES: Title(zh="需要您的技能", en="It asks for a skill of yours"),
    Code.LIKED_BEFORE: Title(zh="您对该机构的活动评价很好", en="You rated an activity of this partner well"),
    Code.SAME_CITY: Title(zh="在您所在的城市", en="It is in your city"),
    Code.STARTS_SOON_AND_SHORT: Title(zh="即将开始，人数还不够", en="It starts soon and lacks people"),
    Code.SAME_PARTNER_AS_BEFORE: Title(zh="您参加过该机构的活动", en="You served with this partner before"),
    Code.USUAL_TIME: Title(zh="在您常参加的时段", en="It is at a time at which you usually serve"),
    Code.FROM_ANYWHERE: Title(zh="不用出门，在哪里都能做", en="It can be done from anywhere"),
    Code.ROOM_LEFT: Title(zh="还有名额", en="There is room left"),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A shift that takes people; `local_start` is its start as the clocks of its place show it."""

    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    starts_at: datetime
    ends_at: datetime
    service_on: date
    local_start: datetime
    mode: str | None
    city: str | None
    skills: Collection[str]
    capacity: int
    taken: int
    minimum: int
    awaits_draw: bool
    has_kit: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """Where somebody served, when by local time, and how they rated it, 1 to 5, if they did."""

    partner_id: UUID
    local_start: datetime
    rating: int | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What keeps somebody from a shift: those that they ever signed up for, when they are busy, and employment."""

    known: Collection[UUID] = ()
    busy: Sequence[tuple[datetime, datetime]] = ()
    employed: Sequence[Interval] = ()
    gets_no_kit: bool = False


@dataclass(frozen=True, slots=True)
class Leanings:
    """What speaks for something; of who is new, or wants nothing of it used, nothing is known."""

    city: str | None = None
    skills: frozenset[str] = frozenset()
    partners: frozenset[UUID] = frozenset()
    liked: frozenset[UUID] = frozenset()
    usual: frozenset[tuple[int, Part]] = frozenset()


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason with its points; `skills` are those that match, `missing` how many people a shift lacks."""

    code: Code
    skills: tuple[str, ...] = ()
    missing: int | None = None

    @property
    def points(self) -> int:
        """What it counts."""
        return POINTS[self.code]


_PLAIN: Final = {code: Reason(code) for code in Code}


@dataclass(frozen=True, slots=True)
class Choice:
    """A shift that is recommended, with every reason."""

    offer: Offer
    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """What its reasons add up to."""
        return sum(reason.points for reason in self.reasons)


def leanings(visits: Iterable[Visit], *, city: str | None, skills: Collection[str]) -> Leanings:
    """Say what speaks for something, by where somebody served, oldest first, and by their profile.

    A partner is liked, or not, by the latest rating; one that was rated badly is not recommended for being known.
    """
    partners, ratings, times = set[UUID](), dict[UUID, int](), Counter[tuple[int, Part]]()
    for visit in visits:
        partners.add(visit.partner_id)
        times[_time_of(visit.local_start)] += 1
        if visit.rating is not None:
            ratings[visit.partner_id] = visit.rating
    return Leanings(
        city=city,
        skills=frozenset(skills),
        partners=frozenset(each for each in partners if ratings.get(each, LIKED) > DISLIKED),
        liked=frozenset(each for each, rating in ratings.items() if rating >= LIKED),
        usual=frozenset(time for time, count in times.items() if count >= USUAL_TIMES),
    )


def is_open_to(offer: Offer, bounds: Bounds) -> bool:
    """Say whether somebody could have a place on a shift, and has not decided about it already."""
    if offer.shift_id in bounds.known or (offer.has_kit and bounds.gets_no_kit):
        return False
    if offer.taken >= offer.capacity and not offer.awaits_draw:
        return False
    if any(starts_at < offer.ends_at and offer.starts_at < ends_at for starts_at, ends_at in bounds.busy):
        return False
    return is_eligible(bounds.employed, offer.service_on)


def reasons_for(offer: Offer, person: Leanings, *, now: datetime) -> tuple[Reason, ...]:
    """Return every reason for a shift, those that count most first."""
    skills = tuple(sorted(person.skills.intersection(offer.skills)))
    missing = max(offer.minimum - offer.taken, 0)
    holds = {
        Code.SKILL_MATCHES: bool(skills),
        Code.LIKED_BEFORE: offer.partner_id in person.liked,
        Code.SAME_CITY: _is_near(offer, person.city),
        Code.STARTS_SOON_AND_SHORT: missing > 0 and offer.starts_at - now <= SOON,
        Code.SAME_PARTNER_AS_BEFORE: offer.partner_id in person.partners,
        Code.USUAL_TIME: _time_of(offer.local_start) in person.usual,
        Code.FROM_ANYWHERE: offer.mode in {Mode.ONLINE, Mode.CRAFT},
        Code.ROOM_LEFT: offer.taken < offer.capacity and not offer.awaits_draw,
    }
    known = _PLAIN | {
        Code.SKILL_MATCHES: Reason(Code.SKILL_MATCHES, skills=skills),
        Code.STARTS_SOON_AND_SHORT: Reason(Code.STARTS_SOON_AND_SHORT, missing=missing),
    }
    return tuple(known[code] for code in POINTS if holds[code])


def best(offers: Iterable[Offer], person: Leanings, bounds: Bounds, *, now: datetime) -> list[Choice]:
    """Return what is recommended, most points first, then the soonest; of one activity a few shifts alone."""
    open_to = (Choice(offer, reasons_for(offer, person, now=now)) for offer in offers if is_open_to(offer, bounds))
    ordered = sorted(open_to, key=lambda each: (-each.points, each.offer.starts_at, each.offer.shift_id))
    chosen, counted = list[Choice](), Counter[UUID]()
    for choice in ordered:
        if choice.reasons and counted[choice.offer.listing_id] < MOST_OF_ONE:
            counted[choice.offer.listing_id] += 1
            chosen.append(choice)
    return chosen[:MOST]


def _is_near(offer: Offer, city: str | None) -> bool:
    """Say whether work that is done in a city is done in this one; other work has no city that matters."""
    if not city or not offer.city or offer.mode in {Mode.ONLINE, Mode.CRAFT}:
        return False
    return spellings(offer.city) == spellings(city)


def _time_of(local: datetime) -> tuple[int, Part]:
    return local.isoweekday(), part_of(local)
