"""Reads and locks of feedback. What a partner may see of single answers is in the SQL; so is what only totals show."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.consents.rules import TERMS, Decision, Purpose
from services.activities.consents.tables import Consent
from services.activities.feedback.rules import OPEN_FOR, Tally
from services.activities.feedback.tables import Feedback, FeedbackVersion
from services.activities.feedback_forms.rules import Side
from services.activities.listings.queries import get_shift
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.database.arrays import among
from shared.database.keyset import KeysetList, Sort, equal, since, until
from shared.errors import NotFound

_SORTS = {"answered_at": Sort(Feedback.answered_at), "service_on": Sort(Feedback.service_on)}
_FILTERS = {
    "shift_id": equal(Feedback.shift_id, "About this shift."),
    "listing_id": equal(Feedback.listing_id, "About a shift of this listing."),
    "partner_id": equal(Feedback.partner_id, "With this partner."),
    "service_from": since(Feedback.service_on, "About service on this date or later."),
    "service_until": until(Feedback.service_on, "About service before this date."),
}
# No filter by person: whom a partner knows by id from a roster would be found again among answers without names.
FEEDBACK = KeysetList(
    key=(Feedback.id,),
    sorts=_SORTS,
    filters={**_FILTERS, "side": equal(Feedback.side, "Answered by this side.", takes=Side)},
)
REMARKS = KeysetList(
    key=(Feedback.id,),
    sorts=_SORTS,
    filters={**_FILTERS, "volunteer_id": equal(Feedback.volunteer_id, "About this person.")},
)
MOST_REQUESTS = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """What is added up; None limits nothing, `service_until` is excluded."""

    programme_id: UUID
    side: Side
    partner_id: UUID | None = None
    listing_id: UUID | None = None
    shift_id: UUID | None = None
    service_from: date | None = None
    service_until: date | None = None


def feedback_of(programme_id: UUID, partner_scope: UUID | None) -> Select[Feedback]:
    """Say which answers a caller of a programme may see, all or those about one partner; remarks are none of them."""
    rows = select(Feedback).where(Feedback.programme_id == programme_id, Feedback.side != Side.REMARK)
    return rows if partner_scope is None else rows.where(Feedback.partner_id == partner_scope)


def remarks_of(programme_id: UUID, volunteer_scope: UUID | None) -> Select[Feedback]:
    """Say which remarks a caller may see: all of a programme, or those about one person."""
    rows = select(Feedback).where(Feedback.programme_id == programme_id, Feedback.side == Side.REMARK)
    return rows if volunteer_scope is None else rows.where(Feedback.volunteer_id == volunteer_scope)


def get_one(tx: Session, rows: Select[Feedback], feedback_id: UUID) -> Feedback:
    """Return one of the answers that a caller may see. Raises NotFound."""
    found = tx.scalars(rows.where(Feedback.id == feedback_id)).first()
    if found is None:
        raise NotFound(feedback_id=feedback_id)
    return found


def find_answer(tx: Session, *, shift_id: UUID, side: Side, volunteer_id: UUID | None) -> Feedback | None:
    """Return an answer; whoever may change it holds the person's lock, or the shift's for the host's."""
    rows = select(Feedback).where(Feedback.shift_id == shift_id, Feedback.side == side)
    rows = rows.where(Feedback.volunteer_id.is_not_distinct_from(volunteer_id))
    return tx.scalars(rows.execution_options(populate_existing=True)).first()


def get_own(
    tx: Session, *, programme_id: UUID, side: Side, shift_id: UUID, volunteer_id: UUID | None, partner_id: UUID | None
) -> Feedback:  # fmt: skip
    """Return the answer about a subject; `partner_id` limits it to one partner's. Raises NotFound."""
    shift, _ = get_shift(tx, programme_id=programme_id, shift_id=shift_id, partner_id=partner_id)
    found = find_answer(tx, shift_id=shift.id, side=side, volunteer_id=volunteer_id)
    if found is None:
        raise NotFound(shift_id=shift_id)
    return found


def list_versions(tx: Session, feedback_ids: Collection[UUID]) -> list[FeedbackVersion]:
    """Return these answers as they ever stood, oldest first."""
    rows = select(FeedbackVersion).where(among(FeedbackVersion.feedback_id, feedback_ids))
    return list(tx.scalars(rows.order_by(FeedbackVersion.feedback_id, FeedbackVersion.version)))


def list_of_person(tx: Session, *, volunteer_id: UUID, limit: int) -> list[Feedback]:
    """Return what a person answered and what was remarked about them, in order of id."""
    rows = select(Feedback).where(Feedback.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Feedback.id).limit(limit)))


def count_settled(tx: Session, *, shift_id: UUID) -> int:
    """Count whose service on a shift is settled."""
    rows = select(func.count()).where(Attendance.shift_id == shift_id, Attendance.state == "settled")
    return tx.scalar(rows) or 0


def list_named(tx: Session, volunteer_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of those who consent, now, that hosts see who answered (`consents.rules.holds`)."""
    last = select(Consent.volunteer_id, Consent.decision, Consent.text_version).ext(distinct_on(Consent.volunteer_id))
    last = last.where(among(Consent.volunteer_id, volunteer_ids), Consent.purpose == Purpose.HOST_FEEDBACK)
    decided = last.order_by(Consent.volunteer_id, Consent.number.desc()).subquery("decided")
    rows = select(Volunteer.id, Volunteer.display_name).join(decided, decided.c.volunteer_id == Volunteer.id)
    holds = decided.c.text_version >= TERMS[Purpose.HOST_FEEDBACK].holds_since
    rows = rows.where(decided.c.decision == Decision.GIVEN, holds, Volunteer.erased_at.is_(None))
    return {row.id: row.display_name for row in tx.execute(rows)}


def tally(tx: Session, scope: Scope) -> tuple[int, list[Tally]]:
    """Count answers, and how often each mark was given to each question.

    Answers that are alike are counted before they are taken apart: there are many answers to few questions.
    """
    counted = select(Feedback.marks, func.count().label("times")).where(*_within(Feedback, scope), _by(scope))
    alike = counted.group_by(Feedback.marks).cte("alike")
    each = func.jsonb_each(alike.c.marks).table_valued("key", "value")
    kind, mark = func.jsonb_typeof(each.c.value), each.c.value.op("#>>")(literal_column("'{}'"))
    answers = select(func.sum(alike.c.times)).scalar_subquery()
    rows = select(answers, each.c.key, kind, mark, func.sum(alike.c.times)).select_from(alike)
    rows = rows.outerjoin(each, true()).group_by(each.c.key, kind, mark)
    found = tx.execute(rows).all()
    return int(found[0][0]) if found else 0, [
        Tally(key, kind_, mark_, int(times)) for _, key, kind_, mark_, times in found if key
    ]


def count_asked(tx: Session, scope: Scope) -> int:
    """Count who could answer: people whose service is settled, or for hosts the shifts on which anybody's is."""
    counted = func.count() if scope.side is Side.VOLUNTEER else func.count(Attendance.shift_id.distinct())
    rows = select(counted).select_from(Attendance).where(*_within(Attendance, scope), Attendance.state == "settled")
    return tx.scalar(rows) or 0


def _by(scope: Scope) -> ColumnElement[bool]:
    return Feedback.side == scope.side


def _within(rows: type[Feedback | Attendance], scope: Scope) -> list[ColumnElement[bool]]:
    wanted = [rows.programme_id == scope.programme_id]
    ids = {name: getattr(scope, name) for name in ("partner_id", "listing_id", "shift_id")}
    wanted += [getattr(rows, name) == value for name, value in ids.items() if value is not None]
    if scope.service_from is not None:
        wanted.append(rows.service_on >= scope.service_from)
    if scope.service_until is not None:
        wanted.append(rows.service_on < scope.service_until)
    return wanted


def list_open_for_volunteer(tx: Session, *, programme_id: UUID, volunteer_id: UUID, now: datetime) -> Sequence[Any]:
    """Return the shifts that a person served on and has not answered about, those that close first in front."""
    places = select(SignUp.shift_id).where(SignUp.volunteer_id == volunteer_id)
    rows = select(Attendance.id).where(
        Attendance.shift_id == Shift.id, Attendance.volunteer_id == volunteer_id, Attendance.state == "settled"
    )
    served = _open(programme_id, now).where(Shift.id.in_(places), rows.exists())
    answered = _answered(Side.VOLUNTEER).where(Feedback.volunteer_id == volunteer_id)
    return tx.execute(served.where(~answered.exists())).all()


def list_open_for_host(tx: Session, *, programme_id: UUID, partner_id: UUID, now: datetime) -> Sequence[Any]:
    """Return a partner's shifts on which service is settled and that it has not answered about, as above."""
    settled = select(Attendance.id).where(Attendance.shift_id == Shift.id, Attendance.state == "settled")
    held = _open(programme_id, now).where(Shift.partner_id == partner_id, settled.exists())
    return tx.execute(held.where(~_answered(Side.HOST).exists())).all()


def _open(programme_id: UUID, now: datetime) -> Select[*tuple[Any, ...]]:
    columns = (Shift.id.label("shift_id"), Shift.listing_id, Shift.partner_id, Shift.service_on, Shift.ends_at)
    rows = select(*columns, Listing.title).join(Listing, Listing.id == Shift.listing_id)
    rows = rows.where(Shift.programme_id == programme_id, Shift.ends_at > now - OPEN_FOR)
    return rows.order_by(Shift.ends_at, Shift.id).limit(MOST_REQUESTS)


def _answered(side: Side) -> Select[UUID]:
    return select(Feedback.id).where(Feedback.shift_id == Shift.id, Feedback.side == side)
