"""What can be done with incidents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.activities.incidents import queries, rules
from services.activities.incidents.rules import Command, Side, State
from services.activities.incidents.tables import Incident, IncidentNote
from shared import bus
from shared.audit import Change, note
from shared.events.activities_incidents import IncidentClosed, IncidentKind, IncidentOpened, IncidentSubject
from shared.ids import new_id
from shared.seen import Seen

_KEYED = text("dedupe_key IS NOT NULL")


@dataclass(frozen=True, slots=True)
class About:
    """What an incident is about: one thing, and what it belongs to as far as that is known. Ids only."""

    subject_type: IncidentSubject
    subject_id: UUID
    shift_id: UUID | None = None
    listing_id: UUID | None = None
    partner_id: UUID | None = None
    volunteer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Somebody says that something has to be looked into; `opened_by` is None for a rule of ours."""

    programme_id: UUID
    kind: IncidentKind
    about: About
    details: str
    side: Side
    opened_by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Who of the staff does something with an incident, on which reading of it, and when."""

    programme_id: UUID
    incident_id: UUID
    seen: Seen
    by: UUID
    at: datetime


def open_described(tx: Session, report: Report) -> Incident:
    """Open an incident about what staff names by its ids.

    Raises NotFound for a shift, listing, partner or volunteer that is not of the programme.
    """
    about = report.about
    named = {IncidentSubject.SHIFT: about.shift_id, IncidentSubject.LISTING: about.listing_id,
             IncidentSubject.PARTNER: about.partner_id, IncidentSubject.VOLUNTEER: about.volunteer_id}  # fmt: skip
    for kind, thing in {*named.items(), (about.subject_type, about.subject_id)}:
        if kind in named and thing is not None:
            queries.require_there(tx, report.programme_id, kind, thing)
    return open_incident(tx, report)


def open_incident(tx: Session, report: Report) -> Incident:
    """Open an incident that a person reports, and tell it."""
    incident = Incident(**_values(report))
    tx.add(incident)
    tx.flush()
    bus.emit(tx, _opened(incident))
    return incident


def open_found(tx: Session, found: Sequence[tuple[str, Report]]) -> int:
    """Open what rules of ours found, as (dedupe key, report), and tell it; what was found before opens nothing.

    Returns how many are new.
    """
    if not found:
        return 0
    rows = insert(Incident).values([_values(report) | {"dedupe_key": key} for key, report in found])
    rows = rows.on_conflict_do_nothing(index_elements=["programme_id", "dedupe_key"], index_where=_KEYED)
    opened = tx.scalars(rows.returning(Incident)).all()
    note(tx, "incident", (Change(each.id, None, {"kind": each.kind}) for each in opened), added=len(opened))
    bus.emit_all(tx, [_opened(each) for each in opened])
    return len(opened)


def assign(tx: Session, decision: Decision, *, owner_id: UUID, deadline_at: datetime | None) -> Incident:
    """Give an incident to somebody who looks into it, until a deadline if that changes.

    Raises NotFound, ChangedSince, AlreadyClosed.
    """
    incident = _lock(tx, decision, Command.ASSIGN)
    incident.owner_id = owner_id
    incident.deadline_at = deadline_at or incident.deadline_at
    return _saved(tx, incident)


def share(tx: Session, decision: Decision) -> Incident:
    """Show an incident, without its notes, to the partner that it is about; again changes nothing.

    Raises NotFound, ChangedSince, AlreadyClosed.
    """
    incident = _lock(tx, decision, Command.SHARE)
    incident.shared_at = incident.shared_at or decision.at
    return _saved(tx, incident)


def close(tx: Session, decision: Decision, *, command: Command, resolution: str) -> Incident:
    """Resolve or dismiss an incident, for good, and tell it.

    Raises NotFound, ChangedSince, AlreadyClosed, IncidentUnowned.
    """
    incident = _lock(tx, decision, command)
    incident.closed_at, incident.closed_by, incident.resolution = decision.at, decision.by, resolution
    fact = IncidentClosed(
        programme_id=incident.programme_id,
        incident_id=incident.id,
        kind=IncidentKind(incident.kind),
        is_resolved=incident.state == State.RESOLVED,
        partner_id=incident.partner_id,
        closed_at=decision.at,
    )
    bus.emit(tx, fact)
    return _saved(tx, incident)


def add_note(
    tx: Session, *, programme_id: UUID, incident_id: UUID, words: str, written_by: UUID, now: datetime
) -> IncidentNote:
    """Note something of an incident. Raises NotFound, AlreadyClosed, TooManyNotes."""
    incident = queries.lock_incident(tx, programme_id=programme_id, incident_id=incident_id)
    rules.state_after(State(incident.state), Command.NOTE)
    notes = queries.count_notes(tx, incident_id)
    rules.require_room(notes)
    written = IncidentNote(incident_id=incident_id, number=notes + 1, text=words, written_by=written_by, written_at=now)
    tx.add(written)
    tx.flush()
    return written


def forget_words_of(tx: Session, *, volunteer_id: UUID) -> int:
    """Empty what a person wrote when they opened incidents; return of how many. That they did stays, by id."""
    words = update(Incident).where(Incident.opened_by == volunteer_id, Incident.details != "")
    emptied = tx.scalars(words.values(details="").returning(Incident.id)).all()
    note(tx, "incident", (), forgotten=len(emptied))
    return len(emptied)


def _lock(tx: Session, decision: Decision, command: Command) -> Incident:
    """Lock an incident and put it into the state after a command."""
    incident = queries.lock_incident(tx, programme_id=decision.programme_id, incident_id=decision.incident_id)
    decision.seen.require(incident)
    incident.state = rules.state_after(State(incident.state), command)
    return incident


def _saved(tx: Session, incident: Incident) -> Incident:
    tx.flush()
    return incident


def _values(report: Report) -> dict[str, object]:
    about = report.about
    return {
        "id": new_id(),
        "programme_id": report.programme_id,
        "kind": report.kind,
        "subject_type": about.subject_type,
        "subject_id": about.subject_id,
        "shift_id": about.shift_id,
        "listing_id": about.listing_id,
        "partner_id": about.partner_id,
        "volunteer_id": about.volunteer_id,
        "details": report.details,
        "state": State.OPEN,
        "opened_side": report.side,
        "opened_by": report.opened_by,
        "opened_at": report.at,
        "deadline_at": rules.deadline_of(report.kind, opened_at=report.at),
        "shared_at": report.at if rules.is_shared_at_once(report.side) else None,
    }


def _opened(incident: Incident) -> IncidentOpened:
    return IncidentOpened(
        programme_id=incident.programme_id,
        incident_id=incident.id,
        kind=IncidentKind(incident.kind),
        subject_type=IncidentSubject(incident.subject_type),
        subject_id=incident.subject_id,
        shift_id=incident.shift_id,
        partner_id=incident.partner_id,
        volunteer_id=incident.volunteer_id,
        opened_at=incident.opened_at,
        deadline_at=incident.deadline_at,
    )
