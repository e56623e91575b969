"""HTTP door of day manifests: what each service date came to, for the books to be compared with."""

from typing import Annotated

from fastapi import Depends

from services.activities.manifests import queries, schemas
from services.activities.manifests.schemas import MANIFESTS
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Tx, may
from shared.web.fields import Day
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/manifests", tags=["manifests"])

Reader = Annotated[Caller, Depends(may("manifests.read"))]


@router.get("", operation_id="list_manifests", response_model=MANIFESTS.page, responses=MANIFESTS.responses)
def list_manifests(caller: Reader, asked: Annotated[Asked, Depends(MANIFESTS.asked)], tx: Tx) -> Answer:
    """List the manifests of the programme's service dates, each with all of its versions, the latest dates first."""
    return MANIFESTS.answer(asked, tx, caller, queries.manifests_of(caller.programme_id))


@router.get("/{service_on}", operation_id="get_manifest", response_model=schemas.Day)
@refuses(NotFound)
def get_manifest(service_on: Day, caller: Reader, tx: Tx) -> Tagged:
    """Show what a service date came to, and what it was taken to come to before."""
    latest, *earlier = queries.list_versions(tx, programme_id=caller.programme_id, service_on=service_on)
    shown = schemas.DayManifest.model_validate(latest).model_dump()
    return Tagged(latest, schemas.Day(**shown, earlier=[schemas.DayManifest.model_validate(row) for row in earlier]))
