"""HTTP door of draws."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.draws import actions, queries, rules, schemas
from services.activities.listings.rules import BadShift, ShiftCancelled, ShiftHasAttendance
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.fields import MOST_PARTS
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/shifts/{shift_id}/draw", tags=["draws"])

Publisher = Annotated[Caller, Depends(may("listings.publish"))]
Reader = Annotated[Caller, Depends(may("listings.read"))]


@router.post("", status_code=201, operation_id="declare_draw")
@refuses(NotFound, ShiftCancelled, ShiftHasAttendance, rules.AlreadySignedUp, BadShift)
def declare_draw(
    shift_id: UUID, body: schemas.NewDraw, caller: Publisher, tx: Tx, now: Now, seen: Read
) -> schemas.Draw:  # fmt: skip
    """Have a shift's places drawn among all who sign up until then, before anybody has; `If-Match` is the shift's."""
    declaration = actions.Declaration(
        caller.programme_id, shift_id, caller.partner_scope, seen, body.draws_at, now
    )  # fmt: skip
    return schemas.shown(actions.declare(tx, declaration), [])


@router.get("", operation_id="get_draw")
@refuses(NotFound)
def get_draw(shift_id: UUID, caller: Reader, tx: Tx) -> schemas.Draw:
    """Show how a shift's places are drawn and, once they are, all that is needed to draw them again."""
    draw = queries.get_draw(
        tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope
    )  # fmt: skip
    order = queries.list_drawn(tx, shift_id, limit=MOST_PARTS) if draw.drawn_at else []
    return schemas.shown(draw, list(order))
