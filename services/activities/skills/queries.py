"""Reads and locks of the catalogue of skills."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.skills.rules import folded
from services.activities.skills.tables import Skill
from shared.errors import NotFound


def list_skills(tx: Session, *, programme_id: UUID) -> list[Skill]:
    """Return a programme's whole catalogue, by code; it has a limit of its own."""
    return list(tx.scalars(select(Skill).where(Skill.programme_id == programme_id).order_by(Skill.code)))


def find_offered(tx: Session, *, programme_id: UUID) -> dict[str, bool]:
    """Say of each skill of a programme, by code, whether it may be chosen now."""
    rows = select(Skill.code, Skill.retired_at.is_(None)).where(Skill.programme_id == programme_id)
    return {row[0]: row[1] for row in tx.execute(rows)}


def find_codes(tx: Session, *, programme_id: UUID) -> dict[str, str]:
    """Return the codes of a programme's skills, retired ones too, by all that they are called, folded."""
    skills = list_skills(tx, programme_id=programme_id)
    titles = {folded(title): skill.code for skill in reversed(skills) for title in (skill.title_en, skill.title_zh)}
    return titles | {skill.code: skill.code for skill in skills}


def find_skill(tx: Session, *, programme_id: UUID, code: str) -> Skill | None:
    """Return a skill by its code; whoever decides on it holds the catalogue's lock."""
    rows = select(Skill).where(Skill.programme_id == programme_id, Skill.code == code)
    return tx.scalars(rows.execution_options(populate_existing=True)).first()


def get_skill(tx: Session, *, programme_id: UUID, code: str) -> Skill:
    """Return a skill by its code. Raises NotFound."""
    skill = find_skill(tx, programme_id=programme_id, code=code)
    if skill is None:
        raise NotFound(code=code)
    return skill


def count_skills(tx: Session, *, programme_id: UUID) -> int:
    """Count a programme's skills, retired ones too."""
    return tx.scalars(select(func.count()).select_from(Skill).where(Skill.programme_id == programme_id)).one()


def lock_catalogue(tx: Session, *, programme_id: UUID) -> None:
    """Let one change a programme's catalogue at a time: two must not both take the last room."""
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"skills of {programme_id}", 0))))
