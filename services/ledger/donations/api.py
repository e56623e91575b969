"""The HTTP door to donations and the waterfall."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.ledger.donations import queries, schemas
from services.ledger.donations.schemas import DONATIONS
from shared.auth.callers import Caller
from shared.web.doors import Tx, may
from shared.web.lists import Answer, Asked

router = APIRouter(tags=["donations"])

Reader = Annotated[Caller, Depends(may("donations.read"))]
Summer = Annotated[Caller, Depends(may("waterfall.read"))]
WaterfallFilter = Annotated[schemas.WaterfallFilter, Query()]


@router.get("/donations", operation_id="list_donations", response_model=DONATIONS.page, responses=DONATIONS.responses)
def list_donations(caller: Reader, asked: Annotated[Asked, Depends(DONATIONS.asked)], tx: Tx) -> Answer:
    """List donations as they stand now, voided ones included."""
    return DONATIONS.answer(asked, tx, caller, queries.donations_of(caller.programme_id, caller.partner_scope))


@router.get("/donations/{donation_id}", operation_id="explain_donation", response_model=schemas.DonationStory)
def explain_donation(donation_id: UUID, caller: Reader, tx: Tx) -> queries.Story:
    """Show a donation with the explanation of its amount, its versions and its entries in the journal."""
    return queries.get_story(tx, donation_id, programme_id=caller.programme_id, partner_scope=caller.partner_scope)


@router.get("/waterfall", operation_id="sum_waterfall", response_model=schemas.Waterfall)
def sum_waterfall(caller: Summer, tx: Tx, asked: WaterfallFilter) -> queries.Waterfall:
    """Add up recorded, matchable and credited minutes and the money accrued, with each drop on the way."""
    return queries.sum_waterfall(
        tx, asked.model_dump(), programme_id=caller.programme_id, partner_scope=caller.partner_scope
    )
