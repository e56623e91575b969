"""The HTTP door to donations and the waterfall."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.ledger.donations import queries, schemas
from shared.auth.callers import Caller
from shared.web.doors import Now, Tx, may

router = APIRouter(tags=["donations"])

Reader = Annotated[Caller, Depends(may("donations.read"))]
Volunteer = Annotated[Caller, Depends(may("donations.read_own"))]
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
def explain_donation(donation_id: UUID, caller: Reader, tx: Tx) -> queries.Story:
    """Show a donation with the explanation of its amount, its versions and its entries in the journal."""
    return queries.get_story(tx, donation_id, programme_id=caller.programme_id, partner_scope=caller.partner_scope)


@router.get("/waterfall", operation_id="sum_waterfall", response_model=schemas.Waterfall)
def sum_waterfall(caller: Summer, tx: Tx, asked: WaterfallFilter) -> queries.Waterfall:
    """Add up recorded, matchable and credited minutes and the money accrued, with each drop on the way."""
    return queries.sum_waterfall(
        tx, queries.Wanted(**asked.model_dump()), programme_id=caller.programme_id, partner_scope=caller.partner_scope
    )


@router.get("/people/me/data", operation_id="export_own_donations", response_model=schemas.OwnDonations)
def export_own_donations(caller: Volunteer, tx: Tx, now: Now) -> schemas.OwnDonations:
    """Take out every version of every donation that the caller's hours made; the money is the partners'."""
    rows = queries.list_own(tx, programme_id=caller.programme_id, volunteer_id=caller.person_id)
    return schemas.own_donations(rows, now=now)
