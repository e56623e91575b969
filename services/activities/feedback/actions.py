"""What can be done with feedback: answer once, change the answer while that is possible.

A person's answer, and a remark about a person, is written under that person's lock; a host's under the shift's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.attendance.queries import find_attendance
from services.activities.feedback import queries, rules
from services.activities.feedback.tables import Feedback, FeedbackVersion
from services.activities.feedback_forms import rules as forms
from services.activities.feedback_forms.queries import form_of, get_current, get_version
from services.activities.feedback_forms.rules import Answers, Side
from services.activities.incidents.actions import About, Report, open_incident
from services.activities.incidents.rules import Side as Complainant
from services.activities.listings.queries import get_shift, lock_shift
from services.activities.listings.tables import Shift
from services.activities.volunteers.queries import lock_volunteer
from shared import bus
from shared.audit import note
from shared.events.activities_feedback import FeedbackReceived, FeedbackSide, Rating
from shared.events.activities_incidents import IncidentKind, IncidentSubject
from shared.ids import new_id
from shared.seen import Seen

_FORGET_VERSIONS = text("""
    UPDATE feedback_version SET texts = '{}'
    FROM feedback WHERE feedback.id = feedback_id AND volunteer_id = :volunteer_id AND feedback_version.texts <> '{}'
""")
_FORGET = text("""
    UPDATE feedback SET texts = '{}' WHERE volunteer_id = :volunteer_id AND texts <> '{}' RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is answered about: `volunteer_id` is None for a host's view of a shift, `partner_id` limits it to one's."""

    programme_id: UUID
    side: Side
    shift_id: UUID
    volunteer_id: UUID | None = None
    partner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answers, to which version of the form, having read which answer of before."""

    form_version: int
    answers: Mapping[str, forms.Answer]
    is_complaint: bool
    seen: Seen
    by: UUID
    at: datetime


def answer(tx: Session, subject: Subject, given: Given) -> Feedback:
    """Answer about a shift, or change what was answered, as a new version; the same again changes nothing.

    Raises NotFound, DidNotServe, FeedbackNotDue, FeedbackClosed, FormOutdated, AnswersInvalid, ReadFirst, ChangedSince,
    RemarkByAnother. A complaint opens an incident, once.
    """
    shift = _lock(tx, subject)
    _require_served(tx, subject)
    rules.require_open(shift.ends_at, now=given.at)
    known = queries.find_answer(tx, shift_id=shift.id, side=subject.side, volunteer_id=subject.volunteer_id)
    if known is None:
        given.seen.require_none()
    else:
        _require_author(known, given.by)
        given.seen.require(known)
    read = _read(tx, subject, given, known)
    if known is not None and _stands(known, given, read):
        return known
    row = _written(tx, known or _new(subject, shift), given, read)
    if given.is_complaint and row.incident_id is None:
        row.incident_id = open_incident(tx, _complaint(row, given)).id
        tx.flush()
    bus.emit(tx, _fact(row))
    return row


def forget_texts(tx: Session, *, volunteer_id: UUID) -> int:
    """Take out all that a person wrote and all that was written about them, in every version; return how many.

    Marks stay: they are counted. The caller holds the person's lock.
    """
    tx.execute(_FORGET_VERSIONS, {"volunteer_id": volunteer_id})
    forgotten = tx.execute(_FORGET, {"volunteer_id": volunteer_id}).all()
    note(tx, "feedback", (), forgotten=len(forgotten))
    return len(forgotten)


def _lock(tx: Session, subject: Subject) -> Shift:
    if subject.volunteer_id is not None:
        lock_volunteer(tx, programme_id=subject.programme_id, volunteer_id=subject.volunteer_id)
        shift, _ = get_shift(
            tx, programme_id=subject.programme_id, shift_id=subject.shift_id, partner_id=subject.partner_id
        )
        return shift
    return lock_shift(
        tx, programme_id=subject.programme_id, shift_id=subject.shift_id, partner_id=subject.partner_id
    )  # fmt: skip


def _require_served(tx: Session, subject: Subject) -> None:
    if subject.volunteer_id is None:
        rules.require_anybody_served(settled=queries.count_settled(tx, shift_id=subject.shift_id))
    else:
        attendance = find_attendance(tx, shift_id=subject.shift_id, volunteer_id=subject.volunteer_id)
        rules.require_served(None if attendance is None else attendance.state)


def _require_author(known: Feedback, by: UUID) -> None:
    if known.side == Side.REMARK and known.answered_by != by:
        raise rules.RemarkByAnother


def _read(tx: Session, subject: Subject, given: Given, known: Feedback | None) -> Answers:
    whose = {"programme_id": subject.programme_id, "side": subject.side}
    current = get_current(tx, **whose)  # type: ignore[arg-type]  # By name.
    kept = None if known is None else known.form_version
    forms.require_version(given.form_version, current=current.version, kept=kept)
    form = get_version(tx, version=given.form_version, **whose)  # type: ignore[arg-type]  # By name.
    return forms.read(form_of(form), given.answers)


def _stands(known: Feedback, given: Given, read: Answers) -> bool:
    stands = (known.form_version, known.marks, known.texts, known.is_complaint)
    return stands == (given.form_version, dict(read.marks), dict(read.texts), given.is_complaint)


def _new(subject: Subject, shift: Shift) -> Feedback:
    return Feedback(
        id=new_id(),
        programme_id=subject.programme_id,
        side=subject.side.value,
        shift_id=shift.id,
        listing_id=shift.listing_id,
        partner_id=shift.partner_id,
        volunteer_id=subject.volunteer_id,
        service_on=shift.service_on,
        version=0,
    )


def _written(tx: Session, row: Feedback, given: Given, read: Answers) -> Feedback:
    row.version += 1
    row.form_version, row.is_complaint = given.form_version, given.is_complaint
    row.marks, row.texts = dict(read.marks), dict(read.texts)
    row.answered_by, row.answered_at = given.by, given.at
    tx.add(row)
    tx.flush()
    names = ("version", "form_version", "marks", "texts", "is_complaint", "answered_by", "answered_at")
    tx.add(FeedbackVersion(feedback_id=row.id, **{name: getattr(row, name) for name in names}))
    tx.flush()
    return row


def _complaint(row: Feedback, given: Given) -> Report:
    """Say that somebody has to look into an answer, once; what was said stays in the answer alone."""
    about = About(
        IncidentSubject.FEEDBACK, row.id, row.shift_id, row.listing_id, row.partner_id,
        volunteer_id=row.volunteer_id if row.side == Side.REMARK else None,
    )  # fmt: skip
    opened = Complainant.VOLUNTEER if row.side == Side.VOLUNTEER else Complainant.PARTNER
    return Report(row.programme_id, IncidentKind.COMPLAINT, about, "", opened, given.by, given.at)


def _fact(row: Feedback) -> FeedbackReceived:
    """Tell what was rated; of a remark only that there is one, for its marks are between two."""
    marks = {} if row.side == Side.REMARK else forms.ratings(row.marks)
    return FeedbackReceived(
        programme_id=row.programme_id,
        feedback_id=row.id,
        version=row.version,
        side=FeedbackSide(row.side),
        shift_id=row.shift_id,
        listing_id=row.listing_id,
        partner_id=row.partner_id,
        volunteer_id=row.volunteer_id,
        service_on=row.service_on,
        form_version=row.form_version,
        ratings=tuple(Rating(question=key, mark=mark) for key, mark in sorted(marks.items())),
        is_complaint=row.is_complaint,
    )
