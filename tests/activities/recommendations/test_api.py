from datetime import timedelta

from sqlalchemy.orm import Session

from services.activities.profiles import actions as profiles
from services.activities.volunteers.tables import Volunteer
from shared.roles import Role
from tests.activities.door import Door, refusal
from tests.factories.activities import NINE, REVIEWER, make_listing, make_shift, make_volunteer


def test_each_comes_with_its_reasons_and_their_words(door: Door) -> None:
    """In both languages; the points add up; the same without anything of one's own."""
    door.watch.now = NINE - timedelta(days=2)

    def make(tx: Session) -> Volunteer:
        person = make_volunteer(tx, programme_id=door.programme_id)
        said = profiles.Said(person.id, skills=("reading",))
        profiles.take_over(tx, [said], programme_id=door.programme_id, by=REVIEWER, now=NINE)
        make_shift(tx, listing=make_listing(tx, programme_id=door.programme_id, skills=["reading"]), minimum=3)
        return person

    own = door.by(Role.VOLUNTEER, person_id=door.put_in(make).id)

    answer = own.get("/recommendations").json()

    assert (answer["rule_version"], answer["is_personal"]) == (1, True)
    (item,) = answer["items"]
    assert (item["points"], item["opening"]["free"]) == (55, 10)
    assert item["reasons"] == [
        {
            "code": "skill_matches",
            "title": {"zh": "需要您的技能", "en": "It asks for a skill of yours"},
            "points": 30,
            "skills": ["reading"],
            "missing": None,
        },
        {
            "code": "starts_soon_and_short",
            "title": {"zh": "即将开始，人数还不够", "en": "It starts soon and lacks people"},
            "points": 20,
            "skills": [],
            "missing": 3,
        },
        {
            "code": "room_left",
            "title": {"zh": "还有名额", "en": "There is room left"},
            "points": 5,
            "skills": [],
            "missing": None,
        },
    ]
    plain = own.get("/recommendations", is_personal=False).json()
    assert [reason["code"] for reason in plain["items"][0]["reasons"]] == ["starts_soon_and_short", "room_left"]
    assert plain["is_personal"] is False


def test_they_are_one_persons_own(door: Door) -> None:
    """Nobody sees another's, and who is not registered has none."""
    assert door.get("/recommendations").status_code == 403
    assert refusal(door.by(Role.VOLUNTEER).get("/recommendations")) == (404, "not_found")
