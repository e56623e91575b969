"""What can be done with profiles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.profiles import queries, rules
from services.activities.profiles.tables import Profile
from services.activities.skills.queries import find_offered
from services.activities.skills.rules import require_offered
from services.activities.volunteers.queries import lock_volunteer
from shared.audit import Change, note
from shared.audit.trail import HIDDEN
from shared.seen import Seen

# What is not said stays as it is.
_TAKE_OVER = text("""
    INSERT INTO profile AS p
        (volunteer_id, programme_id, version, department, city, languages, skills, changed_by, changed_at)
    SELECT volunteer_id, :programme_id, 1, department, city, coalesce(string_to_array(languages, ','), '{}'),
        coalesce(string_to_array(skills, ','), '{}'), :by, :now
    FROM unnest(CAST(:people AS uuid[]), CAST(:departments AS text[]), CAST(:cities AS text[]),
                CAST(:languages AS text[]), CAST(:skills AS text[]))
        AS said(volunteer_id, department, city, languages, skills)
    ORDER BY volunteer_id
    ON CONFLICT (volunteer_id) DO UPDATE SET version = p.version + 1,
        department = coalesce(excluded.department, p.department), city = coalesce(excluded.city, p.city),
        languages = CASE WHEN excluded.languages = '{}' THEN p.languages ELSE excluded.languages END,
        skills = CASE WHEN excluded.skills = '{}' THEN p.skills ELSE excluded.skills END,
        changed_by = excluded.changed_by, changed_at = excluded.changed_at
    RETURNING volunteer_id
""")
_FORGET = text("DELETE FROM profile WHERE volunteer_id = :volunteer_id RETURNING volunteer_id")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person, or an operator for them, wants a profile to say from now on."""

    city: str | None
    languages: Sequence[str]
    skills: Sequence[str]


@dataclass(frozen=True, slots=True)
class Said:
    """What a sheet says of one person; None is not said."""

    volunteer_id: UUID
    department: str | None = None
    city: str | None = None
    languages: Sequence[str] = field(default=())
    skills: Sequence[str] = field(default=())


def edit(
    tx: Session, wish: Wish, *, programme_id: UUID, volunteer_id: UUID, seen: Seen, by: UUID, now: datetime
) -> Profile:
    """Let a profile say something else; the department stays, which is not theirs to change.

    Raises NotFound, ChangedSince, UnknownSkill, UnknownLanguage.
    """
    volunteer = lock_volunteer(tx, programme_id=programme_id, volunteer_id=volunteer_id)
    profile = queries.profile_of(tx, volunteer)
    seen.require(profile)
    rules.require_languages(wish.languages)
    require_offered(wish.skills, offered=find_offered(tx, programme_id=programme_id), had=profile.skills)
    profile.city = wish.city
    profile.languages, profile.skills = rules.tidy(wish.languages), rules.tidy(wish.skills)
    profile.version, profile.changed_by, profile.changed_at = profile.version + 1, by, now
    tx.add(profile)
    tx.flush()
    return profile


def take_over(tx: Session, said: Sequence[Said], *, programme_id: UUID, by: UUID, now: datetime) -> None:
    """Let profiles say what a sheet says, with one statement; whoever calls has checked it."""
    if not said:
        return
    columns = {
        "people": [each.volunteer_id for each in said],
        "departments": [each.department for each in said],
        "cities": [each.city for each in said],
        "languages": [",".join(each.languages) or None for each in said],
        "skills": [",".join(each.skills) or None for each in said],
    }
    changed = tx.scalars(_TAKE_OVER, columns | {"programme_id": programme_id, "by": by, "now": now}).all()
    values = {"profile": HIDDEN}
    note(tx, "profile", (Change(each, values, values) for each in changed), changed=len(changed))


def unite(tx: Session, *, kept_id: UUID, merged_id: UUID, by: UUID, now: datetime) -> None:
    """Let the profile of one record say what that of another says besides; the other is deleted.

    Both are one person's, whose locks the caller holds. Where both say something, that which stays is right.
    """
    found = queries.find_profiles(tx, [kept_id, merged_id])
    merged, kept = found.get(merged_id), found.get(kept_id)
    if merged is None:
        return
    if kept is None:
        kept = Profile(volunteer_id=kept_id, programme_id=merged.programme_id, version=0, languages=[], skills=[])
    kept.department, kept.city = kept.department or merged.department, kept.city or merged.city
    kept.languages = rules.together(kept.languages, merged.languages, most=rules.MOST_LANGUAGES)
    kept.skills = rules.together(kept.skills, merged.skills, most=rules.MOST_SKILLS)
    kept.version, kept.changed_by, kept.changed_at = kept.version + 1, by, now
    tx.add(kept)
    tx.delete(merged)
    tx.flush()


def forget(tx: Session, *, volunteer_id: UUID) -> None:
    """Delete a person's profile; the caller holds their lock."""
    gone = tx.scalars(_FORGET, {"volunteer_id": volunteer_id}).all()
    values = {"profile": HIDDEN}
    note(tx, "profile", (Change(each, values, None) for each in gone), removed=len(gone))
