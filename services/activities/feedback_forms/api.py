"""HTTP door of the forms that are answered after a shift."""

from typing import Annotated

from fastapi import Depends

from services.activities.feedback_forms import actions, queries, schemas
from services.activities.feedback_forms.rules import FormUnsound, Side
from shared.auth.callers import Caller
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/feedback-forms", tags=["feedback forms"])

Reader = Annotated[Caller, Depends(may("feedback_forms.read"))]
Publisher = Annotated[Caller, Depends(may("feedback_forms.publish"))]


@router.get("", operation_id="list_feedback_forms")
def list_feedback_forms(caller: Reader, tx: Tx) -> schemas.Forms:
    """List every version of the forms that are, or were, answered after a shift."""
    versions = [queries.list_versions(tx, programme_id=caller.programme_id, side=side) for side in Side]
    return schemas.Forms(items=[schemas.shown(row) for rows in versions for row in rows])


@router.get("/{side}", operation_id="get_feedback_form", response_model=schemas.Form)
def get_feedback_form(side: Side, caller: Reader, tx: Tx) -> Tagged:
    """Show what one side is asked now, also as a JSON Schema of the answers."""
    row = queries.get_current(tx, programme_id=caller.programme_id, side=side)
    return Tagged(row, schemas.shown(row))


@router.post("/{side}/versions", status_code=201, operation_id="publish_feedback_form", response_model=schemas.Form)
@refuses(FormUnsound)
def publish_feedback_form(
    side: Side, body: schemas.NewForm, caller: Publisher, tx: Tx, now: Now, seen: Read
) -> Tagged:  # fmt: skip
    """Ask one side something else from now on; answers that were given stay with the form that they were given to."""
    row = actions.publish(
        tx, body.form(), programme_id=caller.programme_id, side=side, seen=seen, published_by=caller.person_id,
        now=now,
    )  # fmt: skip
    return Tagged(row, schemas.shown(row))
