"""The HTTP door to the journal's sums."""

from typing import Annotated

from fastapi import Depends

from services.ledger.journal import queries
from services.ledger.journal.schemas import BALANCES
from shared.auth.callers import Caller
from shared.web.doors import Tx, may
from shared.web.lists import Answer, Asked
from shared.web.routes import Router

router = Router(tags=["journal"])

Reader = Annotated[Caller, Depends(may("balances.read"))]


@router.get("/balances", operation_id="list_balances", response_model=BALANCES.page, responses=BALANCES.responses)
def list_balances(caller: Reader, asked: Annotated[Asked, Depends(BALANCES.asked)], tx: Tx) -> Answer:
    """List what stands on each account for each partner; debits are positive."""
    return BALANCES.answer(asked, tx, caller, queries.balances_of(caller.programme_id, caller.partner_scope))
