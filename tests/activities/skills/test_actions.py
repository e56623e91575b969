from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.skills import actions, queries
from services.activities.skills.actions import SkillFacts
from services.activities.skills.rules import MOST_SKILLS, CatalogueFull
from services.activities.skills.tables import Skill
from shared.database.sessions import Database
from shared.errors import ChangedSince
from shared.seen import Seen
from tests.activities.racing import at_once
from tests.factories.activities import NINE, NOON, PROGRAMME, REVIEWER, make_skill

NEW = Seen(nothing=True)
READING = SkillFacts("朗读", "Reading", is_retired=False)


def keep(tx: Session, facts: SkillFacts = READING, *, seen: Seen = NEW, code: str = "reading") -> Skill:
    return actions.keep(tx, facts, programme_id=PROGRAMME, code=code, seen=seen, now=NINE)


def test_a_skill_is_put_in_renamed_and_retired(tx: Session) -> None:
    """When it was retired stays, however often it is said; offered again it never was."""
    skill = keep(tx)
    assert (skill.title_zh, skill.title_en, skill.retired_at) == ("朗读", "Reading", None)

    retired = SkillFacts("读书", "Reading aloud", is_retired=True)
    keep(tx, retired, seen=Seen.of(skill))
    again = actions.keep(tx, retired, programme_id=PROGRAMME, code="reading", seen=Seen.of(skill), now=NOON)

    assert (again.id, again.title_zh, again.retired_at) == (skill.id, "读书", NINE)
    assert queries.find_offered(tx, programme_id=PROGRAMME) == {"reading": False}
    assert keep(tx, seen=Seen.of(skill)).retired_at is None


def test_who_has_not_seen_how_it_stood_changes_nothing(tx: Session) -> None:
    """Neither as if it were new, nor on an old reading."""
    skill = keep(tx)
    old = Seen.of(skill)
    keep(tx, SkillFacts("读书", "Reading", is_retired=False), seen=old)

    for seen in (Seen(nothing=True), old):
        with pytest.raises(ChangedSince):
            keep(tx, seen=seen)
    assert skill.title_zh == "读书"


def test_a_full_catalogue_takes_no_more(tx: Session) -> None:
    """What is in it can still be changed."""
    first, *_ = [make_skill(tx) for _ in range(MOST_SKILLS)]
    with pytest.raises(CatalogueFull):
        keep(tx)
    assert keep(tx, seen=Seen.of(first), code=first.code).title_zh == "朗读"


def test_two_at_once_are_one_skill(database: Database, programme: UUID) -> None:
    """Whoever comes second has not seen what the first has made."""

    def put() -> str:
        with database.transaction() as tx:
            made = actions.keep(
                tx, READING, programme_id=programme, code="reading", seen=Seen(nothing=True), now=NINE
            )  # fmt: skip
            return made.code

    outcomes = at_once(put, put)

    assert sorted(map(str, outcomes)) == ["precondition_failed", "reading"]
    with database.transaction() as tx:
        assert len(tx.scalars(select(Skill).where(Skill.programme_id == programme)).all()) == 1


def test_a_skill_is_known_by_all_its_names(tx: Session) -> None:
    """Its code goes first where another one's title is the same; other programmes name theirs."""
    make_skill(tx, code="a", title_zh="朗读", title_en=" Reading")
    make_skill(tx, code="b", title_zh="朗读", title_en="A")
    make_skill(tx, code="c", programme_id=REVIEWER)

    found = queries.find_codes(tx, programme_id=PROGRAMME)

    assert found.items() >= {"a": "a", "b": "b", "朗读": "a", "reading": "a"}.items()
    assert "c" not in found
