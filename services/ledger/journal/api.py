"""The HTTP door to the journal's sums."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.ledger.journal import queries, schemas
from shared.auth.callers import Caller
from shared.web.doors import Tx, may
from shared.web.routes import Router

router = Router(tags=["journal"])

Reader = Annotated[Caller, Depends(may("balances.read"))]
Code = Annotated[str | None, Query(pattern="^[1-9][0-9]{3}$")]
Limit = Annotated[int, Query(ge=1, le=200)]


@router.get("/balances", operation_id="list_balances", response_model=schemas.BalancePage)
def list_balances(
    caller: Reader,
    tx: Tx,
    account: Code = None,
    partner_id: UUID | None = None,
    after: str | None = None,
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
