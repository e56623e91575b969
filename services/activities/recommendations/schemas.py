"""What HTTP callers see of recommendations."""

from collections.abc import Sequence

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from services.activities.checklists.schemas import Words
from services.activities.listings.queries import shifts_by_id
from services.activities.openings.schemas import Opening, shown_openings
from services.activities.recommendations import rules
from services.activities.recommendations.rules import Choice, Code
from shared.web.fields import Count, Items, Shown


class Reason(BaseModel):
    """Why something is recommended, and what that counts."""

    code: Code
    title: Words
    points: Count
    skills: Items[Shown] = Field(description="Which skills match, of `skill_matches`.")
    missing: Count | None = Field(description="How many people the shift lacks, of `starts_soon_and_short`.")


class Recommendation(BaseModel):
    """A shift that is recommended; `points` are what its reasons add up to, and nothing else."""

    opening: Opening
    points: Count
    reasons: Items[Reason]


class Recommendations(BaseModel):
    """What is recommended, most points first, then soonest first. Nothing of it is kept."""

    rule_version: Count = Field(description="By which version of the rule.")
    is_personal: bool = Field(description="Whether anything that is known of the caller speaks for something here.")
    items: Items[Recommendation]


def shown(tx: Session, choices: Sequence[Choice], *, is_personal: bool) -> Recommendations:
    """Show what is recommended, in its order."""
    shifts = shifts_by_id(tx, [choice.offer.shift_id for choice in choices])
    openings = shown_openings(tx, [shifts[choice.offer.shift_id] for choice in choices])
    items = [
        Recommendation(opening=opening, points=choice.points, reasons=[_reason(each) for each in choice.reasons])
        for opening, choice in zip(openings, choices, strict=True)
    ]
    return Recommendations(rule_version=rules.VERSION, is_personal=is_personal, items=items)


def _reason(reason: rules.Reason) -> Reason:
    return Reason(
        code=reason.code,
        title=Words.model_validate(rules.TITLES[reason.code]),
        points=reason.points,
        skills=list(reason.skills),
        missing=reason.missing,
    )
