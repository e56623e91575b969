"""HTTP door of feedback."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.orm import Session

from services.activities.feedback import actions, queries, rules, schemas, tables
from services.activities.feedback.actions import Given, Subject
from services.activities.feedback.schemas import FEEDBACK, REMARKS
from services.activities.feedback_forms.rules import AnswersInvalid, FormOutdated, Side
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.roles import SEE_SINGLE_ANSWERS, Reach
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import ReadIfAny, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(tags=["feedback"])

Volunteer = Annotated[Caller, Depends(may("feedback.give"))]
Host = Annotated[Caller, Depends(may("feedback.host"))]
Reader = Annotated[Caller, Depends(may("feedback.read"))]
Overseer = Annotated[Caller, Depends(may("feedback.oversee"))]
Summer = Annotated[Caller, Depends(may("feedback.sum"))]
RemarkReader = Annotated[Caller, Depends(may("remarks.read"))]
Of = Annotated[schemas.TotalsOf, Query()]
REFUSALS = (
    NotFound, rules.DidNotServe, rules.FeedbackNotDue, rules.FeedbackClosed, FormOutdated, AnswersInvalid
)  # fmt: skip


@router.get("/volunteers/me/feedback-requests", operation_id="list_own_feedback_requests")
def list_own_feedback_requests(caller: Volunteer, tx: Tx, now: Now) -> schemas.Requests:
    """List the shifts that the caller served on and may still answer about."""
    rows = queries.list_open_for_volunteer(
        tx, programme_id=caller.programme_id, volunteer_id=caller.person_id, now=now
    )  # fmt: skip
    return _requests(rows)


@router.get("/partners/me/feedback-requests", operation_id="list_host_feedback_requests")
def list_host_feedback_requests(caller: Host, tx: Tx, now: Now) -> schemas.Requests:
    """List the partner's shifts whose volunteers it may still answer about."""
    partner_id: Any = caller.partner_scope
    return _requests(queries.list_open_for_host(tx, programme_id=caller.programme_id, partner_id=partner_id, now=now))


@router.put("/shifts/{shift_id}/feedback/mine", operation_id="give_feedback", response_model=schemas.Answer)
@refuses(*REFUSALS)
def give_feedback(
    shift_id: UUID, body: schemas.Answering, caller: Volunteer, tx: Tx, now: Now, seen: ReadIfAny
) -> Tagged:  # fmt: skip
    """Answer about an activity that the caller served on, until 14 days after it; a change needs `If-Match`."""
    return _answered(actions.answer(tx, _own(shift_id, caller), _given(body, caller, seen, now)), caller)


@router.get("/shifts/{shift_id}/feedback/mine", operation_id="get_own_feedback", response_model=schemas.Answer)
@refuses(NotFound)
def get_own_feedback(shift_id: UUID, caller: Volunteer, tx: Tx) -> Tagged:
    """Show what the caller answered about a shift."""
    return _answered(queries.get_own(tx, **asdict(_own(shift_id, caller))), caller)


@router.put("/shifts/{shift_id}/feedback/host", operation_id="give_host_feedback", response_model=schemas.Answer)
@refuses(*REFUSALS)
def give_host_feedback(
    shift_id: UUID, body: schemas.Answering, caller: Host, tx: Tx, now: Now, seen: ReadIfAny
) -> Tagged:  # fmt: skip
    """Answer about the volunteers of a shift, for its partner, until 14 days after it; a change needs `If-Match`."""
    return _answered(actions.answer(tx, _hosts(shift_id, caller), _given(body, caller, seen, now)), caller)


@router.get("/shifts/{shift_id}/feedback/host", operation_id="get_host_feedback", response_model=schemas.Answer)
@refuses(NotFound)
def get_host_feedback(shift_id: UUID, caller: Host, tx: Tx) -> Tagged:
    """Show what the partner answered about the volunteers of a shift."""
    return _answered(queries.get_own(tx, **asdict(_hosts(shift_id, caller))), caller)


@router.put(
    "/shifts/{shift_id}/feedback/people/{volunteer_id}", operation_id="remark_on_volunteer",
    response_model=schemas.Answer,
)  # fmt: skip
@refuses(*REFUSALS, rules.RemarkByAnother)
def remark_on_volunteer(
    shift_id: UUID, volunteer_id: UUID, body: schemas.Answering, caller: Host, tx: Tx, now: Now, seen: ReadIfAny
) -> Tagged:  # fmt: skip
    """Remark on one person who served on a shift; only that person, the operator and its author see it."""
    subject = _hosts(shift_id, caller, volunteer_id)
    return _answered(actions.answer(tx, subject, _given(body, caller, seen, now)), caller)


@router.get(
    "/shifts/{shift_id}/feedback/people/{volunteer_id}", operation_id="get_written_remark",
    response_model=schemas.Answer,
)  # fmt: skip
@refuses(NotFound)
def get_written_remark(shift_id: UUID, volunteer_id: UUID, caller: Host, tx: Tx) -> Tagged:
    """Show what was written about one person; its words and marks only to the member who wrote it."""
    return _answered(queries.get_own(tx, **asdict(_hosts(shift_id, caller, volunteer_id))), caller)


@router.get("/feedback", operation_id="list_feedback", response_model=FEEDBACK.page, responses=FEEDBACK.responses)
def list_feedback(caller: Reader, asked: Annotated[Asked, Depends(FEEDBACK.asked)], tx: Tx) -> Answer:
    """List what was answered about activities and shifts; a partner sees its own, without who answered."""
    scope = caller.partner_scope
    rows = queries.feedback_of(caller.programme_id, scope)
    return FEEDBACK.answer(asked, tx, caller, rows, show=_for_staff if scope is None else _for_host)


@router.get("/feedback/totals", operation_id="sum_feedback")
def sum_feedback(asked: Of, caller: Summer, tx: Tx) -> schemas.Totals:
    """Add up the answers about a shift, a listing, a partner or a period; fewer than three are withheld."""
    scope = _scope(asked, caller)
    answers, tallies = queries.tally(tx, scope)
    of = queries.count_asked(tx, scope)
    is_withheld = rules.is_withheld(answers, sees_single=bool(caller.roles & SEE_SINGLE_ANSWERS))
    totals = [] if is_withheld else rules.totals(tallies)
    return schemas.Totals(
        side=asked.side, answers=answers, asked=of, response_basis_points=rules.rate(answers, of=of),
        is_withheld=is_withheld, questions=[schemas.QuestionTotal.model_validate(total) for total in totals],
    )  # fmt: skip


@router.get("/feedback/{feedback_id}", operation_id="get_feedback", response_model=schemas.History)
@refuses(NotFound)
def get_feedback(feedback_id: UUID, caller: Overseer, tx: Tx) -> Tagged:
    """Show one answer about an activity or a shift, with every version of it."""
    return _history(tx, queries.get_one(tx, queries.feedback_of(caller.programme_id, None), feedback_id))


@router.get("/remarks", operation_id="list_remarks", response_model=REMARKS.page, responses=REMARKS.responses)
def list_remarks(caller: RemarkReader, asked: Annotated[Asked, Depends(REMARKS.asked)], tx: Tx) -> Answer:
    """List what hosts wrote about people; a volunteer sees what is about them."""
    return REMARKS.answer(asked, tx, caller, _remarks(caller), show=_as_remarks)


@router.get("/remarks/{feedback_id}", operation_id="get_remark", response_model=schemas.History)
@refuses(NotFound)
def get_remark(feedback_id: UUID, caller: RemarkReader, tx: Tx) -> Tagged:
    """Show one remark about a person with every version of it, to that person or to the operator."""
    return _history(tx, queries.get_one(tx, _remarks(caller), feedback_id))


def _own(shift_id: UUID, caller: Caller) -> Subject:
    return Subject(caller.programme_id, Side.VOLUNTEER, shift_id, volunteer_id=caller.person_id)


def _hosts(shift_id: UUID, caller: Caller, volunteer_id: UUID | None = None) -> Subject:
    side = Side.HOST if volunteer_id is None else Side.REMARK
    return Subject(caller.programme_id, side, shift_id, volunteer_id, caller.partner_scope)


def _given(body: schemas.Answering, caller: Caller, seen: Seen, now: datetime) -> Given:
    return Given(body.form_version, body.answers, body.is_complaint, seen, caller.person_id, now)


def _answered(row: tables.Feedback, caller: Caller) -> Tagged:
    return Tagged(row, schemas.answer(row, reader=caller.person_id))


def _remarks(caller: Caller) -> Any:  # noqa: ANN401  A select.
    return queries.remarks_of(caller.programme_id, caller.person_id if caller.reach is Reach.PERSON else None)


def _history(tx: Session, row: tables.Feedback) -> Tagged:
    return Tagged(row, schemas.history(row, queries.list_versions(tx, [row.id])))


def _for_staff(_tx: Session, rows: Sequence[tables.Feedback]) -> list[schemas.Feedback]:
    return [schemas.feedback(row) for row in rows]


def _for_host(tx: Session, rows: Sequence[tables.Feedback]) -> list[schemas.Feedback]:
    names = queries.list_named(tx, {row.volunteer_id for row in rows if row.volunteer_id is not None})
    return [schemas.feedback_for_host(row, names) for row in rows]


def _as_remarks(_tx: Session, rows: Sequence[tables.Feedback]) -> list[schemas.Remark]:
    return [schemas.remark(row) for row in rows]


def _requests(rows: Sequence[Any]) -> schemas.Requests:
    items = [
        schemas.Request(
            shift_id=row.shift_id, listing_id=row.listing_id, partner_id=row.partner_id, title=row.title,
            service_on=row.service_on, closes_at=rules.closes_at(row.ends_at),
        )
        for row in rows
    ]  # fmt: skip
    return schemas.Requests(items=items)


def _scope(asked: schemas.TotalsOf, caller: Caller) -> queries.Scope:
    """A partner's member adds up that partner's answers, whatever they ask for."""
    scope = caller.partner_scope
    wanted = asked.model_dump(exclude={"side", "partner_id"})
    partner_id = asked.partner_id if scope is None else scope
    return queries.Scope(caller.programme_id, Side(asked.side), partner_id=partner_id, **wanted)
