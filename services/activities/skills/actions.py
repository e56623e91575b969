"""What can be done with the catalogue of skills."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.skills import queries, rules
from services.activities.skills.tables import Skill
from shared.seen import Seen


@dataclass(frozen=True, slots=True)
class SkillFacts:
    """How a skill is called, and whether it may be chosen."""

    title_zh: str
    title_en: str
    is_retired: bool


def keep(tx: Session, facts: SkillFacts, *, programme_id: UUID, code: str, seen: Seen, now: datetime) -> Skill:
    """Put a skill into the catalogue, or, for who has seen how it stood, change what it is called or offer it no more.

    Raises ReadFirst, ChangedSince, CatalogueFull.
    """
    queries.lock_catalogue(tx, programme_id=programme_id)
    skill = queries.find_skill(tx, programme_id=programme_id, code=code)
    if skill is None:
        seen.require_none()
        rules.require_room(count=queries.count_skills(tx, programme_id=programme_id))
        skill = Skill(programme_id=programme_id, code=code)
        tx.add(skill)
    else:
        seen.require(skill)
    skill.title_zh, skill.title_en = facts.title_zh, facts.title_en
    skill.retired_at = (skill.retired_at or now) if facts.is_retired else None
    tx.flush()
    return skill
