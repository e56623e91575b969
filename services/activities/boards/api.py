"""HTTP door of shifts' boards: who is expected, who is here, who has left, as it happens."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy.orm import Session
from starlette.responses import Response

from services.activities.boards import queries, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.web.streams import EVENT_STREAM, Streaming, Watched

router = Router(prefix="/shifts/{shift_id}/board", tags=["boards"])

Host = Annotated[Caller, Depends(may("boards.watch"))]
WATCHED = Watched(queries.find_boards, schemas.board, schemas.changes, over=lambda board: board.is_over)


@router.get("", operation_id="show_board", response_model=schemas.Board)
@refuses(NotFound)
def show_board(shift_id: UUID, caller: Host, tx: Tx) -> Tagged:
    """Show who is expected on a shift, who is here and who has left; by name those who consent, else by a pseudonym."""
    return Tagged(None, schemas.board(_board(tx, caller, shift_id)))


@router.get("/stream", operation_id="watch_board", **EVENT_STREAM)
@refuses(NotFound)
def watch_board(shift_id: UUID, caller: Host, tx: Tx, streaming: Streaming) -> Response:
    """Send a shift's board, and from then on what changes of it, within a second."""
    return streaming.open(WATCHED, shift_id, _board(tx, caller, shift_id))


def _board(tx: Session, caller: Caller, shift_id: UUID) -> queries.Board:
    return queries.get_board(
        tx, programme_id=caller.programme_id, shift_id=shift_id, partner_id=caller.partner_scope
    )  # fmt: skip
