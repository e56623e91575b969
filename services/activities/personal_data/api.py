"""HTTP door of a person's data as a whole: taking it out, and erasing the person."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.personal_data import actions, schemas, tables
from services.activities.personal_data.rules import ServiceUnderWay
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/volunteers", tags=["personal data"])

Volunteer = Annotated[Caller, Depends(may("personal_data.own"))]
Exporter = Annotated[Caller, Depends(may("personal_data.export"))]
Eraser = Annotated[Caller, Depends(may("personal_data.erase"))]


@router.get("/me/data", operation_id="export_own_data")
@refuses(NotFound)
def export_own_data(caller: Volunteer, tx: Tx, now: Now) -> schemas.PersonalData:
    """Take out everything that activities knows of the caller; what the ledger knows, it tells itself."""
    found = actions.export(tx, _request(caller.person_id, caller, now))
    return schemas.shown(found, now=now)


@router.post("/me/erasure", operation_id="erase_oneself", response_model=schemas.Erasure)
@refuses(NotFound, ServiceUnderWay)
def erase_oneself(body: schemas.Confirmation, caller: Volunteer, tx: Tx, now: Now) -> tables.Access:  # noqa: ARG001  That it is there is what counts.
    """Erase the caller, for good: pseudonyms for name and number, consents withdrawn, places ahead given back."""
    return actions.erase(tx, _request(caller.person_id, caller, now))


@router.post("/{volunteer_id}/data-exports", operation_id="export_personal_data")
@refuses(NotFound)
def export_personal_data(
    volunteer_id: UUID, body: schemas.Grounds, caller: Exporter, tx: Tx, now: Now
) -> schemas.PersonalData:
    """Take out everything that activities knows of a person who asked for it; the person sees that it was done."""
    found = actions.export(tx, _request(volunteer_id, caller, now, reason=body.reason))
    return schemas.shown(found, now=now)


@router.post("/{volunteer_id}/erasure", operation_id="erase_volunteer", response_model=schemas.Erasure)
@refuses(NotFound, ServiceUnderWay)
def erase_volunteer(
    volunteer_id: UUID, body: schemas.ErasureGrounds, caller: Eraser, tx: Tx, now: Now
) -> tables.Access:
    """Erase a person who asked for it, for good; again returns the first record."""
    return actions.erase(tx, _request(volunteer_id, caller, now, reason=body.reason))


def _request(volunteer_id: UUID, caller: Caller, now: datetime, *, reason: str | None = None) -> actions.Request:
    return actions.Request(caller.programme_id, volunteer_id, caller.person_id, reason, now)
