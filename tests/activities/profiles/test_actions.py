from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.activities.profiles import actions, queries
from services.activities.profiles.actions import Said, Wish
from services.activities.profiles.rules import UnknownLanguage
from services.activities.profiles.tables import Profile
from services.activities.skills.rules import UnknownSkill
from services.activities.volunteers.tables import Volunteer
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.ids import new_id
from shared.seen import Seen
from tests.activities.racing import at_once
from tests.factories.activities import NINE, NOON, PROGRAMME, REVIEWER, make_skill, make_volunteer

NEW = Seen(("0",))


@pytest.fixture
def person(tx: Session) -> Volunteer:
    return make_volunteer(tx)


def edit(tx: Session, person: Volunteer, *, seen: Seen = NEW, **wish: Any) -> Profile:
    wanted = Wish(**{"city": "上海", "languages": ["zh"], "skills": []} | wish)
    return actions.edit(
        tx, wanted, programme_id=PROGRAMME, volunteer_id=person.id, seen=seen, by=person.id, now=NINE
    )  # fmt: skip


def take_over(tx: Session, *said: Said) -> None:
    actions.take_over(tx, said, programme_id=PROGRAMME, by=REVIEWER, now=NOON)


def profile(tx: Session, volunteer_id: UUID) -> tuple[Any, ...]:
    row = queries.find_profiles(tx, [volunteer_id])[volunteer_id]
    return row.version, row.department, row.city, row.languages, row.skills, row.changed_by, row.changed_at


class TestEdit:
    def test_what_is_wished_is_kept_in_order(self, tx: Session, person: Volunteer) -> None:
        """Each word once; who never said anything is not kept."""
        assert queries.find_profiles(tx, [person.id]) == {}
        for code in ("reading", "juggling"):
            make_skill(tx, code=code)

        edit(tx, person, languages=["zh", "en", "zh"], skills=["reading", "juggling"])

        assert profile(tx, person.id) == (1, None, "上海", ["en", "zh"], ["juggling", "reading"], person.id, NINE)

    def test_again_it_is_a_new_version_of_the_whole(self, tx: Session, person: Volunteer) -> None:
        """The department stays, which is not theirs; what is left out is gone."""
        take_over(tx, Said(person.id, department="研发"))
        edit(tx, person, seen=Seen(("1",)), city=None, languages=[])
        assert profile(tx, person.id) == (2, "研发", None, [], [], person.id, NINE)

    def test_an_old_reading_changes_nothing(self, tx: Session, person: Volunteer) -> None:
        """Two windows of one person."""
        edit(tx, person)
        with pytest.raises(ChangedSince):
            edit(tx, person, city="北京")
        assert profile(tx, person.id)[:3] == (1, None, "上海")

    @pytest.mark.parametrize(
        ("wish", "refusal"), [({"skills": ["reading"]}, UnknownSkill), ({"languages": ["汉语"]}, UnknownLanguage)]
    )
    def test_words_that_are_not_known_are_refused(
        self, tx: Session, person: Volunteer, wish: dict[str, Any], refusal: type[Exception]
    ) -> None:
        """A skill of another programme is one of them."""
        make_skill(tx, code="reading", programme_id=uuid4())
        with pytest.raises(refusal):
            edit(tx, person, **wish)
        assert queries.find_profiles(tx, [person.id]) == {}

    def test_a_retired_skill_is_kept_and_not_chosen(self, tx: Session, person: Volunteer) -> None:
        """The catalogue changed; the person did not."""
        skill = make_skill(tx, code="reading")
        edit(tx, person, skills=["reading"])
        skill.retired_at = NINE
        edit(tx, person, seen=Seen(("1",)), skills=["reading"])
        edit(tx, person, seen=Seen(("2",)))
        with pytest.raises(UnknownSkill):
            edit(tx, person, seen=Seen(("3",)), skills=["reading"])

    def test_people_of_another_programme_are_not_found(self, tx: Session) -> None:
        """Nor who is not registered."""
        for stranger in (make_volunteer(tx, programme_id=uuid4()), Volunteer(id=new_id())):
            with pytest.raises(NotFound):
                edit(tx, stranger)


class TestTakeOver:
    def test_what_a_sheet_says_replaces_what_was_there(self, tx: Session, person: Volunteer) -> None:
        """What it does not say stays; each that is named gets a version."""
        other = make_volunteer(tx)
        edit(tx, person, languages=["zh"])

        take_over(tx, Said(person.id, "研发", None, (), ("a", "b")), Said(other.id, city="北京", languages=("en",)))

        assert profile(tx, person.id) == (2, "研发", "上海", ["zh"], ["a", "b"], REVIEWER, NOON)
        assert profile(tx, other.id) == (1, None, "北京", ["en"], [], REVIEWER, NOON)

    def test_nothing_said_is_nothing_done(self, tx: Session) -> None:
        """A sheet without these columns."""
        take_over(tx)
        assert tx.scalars(select(Profile).where(Profile.programme_id == PROGRAMME)).all() == []


@pytest.mark.parametrize(
    "wrong", [{"city": ""}, {"department": "x" * 81}, {"languages": ["x"] * 11}, {"skills": ["x"] * 31}, {"version": 0}]
)
def test_the_database_has_the_same_limits(tx: Session, person: Volunteer, wrong: dict[str, Any]) -> None:
    """Whoever writes."""
    values = {"languages": [], "skills": [], "version": 1, "changed_by": REVIEWER, "changed_at": NINE}
    tx.add(Profile(volunteer_id=person.id, programme_id=PROGRAMME, **values | wrong))
    with pytest.raises(IntegrityError):
        tx.flush()


def test_of_two_at_once_the_first_is_kept(database: Database, programme: UUID) -> None:
    """Both had read that there is nothing yet."""
    with database.transaction() as tx:
        someone = make_volunteer(tx, programme_id=programme).id

    def change(city: str) -> int:
        with database.transaction() as tx:
            wish = Wish(city, [], [])
            return actions.edit(
                tx, wish, programme_id=programme, volunteer_id=someone, seen=NEW, by=someone, now=NINE
            ).version  # fmt: skip

    outcomes = at_once(lambda: change("上海"), lambda: change("北京"))

    assert sorted(map(str, outcomes)) == ["1", "precondition_failed"]
