"""HTTP door of reliability: the person and operators see it, nobody else."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy.orm import Session

from services.activities.reliability import actions, queries, schemas, tables
from services.activities.reliability.rules import AppealDecided, AppealMade, NotAppealable
from services.activities.reliability.schemas import APPEALS
from services.activities.volunteers.queries import get_volunteer
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["reliability"])

Volunteer = Annotated[Caller, Depends(may("reliability.own"))]
Reader = Annotated[Caller, Depends(may("reliability.read"))]
Decider = Annotated[Caller, Depends(may("reliability.decide"))]


@router.get("/volunteers/me/reliability", operation_id="get_own_reliability")
@refuses(NotFound)
def get_own_reliability(caller: Volunteer, tx: Tx, now: Now) -> schemas.Reliability:
    """Show how far the caller's word about a place is relied on, explained fact by fact."""
    return _shown(tx, caller, caller.person_id, now)


@router.post(
    "/volunteers/me/reliability/appeals", status_code=201, operation_id="appeal_reliability",
    response_model=schemas.Appeal,
)  # fmt: skip
@refuses(NotFound, NotAppealable, AppealMade)
def appeal_reliability(body: schemas.NewAppeal, caller: Volunteer, tx: Tx, now: Now) -> tables.Appeal:
    """Say why what became of one's own place should not count."""
    return actions.appeal(
        tx, programme_id=caller.programme_id, volunteer_id=caller.person_id, sign_up_id=body.sign_up_id,
        because=body.note, now=now,
    )  # fmt: skip


@router.get("/volunteers/{volunteer_id}/reliability", operation_id="get_reliability")
@refuses(NotFound)
def get_reliability(volunteer_id: UUID, caller: Reader, tx: Tx, now: Now) -> schemas.Reliability:
    """Show how far somebody's word about a place is relied on, explained fact by fact."""
    return _shown(tx, caller, volunteer_id, now)


@router.get(
    "/reliability-appeals", operation_id="list_reliability_appeals", response_model=APPEALS.page,
    responses=APPEALS.responses,
)  # fmt: skip
def list_reliability_appeals(caller: Decider, asked: Annotated[Asked, Depends(APPEALS.asked)], tx: Tx) -> Answer:
    """List the programme's appeals, newest first."""
    return APPEALS.answer(asked, tx, caller, queries.appeals_of(caller.programme_id))


@router.get("/reliability-appeals/{appeal_id}", operation_id="get_reliability_appeal", response_model=schemas.Appeal)
@refuses(NotFound)
def get_reliability_appeal(appeal_id: UUID, caller: Decider, tx: Tx) -> tables.Appeal:
    """Show an appeal, as whoever decides it must have read it."""
    return queries.get_appeal(tx, programme_id=caller.programme_id, appeal_id=appeal_id)


@router.post(
    "/reliability-appeals/{appeal_id}/decide", operation_id="decide_reliability_appeal",
    response_model=schemas.Appeal,
)  # fmt: skip
@refuses(NotFound, AppealDecided)
def decide_reliability_appeal(
    appeal_id: UUID, body: schemas.AppealDecision, caller: Decider, tx: Tx, now: Now, seen: Read
) -> tables.Appeal:
    """Excuse a fact, so that it counts nothing from then on, or let it count."""
    decision = actions.Decision(
        caller.programme_id, appeal_id, body.is_excused, body.reason, seen, caller.person_id, now
    )  # fmt: skip
    return actions.decide(tx, decision)


def _shown(tx: Session, caller: Caller, volunteer_id: UUID, now: datetime) -> schemas.Reliability:
    volunteer = get_volunteer(tx, programme_id=caller.programme_id, volunteer_id=volunteer_id)
    return schemas.shown(volunteer.id, queries.list_places(tx, [volunteer.id], now=now), now=now)
