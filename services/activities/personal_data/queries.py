"""Everything that is known of one person, gathered from the aggregates that know it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance.queries import list_attendance_of, list_versions_of
from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.calendar_feeds.queries import list_feeds_of
from services.activities.calendar_feeds.tables import CalendarFeed
from services.activities.certificates.queries import list_of_person as list_certificates
from services.activities.certificates.tables import Certificate
from services.activities.check_ins.queries import list_attempts_of
from services.activities.check_ins.tables import CodeAttempt
from services.activities.claims.queries import list_claims_of
from services.activities.claims.tables import Claim
from services.activities.consents.queries import list_consents
from services.activities.consents.tables import Consent
from services.activities.deliverables.queries import list_deliverables_of, list_submissions_of
from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.eligibility.queries import eligibility_of, find_intervals
from services.activities.eligibility.rules import Interval
from services.activities.eligibility.tables import Eligibility
from services.activities.feedback.queries import list_of_person
from services.activities.feedback.queries import list_versions as list_answers
from services.activities.feedback.tables import Feedback, FeedbackVersion
from services.activities.incidents.queries import list_incidents_of
from services.activities.incidents.tables import Incident
from services.activities.kit_returns.queries import list_costs_of
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.queries import list_kits_of
from services.activities.merges.queries import FormerRecord, list_former
from services.activities.personal_data.rules import MOST_ROWS, Kind
from services.activities.personal_data.tables import Access
from services.activities.profiles.queries import profile_of
from services.activities.profiles.tables import Profile
from services.activities.reliability.queries import list_appeals_of
from services.activities.reliability.tables import Appeal
from services.activities.rosters.queries import list_walk_ins_of
from services.activities.rosters.tables import WalkIn
from services.activities.scans.queries import list_scans_of
from services.activities.scans.tables import Scan
from services.activities.sign_ups.queries import list_places_of
from services.activities.volunteers.tables import Volunteer
from services.activities.work_files.queries import list_files_of
from services.activities.work_files.tables import WorkFile

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Everything:
    """All that activities knows of a person."""

    person: Volunteer
    profile: Profile
    eligibility: Eligibility
    intervals: Sequence[Interval]
    former: Sequence[FormerRecord]
    consents: Sequence[Consent]
    sign_ups: Sequence[Any]
    calendar_feeds: Sequence[CalendarFeed]
    appeals: Sequence[Appeal]
    attendances: Sequence[Attendance]
    versions: Sequence[AttendanceVersion]
    scans: Sequence[Scan]
    wrong_codes: Sequence[CodeAttempt]
    walk_ins: Sequence[WalkIn]
    claims: Sequence[Claim]
    deliverables: Sequence[Deliverable]
    submissions: Sequence[Submission]
    work_files: Sequence[WorkFile]
    kits: Sequence[Any]
    kit_costs: Sequence[KitCost]
    incidents: Sequence[Incident]
    feedback: Sequence[Feedback]
    answers: Sequence[FeedbackVersion]
    certificates: Sequence[Certificate]
    accesses: Sequence[Access]


def gather(tx: Session, person: Volunteer) -> Everything:
    """Return all that is known of a person, by each of their records, at most MOST_ROWS of a kind and record."""
    former = list_former(tx, volunteer_id=person.id)
    ids = [person.id, *(each.id for each in former)]

    def of_each(listed: Callable[..., Sequence[R]]) -> list[R]:
        return [row for each in ids for row in listed(tx, volunteer_id=each, limit=MOST_ROWS)]

    attendances, feedback = of_each(list_attendance_of), of_each(list_of_person)
    return Everything(
        person=person,
        profile=profile_of(tx, person),
        eligibility=eligibility_of(tx, person),
        intervals=find_intervals(tx, [person.id]).get(person.id, []),
        former=former,
        consents=[row for each in ids for row in list_consents(tx, volunteer_id=each)],
        sign_ups=of_each(list_places_of),
        calendar_feeds=of_each(list_feeds_of),
        appeals=of_each(list_appeals_of),
        attendances=attendances,
        versions=list_versions_of(tx, [attendance.id for attendance in attendances]),
        scans=of_each(list_scans_of),
        wrong_codes=of_each(list_attempts_of),
        walk_ins=of_each(list_walk_ins_of),
        claims=of_each(list_claims_of),
        deliverables=of_each(list_deliverables_of),
        submissions=of_each(list_submissions_of),
        work_files=of_each(list_files_of),
        kits=of_each(list_kits_of),
        kit_costs=of_each(list_costs_of),
        incidents=of_each(list_incidents_of),
        feedback=feedback,
        answers=list_answers(tx, [each.id for each in feedback]),
        certificates=of_each(list_certificates),
        accesses=of_each(list_accesses),
    )


def list_accesses(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Access]:
    """Return what was done with a person's data as a whole, oldest first."""
    rows = select(Access).where(Access.volunteer_id == volunteer_id).order_by(Access.id).limit(limit)
    return list(tx.scalars(rows))


def has_taken_out_own(tx: Session, *, volunteer_id: UUID, since: datetime) -> bool:
    """Say whether a person has taken out their own data after `since`."""
    rows = select(Access.id).where(Access.volunteer_id == volunteer_id, Access.kind == Kind.EXPORT)
    return tx.scalar(rows.where(Access.reason.is_(None), Access.accessed_at > since).limit(1)) is not None


def get_erasure(tx: Session, *, volunteer_id: UUID) -> Access:
    """Return the record of a person's erasure."""
    rows = select(Access).where(Access.volunteer_id == volunteer_id, Access.kind == Kind.ERASURE)
    return tx.scalars(rows).one()
