"""Reads and locks of incidents, with who may see what in their SQL."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from services.activities.incidents.rules import State
from services.activities.incidents.tables import Incident, IncidentNote
from services.activities.listings.queries import get_listing, get_shift
from services.activities.partners.queries import find_partner
from services.activities.volunteers.queries import get_volunteer
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound
from shared.events.activities_incidents import IncidentKind, IncidentSubject

INCIDENTS = KeysetList(
    key=(Incident.id,),
    sorts={"deadline_at": Sort(Incident.deadline_at)},
    filters={
        "kind": equal(Incident.kind, "Of this kind.", takes=IncidentKind),
        "state": equal(Incident.state, "In this state.", takes=State),
        "partner_id": equal(Incident.partner_id, "About this partner."),
        "shift_id": equal(Incident.shift_id, "About this shift."),
        "volunteer_id": equal(Incident.volunteer_id, "About this volunteer."),
        "subject_id": equal(Incident.subject_id, "About this thing."),
        "owner_id": equal(Incident.owner_id, "Looked into by this person."),
        "deadline_from": since(Incident.deadline_at, "To be closed at this instant or later."),
        "deadline_until": until(Incident.deadline_at, "To be closed before this instant."),
    },
    default_sort="-id",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose incidents somebody sees: a programme's, those shown to one partner, or those that one person opened."""

    programme_id: UUID
    partner_id: UUID | None = None
    person_id: UUID | None = None


def incidents_of(scope: Scope) -> Select[Incident]:
    """Say which incidents a caller may see.

    A partner sees what it reported and what staff has shared with it: nobody else's complaint about it.
    """
    rows = select(Incident).where(Incident.programme_id == scope.programme_id)
    if scope.partner_id is not None:
        rows = rows.where(Incident.partner_id == scope.partner_id, Incident.shared_at.is_not(None))
    if scope.person_id is not None:
        rows = rows.where(Incident.opened_by == scope.person_id)
    return rows


def get_incident(tx: Session, scope: Scope, incident_id: UUID) -> Incident:
    """Return one incident. Raises NotFound, also for one that the caller may not see."""
    incident = tx.scalars(incidents_of(scope).where(Incident.id == incident_id)).first()
    if incident is None:
        raise NotFound(incident_id=incident_id)
    return incident


def lock_incident(tx: Session, *, programme_id: UUID, incident_id: UUID) -> Incident:
    """Lock one incident of a programme. Raises NotFound."""
    rows = incidents_of(Scope(programme_id)).where(Incident.id == incident_id)
    rows = rows.with_for_update(key_share=True).execution_options(populate_existing=True)
    incident = tx.scalars(rows).first()
    if incident is None:
        raise NotFound(incident_id=incident_id)
    return incident


def list_notes(tx: Session, incident_id: UUID) -> list[IncidentNote]:
    """Return what was noted of an incident, oldest first."""
    rows = select(IncidentNote).where(IncidentNote.incident_id == incident_id)
    return list(tx.scalars(rows.order_by(IncidentNote.number)))


def count_notes(tx: Session, incident_id: UUID) -> int:
    """Return how many notes an incident has; whoever adds one holds its lock."""
    return tx.scalars(select(func.count()).where(IncidentNote.incident_id == incident_id)).one()


def list_incidents_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Incident]:
    """Return the incidents that a person opened or that are about them, oldest first."""
    opened, about = (
        select(Incident.id).where(column == volunteer_id) for column in (Incident.opened_by, Incident.volunteer_id)
    )
    rows = select(Incident).where(Incident.id.in_(opened.union(about))).order_by(Incident.id)
    return list(tx.scalars(rows.limit(limit)))


def require_there(tx: Session, programme_id: UUID, kind: IncidentSubject, thing: UUID) -> None:
    """Refuse what an incident should be about if the programme has none such. Raises NotFound."""
    if kind is IncidentSubject.SHIFT:
        get_shift(tx, programme_id=programme_id, shift_id=thing)
    elif kind is IncidentSubject.LISTING:
        get_listing(tx, programme_id=programme_id, listing_id=thing)
    elif kind is IncidentSubject.VOLUNTEER:
        get_volunteer(tx, programme_id=programme_id, volunteer_id=thing)
    elif kind is IncidentSubject.PARTNER and find_partner(tx, programme_id=programme_id, partner_id=thing) is None:
        raise NotFound(partner_id=thing)
