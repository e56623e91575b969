"""The HTTP door to donations and the waterfall."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.ledger.donations import queries, schemas
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.refusals import refuses

router = APIRouter(tags=["donations"])

Reader = Annotated[Caller, Depends(may("donations.read"))]
Summer = Annotated[Caller, Depends(may("waterfall.read"))]
DonationFilter = Annotated[schemas.DonationFilter, Query()]
WaterfallFilter = Annotated[schemas.WaterfallFilter, Query()]


@router.get("/donations", operation_id="list_donations", response_model=schemas.DonationPage)
def list_donations(caller: Reader, tx: Tx, asked: DonationFilter) -> queries.Page:
    """List donations as they stand now, voided ones included."""
    return queries.list_donations(
        tx, queries.Wanted(**asked.model_dump(exclude={"after", "limit"})),
        programme_id=caller.programme_id, partner_scope=caller.partner_scope, after=asked.after, limit=asked.limit,
    )  # fmt: skip


@router.get("/donations/{donation_id}", operation_id="explain_donation", response_model=schemas.DonationStory)
@refuses(NotFound)
def explain_donation(donation_id: UUID, caller: Reader, tx: Tx) -> queries.Story:
    """Show a donation with the explanation of its amount, its versions and its entries in the journal."""
    return queries.get_story(tx, donation_id, programme_id=caller.programme_id, partner_scope=caller.partner_scope)


@router.get("/waterfall", operation_id="sum_waterfall", response_model=schemas.Waterfall)
def sum_waterfall(caller: Summer, tx: Tx, asked: WaterfallFilter) -> queries.Waterfall:
    """Add up recorded, matchable and credited minutes and the money accrued, with each drop on the way."""
    return queries.sum_waterfall(
        tx, queries.Wanted(**asked.model_dump()), programme_id=caller.programme_id, partner_scope=caller.partner_scope
    )
