"""HTTP door of partners."""

from typing import Annotated

from fastapi import Depends, Path

from services.activities.partners import actions, queries, rules, schemas, tables
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.fields import Text
from shared.web.preconditions import ReadIfAny
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["partners"])

Reference = Annotated[Text, Path(min_length=1, max_length=40)]
Recorder = Annotated[Caller, Depends(may("partners.record"))]


@router.put("/partners/{reference}", operation_id="record_partner", response_model=schemas.Partner)
@refuses(rules.KeptByPartners)
def record_partner(
    reference: Reference, body: schemas.PartnerFacts, caller: Recorder, tx: Tx, seen: ReadIfAny
) -> tables.Partner:
    """Note a partner that may publish; until the partners service tells it, an operator does.

    One that is noted already needs `If-Match`; of one that was told nothing is noted any more.
    """
    facts = actions.PartnerFacts(**body.model_dump())
    return actions.record_partner(tx, facts, programme_id=caller.programme_id, reference=reference, seen=seen)


@router.get("/partners/{reference}", operation_id="get_partner", response_model=schemas.Partner)
@refuses(NotFound)
def get_partner(reference: Reference, caller: Recorder, tx: Tx) -> tables.Partner:
    """Show what is noted of a partner."""
    return queries.get_partner(tx, programme_id=caller.programme_id, reference=reference)
