"""HTTP door of profiles."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.profiles import actions, queries, schemas
from services.activities.profiles.rules import UnknownLanguage
from services.activities.skills.rules import UnknownSkill
from services.activities.volunteers.queries import get_volunteer
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/volunteers", tags=["profiles"])

Volunteer = Annotated[Caller, Depends(may("profiles.own"))]
Overseer = Annotated[Caller, Depends(may("profiles.read"))]
Editor = Annotated[Caller, Depends(may("profiles.edit"))]


@router.get("/me/profile", operation_id="get_own_profile", response_model=schemas.Profile)
@refuses(NotFound)
def get_own_profile(caller: Volunteer, tx: Tx) -> Tagged:
    """Show the caller's own profile."""
    return _shown(tx, caller, caller.person_id)


@router.put("/me/profile", operation_id="edit_own_profile", response_model=schemas.Profile)
@refuses(NotFound, UnknownSkill, UnknownLanguage)
def edit_own_profile(body: schemas.ProfileWish, caller: Volunteer, tx: Tx, now: Now, seen: Read) -> Tagged:
    """Let the caller's own profile say something else."""
    return _edit(tx, caller, caller.person_id, body, seen, now)


@router.get("/{volunteer_id}/profile", operation_id="get_profile", response_model=schemas.Profile)
@refuses(NotFound)
def get_profile(volunteer_id: UUID, caller: Overseer, tx: Tx) -> Tagged:
    """Show a volunteer with their profile."""
    return _shown(tx, caller, volunteer_id)


@router.put("/{volunteer_id}/profile", operation_id="edit_profile", response_model=schemas.Profile)
@refuses(NotFound, UnknownSkill, UnknownLanguage)
def edit_profile(
    volunteer_id: UUID, body: schemas.ProfileWishOfAnother, caller: Editor, tx: Tx, now: Now, seen: Read
) -> Tagged:
    """Change the profile of somebody who asked for it otherwise than by signing in."""
    return _edit(tx, caller, volunteer_id, body, seen, now)


def _shown(tx: Tx, caller: Caller, volunteer_id: UUID) -> Tagged:
    volunteer = get_volunteer(tx, programme_id=caller.programme_id, volunteer_id=volunteer_id)
    profile = queries.profile_of(tx, volunteer)
    return Tagged(profile, schemas.shown(volunteer, profile))


def _edit(tx: Tx, caller: Caller, volunteer_id: UUID, body: schemas.ProfileWish, seen: Seen, now: Now) -> Tagged:
    wish = actions.Wish(body.city, body.languages, body.skills)
    actions.edit(
        tx, wish, programme_id=caller.programme_id, volunteer_id=volunteer_id, seen=seen, by=caller.person_id, now=now
    )
    return _shown(tx, caller, volunteer_id)
