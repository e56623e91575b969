"""HTTP door of volunteers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.activities.volunteers import actions, queries, schemas, tables
from services.activities.volunteers.rules import EmployeeNumberTaken, Registration
from shared.auth.callers import Caller
from shared.web.doors import Now, Tx, may
from shared.web.fields import Limit, Line
from shared.web.refusals import refuses

router = APIRouter(prefix="/volunteers", tags=["volunteers"])

Registrar = Annotated[Caller, Depends(may("volunteers.register"))]
Reader = Annotated[Caller, Depends(may("volunteers.read"))]


@router.post("", status_code=201, operation_id="register_volunteer", response_model=schemas.Volunteer)
@refuses(EmployeeNumberTaken)
def register_volunteer(body: schemas.NewVolunteer, caller: Registrar, tx: Tx, now: Now) -> tables.Volunteer:
    """Register a volunteer by employee number; the same person again returns the first record."""
    registration = Registration(body.employee_number, body.display_name)
    return actions.register(tx, programme_id=caller.programme_id, registration=registration, now=now)


@router.get("", operation_id="list_volunteers")
def list_volunteers(
    caller: Reader,
    tx: Tx,
    employee_number: Line | None = None,
    after: UUID | None = None,
    limit: Limit = 50,
) -> schemas.Volunteers:
    """List the programme's volunteers."""
    rows = queries.list_volunteers(
        tx, programme_id=caller.programme_id, employee_number=employee_number, after=after, limit=limit
    )
    items = [schemas.Volunteer.model_validate(row) for row in rows]
    return schemas.Volunteers(items=items, next=rows[-1].id if len(rows) == limit else None)
