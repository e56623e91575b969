"""HTTP door of service records."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.records import queries, schemas
from services.activities.records.schemas import SERVICES
from services.activities.volunteers.queries import get_volunteer
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.lists import Answer, Asked
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/volunteers", tags=["service records"])

Volunteer = Annotated[Caller, Depends(may("service_records.own"))]
Reader = Annotated[Caller, Depends(may("service_records.read"))]
Wanted = Annotated[Asked, Depends(SERVICES.asked)]


@router.get(
    "/me/service-record", operation_id="get_own_service_record", response_model=schemas.ServiceRecord,
    responses=SERVICES.responses,
)  # fmt: skip
@refuses(NotFound)
def get_own_service_record(caller: Volunteer, asked: Wanted, tx: Tx) -> Answer:
    """Show what the caller has served, with totals and badges."""
    return _record(caller.person_id, caller, asked, tx)


@router.get(
    "/{volunteer_id}/service-record", operation_id="get_service_record", response_model=schemas.ServiceRecord,
    responses=SERVICES.responses,
)  # fmt: skip
@refuses(NotFound)
def get_service_record(volunteer_id: UUID, caller: Reader, asked: Wanted, tx: Tx) -> Answer:
    """Show what a person has served, with totals and badges."""
    return _record(volunteer_id, caller, asked, tx)


def _record(volunteer_id: UUID, caller: Caller, asked: Asked, tx: Tx) -> Answer:
    person = get_volunteer(tx, programme_id=caller.programme_id, volunteer_id=volunteer_id)
    everything = queries.list_services(
        tx, programme_id=caller.programme_id, volunteer_id=person.id, period=queries.Period()
    )  # fmt: skip
    shown = schemas.record(person.id, everything, queries.Period(**asked.filters))
    return SERVICES.answer(asked, shown, shown.items)
