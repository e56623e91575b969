"""HTTP door of eligibility."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.eligibility import actions, queries, schemas
from services.activities.eligibility.rules import BadIntervals, Interval
from services.activities.volunteers.queries import get_volunteer
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/volunteers", tags=["eligibility"])

Reader = Annotated[Caller, Depends(may("eligibility.read"))]
Recorder = Annotated[Caller, Depends(may("eligibility.record"))]


@router.get("/{volunteer_id}/eligibility", operation_id="get_eligibility", response_model=schemas.Eligibility)
@refuses(NotFound)
def get_eligibility(volunteer_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show on which dates a person's service may be matched, and who said so."""
    return _shown(tx, caller, volunteer_id)


@router.put("/{volunteer_id}/eligibility", operation_id="record_eligibility", response_model=schemas.Eligibility)
@refuses(NotFound, BadIntervals)
def record_eligibility(
    volunteer_id: UUID, body: schemas.Employment, caller: Recorder, tx: Tx, now: Now, seen: Read
) -> Tagged:
    """Say when a person is employed; what is settled already is decided again within moments."""
    record = actions.Record(caller.programme_id, body.reason, caller.person_id, now)
    intervals = [Interval(each.since, each.until) for each in body.intervals]
    actions.record(tx, record, volunteer_id=volunteer_id, intervals=intervals, seen=seen)
    return _shown(tx, caller, volunteer_id)


def _shown(tx: Tx, caller: Caller, volunteer_id: UUID) -> Tagged:
    volunteer = get_volunteer(tx, programme_id=caller.programme_id, volunteer_id=volunteer_id)
    row = queries.eligibility_of(tx, volunteer)
    return Tagged(row, schemas.shown(row, queries.find_intervals(tx, [volunteer.id]).get(volunteer.id, [])))
