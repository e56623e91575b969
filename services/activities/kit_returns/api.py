"""HTTP door of kits that are due, and of what lost ones have cost."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.kit_returns import actions, queries, rules, schemas
from services.activities.kit_returns.schemas import KIT_COSTS
from services.activities.kits.api import handling_of
from services.activities.kits.rules import KitStateDiffers, OwnKit
from services.activities.kits.schemas import Kit
from services.activities.kits.tables import Kit as KitRow
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["kits"])

Host = Annotated[Caller, Depends(may("kits.handle"))]
Loser = Annotated[Caller, Depends(may("kits.lose"))]
Clearer = Annotated[Caller, Depends(may("kits.clear"))]
Claimant = Annotated[Caller, Depends(may("kits.claim_costs"))]
Reader = Annotated[Caller, Depends(may("kits.read_costs"))]
Approver = Annotated[Caller, Depends(may("kits.approve_costs"))]


@router.post("/kits/{kit_id}/return", operation_id="return_kit", response_model=Kit)
@refuses(NotFound, KitStateDiffers)
def return_kit(kit_id: UUID, body: schemas.Return, caller: Host, tx: Tx, now: Now) -> KitRow:
    """Confirm what came back, late or found again; what was claimed for it and is not paid is cancelled."""
    return actions.bring_back(tx, handling_of(kit_id, caller, now), pieces=body.pieces, words=body.note)


@router.post("/kits/{kit_id}/lose", operation_id="lose_kit", response_model=Kit)
@refuses(NotFound, KitStateDiffers)
def lose_kit(kit_id: UUID, body: schemas.Grounds, caller: Loser, tx: Tx, now: Now, seen: Read) -> KitRow:
    """Give up a kit that is overdue."""
    return actions.lose(tx, handling_of(kit_id, caller, now), because=body.reason, seen=seen)


@router.post("/kits/{kit_id}/clear", operation_id="clear_kit", response_model=Kit)
@refuses(NotFound, rules.NotBlocking, OwnKit)
def clear_kit(kit_id: UUID, body: schemas.Grounds, caller: Clearer, tx: Tx, now: Now, seen: Read) -> KitRow:
    """Let an overdue or lost kit keep its person from no other one."""
    return actions.clear(tx, handling_of(kit_id, caller, now), because=body.reason, seen=seen)


@router.post("/kits/{kit_id}/cost", status_code=201, operation_id="claim_kit_cost")
@refuses(NotFound, rules.KitNotLost, rules.BadCost, rules.CostClaimed)
def claim_kit_cost(kit_id: UUID, body: schemas.NewCost, caller: Claimant, tx: Tx, now: Now) -> schemas.KitCost:
    """Claim what a lost kit has cost, up to the ceiling that was agreed. Again returns the same claim."""
    return schemas.shown(actions.claim_cost(tx, handling_of(kit_id, caller, now), body.told()))


@router.get("/kit-costs", operation_id="list_kit_costs", response_model=KIT_COSTS.page, responses=KIT_COSTS.responses)
def list_kit_costs(caller: Reader, asked: Annotated[Asked, Depends(KIT_COSTS.asked)], tx: Tx) -> Answer:
    """List what is claimed for lost kits; a partner's member sees that partner's."""
    rows = queries.costs_of(caller.programme_id, caller.partner_scope)
    return KIT_COSTS.answer(asked, tx, caller, rows, show=schemas.shown_all)


@router.get("/kit-costs/{kit_cost_id}", operation_id="get_kit_cost", response_model=schemas.KitCost)
@refuses(NotFound)
def get_kit_cost(kit_cost_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one claim."""
    cost = queries.get_cost(
        tx, programme_id=caller.programme_id, cost_id=kit_cost_id, partner_id=caller.partner_scope
    )  # fmt: skip
    return Tagged(cost, schemas.shown(cost))


@router.post("/kit-costs/{kit_cost_id}/approve", operation_id="approve_kit_cost")
@refuses(NotFound, rules.OwnCost, rules.CostDecided, rules.KitNotLost, rules.BadCost)
def approve_kit_cost(
    kit_cost_id: UUID, body: schemas.Approval, caller: Approver, tx: Tx, now: Now, seen: Read
) -> schemas.KitCost:
    """Owe a partner what it claims for a kit, or less; by somebody who is a stranger to the claim."""
    decision = _decision(kit_cost_id, body.reason, caller, now, seen)
    return schemas.shown(actions.approve(tx, decision, approved_fen=body.approved_fen))


@router.post("/kit-costs/{kit_cost_id}/refuse", operation_id="refuse_kit_cost")
@refuses(NotFound, rules.OwnCost, rules.CostDecided)
def refuse_kit_cost(
    kit_cost_id: UUID, body: schemas.Grounds, caller: Approver, tx: Tx, now: Now, seen: Read
) -> schemas.KitCost:
    """Do not owe a partner what it claims for a kit."""
    return schemas.shown(actions.refuse(tx, _decision(kit_cost_id, body.reason, caller, now, seen)))


def _decision(cost_id: UUID, reason: str, caller: Caller, now: datetime, seen: Seen) -> actions.Decision:
    return actions.Decision(caller.programme_id, cost_id, caller.person_id, caller.partner_id, reason, seen, now)
