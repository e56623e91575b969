"""What is known of somebody becomes what is recommended to them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from services.activities.eligibility import actions as eligibility
from services.activities.eligibility.rules import Interval
from services.activities.listings.tables import Shift
from services.activities.profiles import actions as profiles
from services.activities.recommendations import actions, queries, rules
from services.activities.recommendations.rules import Choice, Code
from services.activities.volunteers.tables import Volunteer
from shared.errors import NotFound
from shared.ids import new_id
from tests.factories.activities import (
    NINE,
    NOON,
    REVIEWER,
    make_listing,
    make_partner,
    make_settled,
    make_shift,
    make_sign_up,
    make_volunteer,
)
from tests.factories.feedback import make_feedback
from tests.factories.kits import make_craft_shift, make_kit

NOW = NINE - timedelta(days=2)
DAY = timedelta(days=1)


@pytest.fixture
def person(tx: Session) -> Volunteer:
    """Register somebody in a programme of their own."""
    return make_volunteer(tx, programme_id=new_id())


def make_opening(tx: Session, person: Volunteer, *, partner_id: UUID | None = None, **overrides: Any) -> Shift:
    """Publish a shift on the first of June for ten people, of whom none are needed any more."""
    owner = {} if partner_id is None else {"partner_id": partner_id}
    texts = {name: overrides.pop(name) for name in ("mode", "city", "skills") if name in overrides}
    listing = make_listing(tx, programme_id=person.programme_id, **owner | texts)
    return make_shift(tx, listing=listing, **{"taken": 1} | overrides)


def recommended(tx: Session, person: Volunteer, *, is_personal: bool = True) -> list[Choice]:
    whose = {"programme_id": person.programme_id, "volunteer_id": person.id}
    return actions.recommend(tx, **whose, is_personal=is_personal, now=NOW)


def shifts(choices: Sequence[Choice]) -> list[UUID]:
    return [choice.offer.shift_id for choice in choices]


def codes(choices: Sequence[Choice]) -> list[list[Code]]:
    return [[reason.code for reason in choice.reasons] for choice in choices]


def say(tx: Session, person: Volunteer) -> None:
    said = profiles.Said(person.id, "研发", "上海", ("zh",), ("reading",))
    profiles.take_over(tx, [said], programme_id=person.programme_id, by=REVIEWER, now=NINE)


def serve(tx: Session, person: Volunteer, partner_id: UUID, *, days: int, **marks: Any) -> None:
    """Have the person serve so many days before the first of June, and rate it if marks are given."""
    times = {"starts_at": NINE - days * DAY, "ends_at": NOON - days * DAY}
    listing = make_listing(tx, programme_id=person.programme_id, partner_id=partner_id)
    shift = make_shift(tx, listing=listing, **times, service_on=(NINE - days * DAY).date())
    make_sign_up(tx, shift, volunteer=person, state="attended")
    came, left = times["starts_at"], times["ends_at"]
    record = make_settled(tx, shift, came=came, left=left, volunteer_id=person.id)
    if marks:
        make_feedback(tx, record, marks=marks)


def test_what_a_person_said_and_did_speaks_for_something(tx: Session, person: Volunteer) -> None:
    """Skill, city, partner, rating and time, all at once and best first."""
    say(tx, person)
    partner = make_partner(tx, programme_id=person.programme_id)
    for days, marks in ((7, {"overall": 5}), (14, {})):
        serve(tx, person, partner.id, days=days, **marks)
    best = make_opening(tx, person, partner_id=partner.id, city="上海", mode="on_site", skills=["reading"])
    near = make_opening(tx, person, city="上海市", mode="on_site")
    plain = make_opening(tx, person)

    found = recommended(tx, person)

    assert shifts(found) == [best.id, near.id, plain.id]
    usual = [Code.USUAL_TIME, Code.ROOM_LEFT]
    assert codes(found) == [
        [Code.SKILL_MATCHES, Code.LIKED_BEFORE, Code.SAME_CITY, Code.SAME_PARTNER_AS_BEFORE, *usual],
        [Code.SAME_CITY, *usual],
        usual,
    ]


def test_without_personal_reasons_only_places_count(tx: Session, person: Volunteer) -> None:
    """Whoever wants nothing of theirs used sees what everybody new sees, without what they cannot take."""
    say(tx, person)
    near = make_opening(tx, person, city="上海", mode="on_site", skills=["reading"])
    short = make_opening(tx, person, taken=0, starts_at=NINE + DAY, ends_at=NOON + DAY)
    taken = make_opening(tx, person, starts_at=NINE + 2 * DAY, ends_at=NOON + 2 * DAY)
    make_sign_up(tx, taken, volunteer=person)

    found = recommended(tx, person, is_personal=False)

    assert shifts(found) == [short.id, near.id]
    assert codes(found) == [[Code.STARTS_SOON_AND_SHORT, Code.ROOM_LEFT], [Code.ROOM_LEFT]]


@pytest.mark.parametrize(
    "marks", [{"overall": 3}, {"overall": True}, {"overall": "5"}, {"organisation": 5}, {"overall": 2}]
)
def test_a_rating_is_a_number_from_four_on(tx: Session, person: Volunteer, marks: dict[str, Any]) -> None:
    """Of a form that asks otherwise nothing is concluded."""
    partner = make_partner(tx, programme_id=person.programme_id)
    serve(tx, person, partner.id, days=7, **marks)
    make_opening(tx, person, partner_id=partner.id)

    (found,) = codes(recommended(tx, person))

    assert Code.LIKED_BEFORE not in found
    assert (Code.SAME_PARTNER_AS_BEFORE in found) == (marks.get("overall") != 2)


@pytest.mark.parametrize("state", ["confirmed", "waitlisted", "offered", "withdrawn", "no_show"])
def test_what_was_decided_is_not_recommended(tx: Session, person: Volunteer, state: str) -> None:
    """Neither what somebody has nor what they gave back; nobody else's sign-up counts."""
    shift, other = make_opening(tx, person), make_opening(tx, person, starts_at=NOON, ends_at=NOON + DAY / 8)
    make_sign_up(tx, shift, volunteer=person, state=state)
    make_sign_up(tx, other)

    assert shifts(recommended(tx, person)) == [other.id]


@pytest.mark.parametrize(("state", "count"), [("confirmed", 0), ("offered", 0), ("waitlisted", 1), ("withdrawn", 1)])
def test_nobody_is_in_two_places(tx: Session, person: Volunteer, state: str, count: int) -> None:
    """As the door that gives places has it: a line keeps nobody from another place."""
    make_opening(tx, person)
    make_sign_up(tx, make_opening(tx, person), volunteer=person, state=state)

    assert len(recommended(tx, person)) == count


def test_what_would_not_be_matched_is_not_recommended(tx: Session, person: Volunteer) -> None:
    """By the date of the service: who leaves in between is not asked for afterwards."""
    told = eligibility.Record(person.programme_id, "letter", REVIEWER, NINE)
    eligibility.take_over(tx, told, {person.id: Interval(date(2020, 1, 1), date(2022, 6, 2))})
    before = make_opening(tx, person)
    make_opening(tx, person, starts_at=NINE + DAY, ends_at=NOON + DAY, service_on=date(2022, 6, 2))

    assert shifts(recommended(tx, person)) == [before.id]


def test_who_gets_no_kit_is_asked_for_none(tx: Session, person: Volunteer) -> None:
    """As long as one is lost and not cleared."""
    craft = make_craft_shift(tx, programme_id=person.programme_id, state="open")
    assert shifts(recommended(tx, person)) == [craft.id]

    lost_on = make_shift(tx, programme_id=person.programme_id, starts_at=NOW - DAY, ends_at=NOW)
    make_kit(tx, place=make_sign_up(tx, lost_on, volunteer=person, state="attended"), state="lost")

    assert recommended(tx, person) == []


@pytest.mark.parametrize(
    "overrides",
    [
        {"taken": 10},
        {"closed_at": NOW},
        {"starts_at": NOW, "ends_at": NOW + timedelta(hours=1)},
        {"starts_at": NOW + rules.AHEAD + timedelta(minutes=1), "ends_at": NOW + rules.AHEAD + timedelta(hours=1)},
    ],
)
def test_what_takes_nobody_is_not_looked_at(tx: Session, person: Volunteer, overrides: dict[str, Any]) -> None:
    """Full, closed, begun, or too far ahead."""
    make_opening(tx, person, **overrides)

    assert queries.list_offers(tx, programme_id=person.programme_id, now=NOW) == []


def test_other_programmes_are_others(tx: Session, person: Volunteer) -> None:
    """Their shifts are not recommended, and their people are nobody here."""
    stranger = make_volunteer(tx, programme_id=new_id())
    make_opening(tx, stranger)

    assert recommended(tx, person) == []
    with pytest.raises(NotFound):
        actions.recommend(tx, programme_id=person.programme_id, volunteer_id=stranger.id, is_personal=True, now=NOW)


def test_the_number_of_statements_does_not_grow(tx: Session, person: Volunteer) -> None:
    """With what is open, and with what somebody did."""
    sent = []
    for count in (1, 20):
        for number in range(count):
            serve(tx, person, make_partner(tx, programme_id=person.programme_id).id, days=20 * count + number)
            make_opening(tx, person)
        tx.expunge_all()
        statements: list[str] = []

        def collect(*details: Any, into: list[str] = statements) -> None:
            into.append(details[2])

        event.listen(tx.get_bind(), "before_cursor_execute", collect)
        recommended(tx, tx.merge(person, load=False))
        event.remove(tx.get_bind(), "before_cursor_execute", collect)
        sent.append(len(statements))

    assert sent[0] == sent[1] < 10
