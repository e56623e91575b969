"""HTTP door of volunteers."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.activities.volunteers import actions, queries, schemas, tables
from services.activities.volunteers.rules import Registration
from services.activities.volunteers.schemas import VOLUNTEERS
from shared.auth.callers import Caller
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked

router = APIRouter(prefix="/volunteers", tags=["volunteers"])

Registrar = Annotated[Caller, Depends(may("volunteers.register"))]
Reader = Annotated[Caller, Depends(may("volunteers.read"))]


@router.post("", status_code=201, operation_id="register_volunteer", response_model=schemas.Volunteer)
def register_volunteer(body: schemas.NewVolunteer, caller: Registrar, tx: Tx, now: Now) -> tables.Volunteer:
    """Register a volunteer by employee number; the same person again returns the first record."""
    registration = Registration(body.employee_number, body.display_name)
    return actions.register(tx, programme_id=caller.programme_id, registration=registration, now=now)


@router.get("", operation_id="list_volunteers", response_model=VOLUNTEERS.page, responses=VOLUNTEERS.responses)
def list_volunteers(caller: Reader, asked: Annotated[Asked, Depends(VOLUNTEERS.asked)], tx: Tx) -> Answer:
    """List the programme's volunteers."""
    return VOLUNTEERS.answer(asked, tx, caller, queries.volunteers_of(caller.programme_id))


@router.post("/search", operation_id="search_volunteers")
def search_volunteers(body: schemas.VolunteerSearch, caller: Reader, tx: Tx) -> schemas.FoundVolunteers:
    """Look volunteers up by their employee numbers."""
    found = queries.find_by_number(tx, programme_id=caller.programme_id, numbers=body.employee_numbers)
    return schemas.FoundVolunteers(items=[schemas.Volunteer.model_validate(found[number]) for number in sorted(found)])
