"""The demo people: made up for everybody to see, one of every role, and the same tomorrow."""

from pathlib import Path
from uuid import uuid4

import pytest

from launch.oidc.people import Attached, Known, People, make_people, person_of
from shared.roles import PEOPLE, Role
from tests.launch.oidc.browsing import ATTACHED, PROGRAMME


def test_there_is_somebody_of_every_role() -> None:
    """And two of those who meet their like: volunteers, and members of two partners."""
    people = make_people(PROGRAMME, ATTACHED)
    roles = [person.role for person in people]

    assert set(roles) == PEOPLE
    assert (roles.count(Role.VOLUNTEER), roles.count(Role.PARTNER)) == (2, 2)
    assert len({person.id for person in people}) == len({person.name_zh for person in people}) == len(people)
    assert tuple(person.partner_id for person in people if person.role is Role.PARTNER) == ATTACHED.partners


def test_everybody_is_visibly_made_up() -> None:
    """Nobody may take one of them for a colleague."""
    for person in make_people(PROGRAMME, ATTACHED):
        assert person.name_zh.startswith("合成")
        assert person.name_en.startswith(("Synthetic ", "合成"))


def test_they_stay_who_they_are(tmp_path: Path) -> None:
    """What they did yesterday is theirs today; who they are tied to is asked for once, in one programme's folder."""
    asked = []

    def attach() -> Attached:
        asked.append(1)
        return ATTACHED

    first = People(tmp_path, PROGRAMME, attach).all()
    again = People(tmp_path, PROGRAMME, attach)

    assert again.all() == first
    assert asked == [1]
    assert again.find(first[0].id) == first[0]
    assert again.find(uuid4()) is None
    assert (tmp_path / "people.json").stat().st_mode & 0o777 == 0o600


def test_a_season_ties_them_to_its_own_records(tmp_path: Path) -> None:
    """Its operator is the one who has brought it in, its volunteers have served in it."""
    people = People(tmp_path, PROGRAMME, lambda: ATTACHED)
    before = people.all()
    own = Attached((Known(uuid4(), "合成志愿者 000001"), Known(uuid4(), "合成志愿者 000002")), (uuid4(), uuid4()))
    people.settle(own)
    after = People(tmp_path, PROGRAMME, lambda: ATTACHED).all()

    assert [person.id for person in after[:2]] == [known.id for known in own.volunteers]
    assert [person.name("en") for person in after[:2]] == ["合成志愿者 000001", "合成志愿者 000002"]
    assert [person.partner_id for person in after[2:4]] == list(own.partners)
    assert after[4:] == before[4:]
    assert after[4].id == person_of(PROGRAMME, Role.OPERATOR)


def test_records_that_cannot_be_had_leave_nothing_half_made(tmp_path: Path) -> None:
    """The next who looks asks again."""
    answers: list[OSError | Attached] = [OSError("away"), ATTACHED]

    def attach() -> Attached:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    people = People(tmp_path, PROGRAMME, attach)
    with pytest.raises(OSError, match="away"):
        people.all()

    assert len(people.all()) == 12
