"""The HTTP door to donations, the waterfall, and the proof of both and of the journal."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from services.ledger.donations import queries, schemas
from services.ledger.donations.schemas import DONATIONS
from services.ledger.journal.schemas import ACCOUNT_TOTALS
from shared import telemetry
from shared.auth.callers import Caller
from shared.documents import typesetting
from shared.errors import NotFound
from shared.web import problems
from shared.web.doors import Begin, Now, Reading, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.refusals import refuses
from shared.web.representations import JSON, PDF, Form, one_of
from shared.web.routes import Router

router = Router(tags=["donations"])

Reader = Annotated[Caller, Depends(may("donations.read"))]
Volunteer = Annotated[Caller, Depends(may("donations.read_own"))]
Summer = Annotated[Caller, Depends(may("waterfall.read"))]
Prover = Annotated[Caller, Depends(may("balances.read"))]
StoryForm = Annotated[Form, Depends(one_of(JSON, PDF))]
WaterfallFilter = Annotated[schemas.WaterfallFilter, Query()]

FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {PDF.media_type: {"schema": {"type": "string", "format": "binary"}}}},
    406: {"description": "None of the forms that there are is accepted", "content": {problems.MEDIA_TYPE: {}}},
    429: {"description": "Too many documents are being made", "content": {problems.MEDIA_TYPE: {}}},
}


@router.get("/donations", operation_id="list_donations", response_model=DONATIONS.page, responses=DONATIONS.responses)
def list_donations(caller: Reader, asked: Annotated[Asked, Depends(DONATIONS.asked)], tx: Tx) -> Answer:
    """List donations as they stand now, voided ones included."""
    return DONATIONS.answer(asked, tx, caller, queries.donations_of(caller.programme_id, caller.partner_scope))


@router.get(
    "/donations/{donation_id}", operation_id="explain_donation", response_model=schemas.DonationStory, responses=FORMS
)
@refuses(NotFound, typesetting.TooLongToSet, typesetting.StillSetting)
def explain_donation(
    donation_id: UUID, caller: Reader, form: StoryForm, language: Reading, begin: Begin, now: Now
) -> schemas.DonationStory | Response:
    """Show a donation with the explanation of its amount, its versions and its entries in the journal.

    As a PDF it is made after the database has been let go: a page takes its time, a connection is for reading.
    """
    with begin() as tx:
        found = queries.get_story(tx, donation_id, programme_id=caller.programme_id, partner_scope=caller.partner_scope)
        story = schemas.DonationStory.model_validate(found)
    if form is JSON:
        return story
    trace = telemetry.trace_id_of(telemetry.traceparent()) or ""
    told = schemas.paper_of(
        story,
        language=language,
        programme_id=caller.programme_id,
        now=now,
        trace=trace,
    )
    headers = {
        "content-disposition": f'inline; filename="donation-{donation_id}.pdf"',
        "content-language": language,
        "vary": "Accept, Accept-Language",
    }
    return Response(typesetting.typeset(told), media_type=PDF.media_type, headers=headers)


@router.get("/waterfall", operation_id="sum_waterfall", response_model=schemas.Waterfall)
def sum_waterfall(caller: Summer, tx: Tx, asked: WaterfallFilter) -> queries.Waterfall:
    """Add up recorded, matchable and credited minutes and the money accrued, with each drop on the way."""
    return queries.sum_waterfall(
        tx, asked.model_dump(), programme_id=caller.programme_id, partner_scope=caller.partner_scope
    )


@router.get(
    "/trial-balance",
    operation_id="prove_balance",
    response_model=schemas.TrialBalance,
    responses=ACCOUNT_TOTALS.responses,
)
def prove_balance(caller: Prover, asked: Annotated[Asked, Depends(ACCOUNT_TOTALS.asked)], tx: Tx) -> Answer:
    """Add up the whole journal and all donations, and compare them with their roll-ups."""
    proof = queries.prove_balance(tx, programme_id=caller.programme_id, partner_scope=caller.partner_scope)
    shown = schemas.TrialBalance.model_validate(proof)
    return ACCOUNT_TOTALS.answer(asked, shown, shown.accounts)


@router.get("/people/me/data", operation_id="export_own_donations", response_model=schemas.OwnDonations)
def export_own_donations(caller: Volunteer, tx: Tx, now: Now) -> schemas.OwnDonations:
    """Take out every version of every donation that the caller's hours made; the money is the partners'."""
    rows = queries.list_own(tx, programme_id=caller.programme_id, volunteer_id=caller.person_id)
    return schemas.own_donations(rows, now=now)
