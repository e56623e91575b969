"""HTTP door of rounds and their calendars."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.rounds import actions, queries, schemas, tables
from services.activities.rounds.rules import BadRoundTimes, RoundsOverlap, WrongRoundState
from services.activities.rounds.schemas import ROUNDS
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, ReadIfAny, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router
from shared.zones import UnknownTimezone

router = Router(tags=["rounds"])

Reader = Annotated[Caller, Depends(may("rounds.read"))]
Planner = Annotated[Caller, Depends(may("rounds.plan"))]


@router.get("/round-calendar", operation_id="get_round_calendar", response_model=schemas.RoundCalendar)
@refuses(NotFound)
def get_round_calendar(caller: Reader, tx: Tx) -> Tagged:
    """Show when the programme's rounds are."""
    calendar = queries.get_calendar(tx, caller.programme_id)
    return Tagged(calendar, schemas.RoundCalendar.of(calendar))


@router.put("/round-calendar", operation_id="set_round_calendar", response_model=schemas.RoundCalendar)
@refuses(UnknownTimezone, BadRoundTimes)
def set_round_calendar(body: schemas.RoundCalendar, caller: Planner, tx: Tx, now: Now, seen: ReadIfAny) -> Tagged:
    """Say when the programme's rounds are; those of the weeks ahead are made at once, those that are made stay.

    A calendar that is set already needs `If-Match`.
    """
    calendar = actions.set_calendar(tx, body.facts(), programme_id=caller.programme_id, seen=seen, now=now)
    return Tagged(calendar, schemas.RoundCalendar.of(calendar))


@router.get("/rounds", operation_id="list_rounds", response_model=ROUNDS.page, responses=ROUNDS.responses)
def list_rounds(caller: Reader, asked: Annotated[Asked, Depends(ROUNDS.asked)], tx: Tx) -> Answer:
    """List the programme's rounds, the latest first."""
    return ROUNDS.answer(asked, tx, caller, queries.rounds_of(caller.programme_id))


@router.post("/rounds", status_code=201, operation_id="plan_round", response_model=schemas.Round)
@refuses(BadRoundTimes, RoundsOverlap)
def plan_round(body: schemas.NewRound, caller: Planner, tx: Tx, now: Now) -> tables.Round:
    """Plan a round beside those of the calendar."""
    return actions.plan_round(tx, body.times(), programme_id=caller.programme_id, target=body.target, now=now)


@router.get("/rounds/{round_id}", operation_id="get_round", response_model=schemas.Round)
@refuses(NotFound)
def get_round(round_id: UUID, caller: Reader, tx: Tx) -> tables.Round:
    """Show one round."""
    return queries.get_round(tx, programme_id=caller.programme_id, round_id=round_id)


@router.post("/rounds/{round_id}/move", operation_id="move_round", response_model=schemas.Round)
@refuses(NotFound, BadRoundTimes, RoundsOverlap, WrongRoundState)
def move_round(round_id: UUID, body: schemas.Move, caller: Planner, tx: Tx, now: Now, seen: Read) -> tables.Round:
    """Put a round that has not opened at another time."""
    return actions.move_round(
        tx, body.times(), programme_id=caller.programme_id, round_id=round_id, because=body.reason, seen=seen, now=now
    )


@router.post("/rounds/{round_id}/extend", operation_id="extend_round", response_model=schemas.Round)
@refuses(NotFound, BadRoundTimes, RoundsOverlap, WrongRoundState)
def extend_round(
    round_id: UUID, body: schemas.Extension, caller: Planner, tx: Tx, now: Now, seen: Read
) -> tables.Round:
    """Keep an open round open for longer; review and publication are put off by as much."""
    return actions.extend_round(
        tx, body.closes_at, programme_id=caller.programme_id, round_id=round_id, because=body.reason, seen=seen,
        now=now,
    )  # fmt: skip


@router.post("/rounds/{round_id}/cancel", operation_id="cancel_round", response_model=schemas.Round)
@refuses(NotFound, WrongRoundState)
def cancel_round(
    round_id: UUID, body: schemas.RoundCancellation, caller: Planner, tx: Tx, now: Now, seen: Read
) -> tables.Round:
    """Call a round off before it closes; again changes nothing."""
    return actions.cancel_round(
        tx, programme_id=caller.programme_id, round_id=round_id, because=body.reason, seen=seen, now=now
    )
