"""HTTP door of volunteers."""

from functools import partial
from typing import Annotated

from fastapi import Depends

from services.activities.volunteers import actions, queries, schemas, tables
from services.activities.volunteers.rules import (
    EmployeeNumberTaken,
    ErasedEarlier,
    RecordMerged,
    Registration,
    ReservedNumber,
)
from services.activities.volunteers.schemas import VOLUNTEERS
from shared.auth.callers import Caller
from shared.privacy.masking import sees_people
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.refusals import refuses
from shared.web.routes import Router, reading

router = Router(prefix="/volunteers", tags=["volunteers"])

Registrar = Annotated[Caller, Depends(may("volunteers.register"))]
Reader = Annotated[Caller, Depends(may("volunteers.read"))]
Asker = Annotated[Caller, Depends(may("names.look_up"))]
Seeker = Annotated[Caller, Depends(may("volunteers.look_up"))]


@router.post("", status_code=201, operation_id="register_volunteer", response_model=schemas.Volunteer)
@refuses(EmployeeNumberTaken, ErasedEarlier, ReservedNumber, RecordMerged)
def register_volunteer(body: schemas.NewVolunteer, caller: Registrar, tx: Tx, now: Now) -> tables.Volunteer:
    """Register a volunteer by employee number; the same person again returns the first record."""
    registration = Registration(body.employee_number, body.display_name)
    return actions.register(
        tx, programme_id=caller.programme_id, registration=registration, comes_back=body.comes_back, now=now
    )


@router.get("", operation_id="list_volunteers", response_model=VOLUNTEERS.page, responses=VOLUNTEERS.responses)
def list_volunteers(caller: Reader, asked: Annotated[Asked, Depends(VOLUNTEERS.asked)], tx: Tx) -> Answer:
    """List the programme's volunteers; names and numbers are masked for who need not know them."""
    show = partial(schemas.show_all, masked=not sees_people(caller.roles))
    return VOLUNTEERS.answer(asked, tx, caller, queries.volunteers_of(caller.programme_id), show=show)


@router.post("/names", operation_id="look_up_names")
@reading
def look_up_names(body: schemas.NamesWanted, caller: Asker, tx: Tx) -> schemas.Names:
    """Say what up to 1,000 volunteers of the programme are called; changes nothing."""
    names = queries.find_names(tx, programme_id=caller.programme_id, volunteer_ids=set(body.ids))
    return schemas.Names(names=names)


@router.post("/lookups", operation_id="look_up_volunteers")
@reading
def look_up_volunteers(body: schemas.Numbers, caller: Seeker, tx: Tx) -> schemas.FoundVolunteers:
    """Find volunteers by their employee numbers; those that nobody has are left out."""
    found = queries.find_by_number(tx, programme_id=caller.programme_id, numbers=body.employee_numbers)
    return schemas.FoundVolunteers(items=[schemas.Volunteer.model_validate(found[number]) for number in sorted(found)])
