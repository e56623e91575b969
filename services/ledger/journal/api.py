"""The HTTP door to the journal's sums."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.ledger.journal import queries, schemas
from services.ledger.journal.rules import BrokenCursor
from shared.auth.callers import Caller
from shared.web.doors import Tx, may
from shared.web.fields import Limit, Line
from shared.web.refusals import refuses

router = APIRouter(tags=["journal"])

Reader = Annotated[Caller, Depends(may("balances.read"))]
Code = Annotated[str | None, Query(pattern="^[1-9][0-9]{3}$", max_length=4, examples=["2110"])]


@router.get("/balances", operation_id="list_balances", response_model=schemas.BalancePage)
@refuses(BrokenCursor)
def list_balances(
    caller: Reader,
    tx: Tx,
    account: Code = None,
    partner_id: UUID | None = None,
    after: Line | None = None,
    limit: Limit = 50,
) -> queries.BalancePage:
    """List what stands on each account for each partner; debits are positive."""
    return queries.list_balances(
        tx, programme_id=caller.programme_id, partner_scope=caller.partner_scope,
        account=account, partner_id=partner_id, after=after, limit=limit,
    )  # fmt: skip


@router.get("/trial-balance", operation_id="prove_balance", response_model=schemas.TrialBalance)
def prove_balance(caller: Reader, tx: Tx) -> queries.TrialBalance:
    """Add up the whole journal and compare it with its roll-ups."""
    return queries.prove_balance(tx, programme_id=caller.programme_id, partner_scope=caller.partner_scope)
