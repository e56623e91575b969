"""HTTP door of recommendations."""

from typing import Annotated

from fastapi import Depends, Query

from services.activities.recommendations import actions, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["openings"])

Volunteer = Annotated[Caller, Depends(may("recommendations.own"))]
IsPersonal = Annotated[bool, Query(description="False: nothing of one's own speaks for anything.")]


@router.get("/recommendations", operation_id="list_recommendations")
@refuses(NotFound)
def list_recommendations(
    caller: Volunteer, tx: Tx, now: Now, is_personal: IsPersonal = True  # noqa: FBT002  A query parameter.
) -> schemas.Recommendations:  # fmt: skip
    """Show some shifts that the caller can take and that fit, each with every reason for it; at most 20."""
    choices = actions.recommend(
        tx, programme_id=caller.programme_id, volunteer_id=caller.person_id, is_personal=is_personal, now=now
    )
    return schemas.shown(tx, choices, is_personal=is_personal)
