"""Reads and locks of attendance."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    cast,
    null,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import DATERANGE
from sqlalchemy.orm import Session

from services.activities.attendance.rules import Interval, Neighbour
from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.eligibility.rules import Interval as Dates
from services.activities.eligibility.tables import EligibleInterval
from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among, among_given
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.database.packed import uuids
from shared.errors import NotFound
from shared.events.activities import EvidenceClass

State = Literal["checked_in", "settled", "voided"]
_SUMMARY = text("""
    SELECT count(*) FILTER (WHERE state = 'settled') AS participations,
           count(*) FILTER (WHERE state = 'checked_in') AS without_check_out,
           count(*) FILTER (WHERE state = 'voided') AS voided,
           count(DISTINCT volunteer_id) FILTER (WHERE state = 'settled') AS volunteers,
           coalesce(sum(service_minutes) FILTER (WHERE state = 'settled'), 0)::bigint AS service_minutes,
           coalesce(sum(matchable_minutes) FILTER (WHERE state = 'settled'), 0)::bigint AS matchable_minutes
    FROM attendance WHERE programme_id = :programme_id AND service_on >= :since AND service_on < :until
""")
_SHIFTS = text("""
    SELECT count(*) AS shifts, count(*) FILTER (WHERE state = 'held') AS shifts_held,
           count(*) FILTER (WHERE state = 'cancelled') AS shifts_cancelled
    FROM shift WHERE programme_id = :programme_id AND service_on >= :since AND service_on < :until
""")
_PARTNERS = text("""
    SELECT count(*) FILTER (WHERE agreement = 'signed') AS partners_signed,
           count(*) FILTER (WHERE agreement = 'carried_over') AS partners_carried_over
    FROM partner WHERE programme_id = :programme_id AND since < :until
""")
_KNOWN_OF = union_all(
    select(
        Attendance.volunteer_id, Attendance.id, Attendance.started_at, Attendance.ended_at,
        Attendance.service_minutes, cast(null(), DATERANGE).label("during"),
    ).where(among_given(Attendance.volunteer_id, "people"), Attendance.state == "settled"),
    select(
        EligibleInterval.volunteer_id, cast(null(), Uuid), cast(null(), DateTime(timezone=True)),
        cast(null(), DateTime(timezone=True)), cast(null(), Integer), EligibleInterval.during,
    ).where(among_given(EligibleInterval.volunteer_id, "people")),
)  # fmt: skip
ATTENDANCES = KeysetList(
    key=(Attendance.id,),
    sorts={"service_on": Sort(Attendance.service_on), "checked_in_at": Sort(Attendance.checked_in_at)},
    filters={
        "shift_id": equal(Attendance.shift_id, "On this shift."),
        "listing_id": equal(Attendance.listing_id, "On a shift of this listing."),
        "partner_id": equal(Attendance.partner_id, "With this partner."),
        "volunteer_id": equal(Attendance.volunteer_id, "Of this volunteer."),
        "state": equal(Attendance.state, "In this state.", takes=State),
        "evidence": equal(Attendance.evidence, "Proven in this way.", takes=EvidenceClass),
        "service_from": since(Attendance.service_on, "Served on this date or later."),
        "service_until": until(Attendance.service_on, "Served before this date."),
    },
)


def find_attendance(tx: Session, *, shift_id: UUID, volunteer_id: UUID) -> Attendance | None:
    """Return a person's attendance on a shift; whoever may change it holds the person's lock."""
    rows = select(Attendance).where(Attendance.shift_id == shift_id, Attendance.volunteer_id == volunteer_id)
    return tx.scalars(rows).first()


def get_attendance(
    tx: Session, *, programme_id: UUID, attendance_id: UUID, partner_id: UUID | None = None
) -> Attendance:
    """Return one attendance; `partner_id` limits it to one partner's. Raises NotFound."""
    rows = select(Attendance).where(Attendance.id == attendance_id, Attendance.programme_id == programme_id)
    if partner_id is not None:
        rows = rows.where(Attendance.partner_id == partner_id)
    attendance = tx.scalars(rows).first()
    if attendance is None:
        raise NotFound(attendance_id=attendance_id)
    return attendance


def attendances_of(programme_id: UUID, partner_scope: UUID | None) -> Select[Attendance]:
    """Say which attendances a caller of a programme may see: all, or those with one partner."""
    rows = select(Attendance).where(Attendance.programme_id == programme_id)
    return rows if partner_scope is None else rows.where(Attendance.partner_id == partner_scope)


def list_by_id(tx: Session, attendance_ids: Collection[UUID]) -> list[Attendance]:
    """Return these attendances as they are now."""
    rows = select(Attendance).where(among(Attendance.id, attendance_ids)).order_by(Attendance.id)
    return list(tx.scalars(rows.execution_options(populate_existing=True)))


def list_versions(tx: Session, attendance_id: UUID) -> list[AttendanceVersion]:
    """Return everything that was ever settled of one attendance, oldest first."""
    rows = select(AttendanceVersion).where(AttendanceVersion.attendance_id == attendance_id)
    return list(tx.scalars(rows.order_by(AttendanceVersion.version)))


class Recorded(NamedTuple):
    """What is recorded of one person on one shift, as far as a sheet is compared with it."""

    id: UUID
    checked_in_at: datetime
    checked_out_at: datetime | None
    evidence: str | None
    state: str


def find_recorded(tx: Session, pairs: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Recorded]:
    """Return what is recorded for these (shift, volunteer) pairs; there may be hundreds of thousands."""
    columns = (getattr(Attendance, name) for name in Recorded._fields)
    rows = select(Attendance.shift_id, Attendance.volunteer_id, *columns)
    rows = rows.where(among(Attendance.shift_id, {shift_id for shift_id, _ in pairs}))
    found = ((shift_id, volunteer_id, rest) for shift_id, volunteer_id, *rest in tx.execute(rows))
    return {
        (shift_id, volunteer_id): Recorded(*rest)
        for shift_id, volunteer_id, rest in found
        if (shift_id, volunteer_id) in pairs
    }


def list_attendance_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Attendance]:
    """Return a person's attendances in every state, in order of id."""
    return list(tx.scalars(select(Attendance).where(*_of(volunteer_id)).order_by(Attendance.id).limit(limit)))


def list_versions_of(tx: Session, attendance_ids: Collection[UUID]) -> list[AttendanceVersion]:
    """Return everything that was ever settled of these attendances, oldest first."""
    rows = select(AttendanceVersion).where(among(AttendanceVersion.attendance_id, attendance_ids))
    return list(tx.scalars(rows.order_by(AttendanceVersion.attendance_id, AttendanceVersion.version)))


def list_shifts_attended(tx: Session, *, volunteer_id: UUID) -> set[UUID]:
    """Return the shifts to which a person has come."""
    return set(tx.scalars(select(Attendance.shift_id).where(*_of(volunteer_id))))


def find_under_way(tx: Session, *, volunteer_id: UUID, over_at: datetime) -> Attendance | None:
    """Return the attendance of a person who has come, has not left, and whose shift ends after `over_at`."""
    rows = select(Attendance).join(Shift, Shift.id == Attendance.shift_id)
    rows = rows.where(*_of(volunteer_id), Attendance.state == "checked_in", Shift.ends_at > over_at)
    return tx.scalars(rows.limit(1)).first()


def _of(volunteer_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Find a person's attendances by way of their places: every attendance has one, and they are indexed by person.

    That of a record that was merged into another may have become the other's place.
    """
    stays = select(Volunteer.merged_into).where(Volunteer.id == volunteer_id).scalar_subquery()
    places = select(SignUp.shift_id).where(or_(SignUp.volunteer_id == volunteer_id, SignUp.volunteer_id == stays))
    return Attendance.shift_id.in_(places), Attendance.volunteer_id == volunteer_id


class Known(NamedTuple):
    """What decides over a person's minutes: everything settled, and when they are employed, by person."""

    neighbours: dict[UUID, list[Neighbour]]
    intervals: dict[UUID, list[Dates]]


def known_of(tx: Session, volunteer_ids: Collection[UUID]) -> Known:
    """Return what decides over the minutes of these people, with one statement; who decides on it holds their locks."""
    known = Known({}, {})
    for volunteer_id, attendance_id, started_at, ended_at, minutes, during in tx.execute(
        _KNOWN_OF, {"people": uuids(volunteer_ids)}
    ):
        if during is not None:
            known.intervals.setdefault(volunteer_id, []).append(Dates(during.lower, during.upper))
        elif started_at is not None and ended_at is not None:  # A settled one has both; the table's check says so.
            neighbour = Neighbour(Interval(attendance_id, started_at, ended_at), minutes)
            known.neighbours.setdefault(volunteer_id, []).append(neighbour)
    return known


def summarise(tx: Session, *, programme_id: UUID, since: date, until: date) -> dict[str, int]:
    """Count what happened on the service dates [since, until), and the partners that had an agreement by then."""
    values = {"programme_id": programme_id, "since": since, "until": until}
    figures: dict[str, int] = {}
    for query in (_SUMMARY, _SHIFTS, _PARTNERS):
        figures |= dict(tx.execute(query, values).mappings().one())
    return figures
