"""HTTP door of the catalogue of skills."""

from typing import Annotated

from fastapi import Depends, Path

from services.activities.skills import actions, queries, schemas, tables
from services.activities.skills.rules import CatalogueFull
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import ReadIfAny
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/skills", tags=["skills"])

Code = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9-]{0,39}$", max_length=40, examples=["teaching"])]
Reader = Annotated[Caller, Depends(may("skills.read"))]
Keeper = Annotated[Caller, Depends(may("skills.keep"))]


@router.get("", operation_id="list_skills")
def list_skills(caller: Reader, tx: Tx) -> schemas.Skills:
    """List the programme's catalogue of skills, those that are offered no more among them."""
    rows = queries.list_skills(tx, programme_id=caller.programme_id)
    return schemas.Skills(items=[schemas.Skill.model_validate(row) for row in rows])


@router.get("/{skill_code}", operation_id="get_skill", response_model=schemas.Skill)
@refuses(NotFound)
def get_skill(skill_code: Code, caller: Reader, tx: Tx) -> tables.Skill:
    """Show one skill of the catalogue."""
    return queries.get_skill(tx, programme_id=caller.programme_id, code=skill_code)


@router.put("/{skill_code}", operation_id="keep_skill", response_model=schemas.Skill)
@refuses(CatalogueFull)
def keep_skill(
    skill_code: Code, body: schemas.SkillFacts, caller: Keeper, tx: Tx, now: Now, seen: ReadIfAny
) -> tables.Skill:
    """Put a skill into the catalogue, or change what it is called; one that is there already needs `If-Match`."""
    facts = actions.SkillFacts(**body.model_dump())
    return actions.keep(tx, facts, programme_id=caller.programme_id, code=skill_code, seen=seen, now=now)
