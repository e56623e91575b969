"""Reads and locks of work that is handed in, with whose it is in their SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.deliverables.rules import OPEN, OWING, State
from services.activities.deliverables.tables import Deliverable, Submission
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.auth.scopes import Scope
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.database.scoped import within
from shared.errors import NotFound

DELIVERABLES = KeysetList(
    key=(Deliverable.id,),
    sorts={"due_until": Sort(Deliverable.due_until)},
    filters={
        "state": equal(Deliverable.state, "In this state.", takes=State),
        "shift_id": equal(Deliverable.shift_id, "Of this shift."),
        "listing_id": equal(Deliverable.listing_id, "Of a shift of this listing."),
        "partner_id": equal(Deliverable.partner_id, "For this partner."),
        "volunteer_id": equal(Deliverable.volunteer_id, "Of this volunteer."),
        "due_from": since(Deliverable.due_until, "Due at this instant or later."),
        "due_before": until(Deliverable.due_until, "Due before this instant."),
    },
)


def deliverables_of(scope: Scope) -> Select[Deliverable]:
    """Say which work a caller may see."""
    return select(Deliverable).where(
        within(scope, Deliverable.programme_id, Deliverable.partner_id, Deliverable.volunteer_id)
    )


def get_deliverable(tx: Session, scope: Scope, deliverable_id: UUID) -> Deliverable:
    """Return the work of one place. Raises NotFound, also for what the caller may not see."""
    row = tx.scalars(deliverables_of(scope).where(Deliverable.id == deliverable_id)).first()
    if row is None:
        raise NotFound(deliverable_id=deliverable_id)
    return row


def find_deliverables(tx: Session, scope: Scope, deliverable_ids: Collection[UUID]) -> list[Deliverable]:
    """Return those of the work that there are and that the caller may see."""
    return list(tx.scalars(deliverables_of(scope).where(among(Deliverable.id, deliverable_ids))))


def find_ending(tx: Session, *, now: datetime, limit: int) -> list[Deliverable]:
    """Return work of which something is to be decided that nobody has decided in time: nothing came, or no answer."""
    rows = select(Deliverable).where(Deliverable.state.in_((State.OVERDUE, State.SUBMITTED)))
    rows = rows.where(Deliverable.waits_until <= now).order_by(Deliverable.waits_until, Deliverable.id)
    return list(tx.scalars(rows.limit(limit)))


def get_timezone(tx: Session, listing_id: UUID) -> str:
    """Return the time zone in which the days of a listing are counted."""
    return tx.scalars(select(Listing.timezone).where(Listing.id == listing_id)).one()


def lock_again(tx: Session, row: Deliverable) -> None:
    """Lock the work of a place and read it anew; the person is locked before."""
    tx.refresh(row, with_for_update={"key_share": True})


def place_of(tx: Session, row: Deliverable) -> str:
    """Return the state of the place that owes the work."""
    return tx.scalars(select(SignUp.state).where(SignUp.id == row.sign_up_id)).one()


class Standing(NamedTuple):
    """The work of a place, with all that decides about it, as it is now."""

    row: Deliverable
    shift: Shift
    timezone: str
    place: str  # Its state.
    merged_into: UUID | None
    submission: Submission | None  # The last one.
    attendance: Attendance | None


def lock_standings(tx: Session, deliverable_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Lock work, in order of id, and return how it stands; people and shifts are locked before."""
    locked = select(Deliverable.id).where(among(Deliverable.id, deliverable_ids)).order_by(Deliverable.id)
    ids = tx.scalars(locked.with_for_update(key_share=True)).all()
    is_last = and_(Submission.deliverable_id == Deliverable.id, Submission.number == Deliverable.submissions)
    is_theirs = and_(
        Attendance.shift_id == Deliverable.shift_id, Attendance.volunteer_id == Deliverable.volunteer_id
    )  # fmt: skip
    rows = select(
        Deliverable, Shift, Listing.timezone, SignUp.state, Volunteer.merged_into, Submission, Attendance
    ).join(Shift, Shift.id == Deliverable.shift_id).join(Listing, Listing.id == Deliverable.listing_id)  # fmt: skip
    rows = rows.join(SignUp, SignUp.id == Deliverable.sign_up_id)
    rows = rows.join(Volunteer, Volunteer.id == Deliverable.volunteer_id)
    rows = rows.outerjoin(Submission, is_last).outerjoin(Attendance, is_theirs).where(among(Deliverable.id, ids))
    found = tx.execute(rows.execution_options(populate_existing=True))
    return {row[0].id: Standing(*row) for row in found}


def lock_lapsed(tx: Session, *, now: datetime, limit: int) -> Sequence[tuple[Deliverable, str, str]]:
    """Lock work that did not come in time and that nobody else holds; return it with its zone and its place's state."""
    rows = select(Deliverable, Listing.timezone, SignUp.state).join(Listing, Listing.id == Deliverable.listing_id)
    rows = rows.join(SignUp, SignUp.id == Deliverable.sign_up_id)
    rows = rows.where(Deliverable.state.in_((State.DUE, State.REVISION_REQUESTED)), Deliverable.waits_until <= now)
    rows = rows.order_by(Deliverable.waits_until, Deliverable.id).limit(limit)
    rows = rows.with_for_update(key_share=True, skip_locked=True, of=Deliverable)
    return [(row, timezone, place) for row, timezone, place in tx.execute(rows)]


class Place(NamedTuple):
    """A place that owes work of which nothing is written down."""

    sign_up_id: UUID
    shift_id: UUID
    volunteer_id: UUID


def list_owing(tx: Session, shift_ids: Collection[UUID]) -> list[Place]:
    """Return the places on shifts of work that is handed in of which nothing is written down yet."""
    rows = select(SignUp.id, SignUp.shift_id, SignUp.volunteer_id)
    rows = rows.outerjoin(Deliverable, Deliverable.sign_up_id == SignUp.id).where(Deliverable.id.is_(None))
    rows = rows.join(Volunteer, and_(Volunteer.id == SignUp.volunteer_id, Volunteer.merged_into.is_(None)))
    rows = rows.where(among(SignUp.shift_id, shift_ids), SignUp.state.in_(sorted(OWING)))
    return [Place(*row) for row in tx.execute(rows.order_by(SignUp.shift_id, SignUp.id))]


def find_submission(tx: Session, row: Deliverable) -> Submission | None:
    """Return what was handed in last."""
    rows = select(Submission).where(Submission.deliverable_id == row.id, Submission.number == row.submissions)
    return tx.scalars(rows).first()


def list_submissions(tx: Session, deliverable_id: UUID) -> Sequence[Submission]:
    """Return what was handed in, the first first."""
    rows = select(Submission).where(Submission.deliverable_id == deliverable_id)
    return tx.scalars(rows.order_by(Submission.number)).all()


def find_open(tx: Session, *, volunteer_id: UUID) -> set[UUID]:
    """Return the shifts for which a person owes work of which nothing is decided."""
    rows = select(Deliverable.shift_id).where(Deliverable.volunteer_id == volunteer_id)
    return set(tx.scalars(rows.where(Deliverable.state.in_(sorted(OPEN)))))


def list_deliverables_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Deliverable]:
    """Return the work of a person's places, oldest first."""
    rows = select(Deliverable).where(Deliverable.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Deliverable.id).limit(limit)))


def list_submissions_of(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Submission]:
    """Return all that a person has handed in, oldest first."""
    rows = select(Submission).where(Submission.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Submission.id).limit(limit)))
