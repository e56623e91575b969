"""HTTP door of incidents."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.activities.incidents import actions, queries, rules, schemas, tables
from services.activities.incidents.schemas import INCIDENTS
from shared.auth.callers import Caller
from shared.errors import NotFound
from shared.roles import Reach
from shared.seen import Seen
from shared.web.doors import Now, Tx, may
from shared.web.lists import Answer, Asked
from shared.web.preconditions import Read, Tagged
from shared.web.refusals import refuses
from shared.web.routes import Router

router = Router(prefix="/incidents", tags=["incidents"])

Opener = Annotated[Caller, Depends(may("incidents.open"))]
Reader = Annotated[Caller, Depends(may("incidents.read"))]
Handler = Annotated[Caller, Depends(may("incidents.handle"))]


@router.post("", status_code=201, operation_id="open_incident", response_model=schemas.Incident)
@refuses(NotFound)
def open_incident(body: schemas.NewIncident, caller: Opener, tx: Tx, now: Now) -> tables.Incident:
    """Open an incident about anything of the programme; people on a shift report theirs at the shift."""
    about = actions.About(**body.model_dump(exclude={"kind", "details"}))
    report = actions.Report(
        caller.programme_id, body.kind, about, body.details, rules.Side.STAFF, caller.person_id, now
    )
    return actions.open_described(tx, report)


@router.get("", operation_id="list_incidents", response_model=INCIDENTS.page, responses=INCIDENTS.responses)
def list_incidents(caller: Reader, asked: Annotated[Asked, Depends(INCIDENTS.asked)], tx: Tx) -> Answer:
    """List incidents: staff sees all, a partner what it reported or what is shared with it, others what they opened."""
    return INCIDENTS.answer(asked, tx, caller, queries.incidents_of(_scope(caller)))


@router.get("/{incident_id}", operation_id="get_incident", response_model=schemas.IncidentWithNotes)
@refuses(NotFound)
def get_incident(incident_id: UUID, caller: Reader, tx: Tx) -> Tagged:
    """Show one incident; what was noted of it is staff's alone."""
    incident = queries.get_incident(tx, _scope(caller), incident_id)
    notes = queries.list_notes(tx, incident_id) if caller.reach is Reach.PROGRAMME else []
    shown = schemas.Incident.model_validate(incident).model_dump()
    return Tagged(incident, schemas.IncidentWithNotes(**shown, notes=[schemas.Note.model_validate(n) for n in notes]))


@router.post("/{incident_id}/notes", status_code=201, operation_id="note_incident", response_model=schemas.Note)
@refuses(NotFound, rules.AlreadyClosed, rules.TooManyNotes)
def note_incident(incident_id: UUID, body: schemas.NewNote, caller: Handler, tx: Tx, now: Now) -> tables.IncidentNote:
    """Note what was found out or done; it cannot be changed any more."""
    return actions.add_note(
        tx, programme_id=caller.programme_id, incident_id=incident_id, words=body.text,
        written_by=caller.person_id, now=now,
    )  # fmt: skip


@router.post("/{incident_id}/assign", operation_id="assign_incident", response_model=schemas.Incident)
@refuses(NotFound, rules.AlreadyClosed)
def assign_incident(
    incident_id: UUID, body: schemas.Assignment, caller: Handler, tx: Tx, now: Now, seen: Read
) -> tables.Incident:
    """Say who looks into an incident, and until when."""
    decision = _decision(incident_id, caller, now, seen)
    return actions.assign(tx, decision, owner_id=body.owner_id, deadline_at=body.deadline_at)


@router.post("/{incident_id}/share", operation_id="share_incident", response_model=schemas.Incident)
@refuses(NotFound, rules.AlreadyClosed)
def share_incident(incident_id: UUID, caller: Handler, tx: Tx, now: Now, seen: Read) -> tables.Incident:
    """Show an incident to the partner that it is about; it cannot be hidden again."""
    return actions.share(tx, _decision(incident_id, caller, now, seen))


@router.post("/{incident_id}/resolve", operation_id="resolve_incident", response_model=schemas.Incident)
@refuses(NotFound, rules.AlreadyClosed, rules.IncidentUnowned)
def resolve_incident(
    incident_id: UUID, body: schemas.Closing, caller: Handler, tx: Tx, now: Now, seen: Read
) -> tables.Incident:
    """Say what was done about an incident, and close it for good."""
    decision = _decision(incident_id, caller, now, seen)
    return actions.close(tx, decision, command=rules.Command.RESOLVE, resolution=body.reason)


@router.post("/{incident_id}/dismiss", operation_id="dismiss_incident", response_model=schemas.Incident)
@refuses(NotFound, rules.AlreadyClosed, rules.IncidentUnowned)
def dismiss_incident(
    incident_id: UUID, body: schemas.Closing, caller: Handler, tx: Tx, now: Now, seen: Read
) -> tables.Incident:
    """Say why there was nothing to it, and close it for good."""
    decision = _decision(incident_id, caller, now, seen)
    return actions.close(tx, decision, command=rules.Command.DISMISS, resolution=body.reason)


def _decision(incident_id: UUID, caller: Caller, now: datetime, seen: Seen) -> actions.Decision:
    return actions.Decision(caller.programme_id, incident_id, seen, caller.person_id, now)


def _scope(caller: Caller) -> queries.Scope:
    """Say whose incidents a caller sees."""
    if caller.reach is Reach.PERSON:
        return queries.Scope(caller.programme_id, person_id=caller.person_id)
    return queries.Scope(caller.programme_id, partner_id=caller.partner_scope)
