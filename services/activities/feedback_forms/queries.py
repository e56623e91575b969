"""Reads and locks of forms; the one that ships is a version like the others, and stands in no row."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.feedback_forms import rules
from services.activities.feedback_forms.rules import Choice, Form, Kind, Question, Side
from services.activities.feedback_forms.tables import FeedbackForm
from shared.errors import NotFound, Title


def list_versions(tx: Session, *, programme_id: UUID, side: Side) -> list[FeedbackForm]:
    """Return every version of a side's form, oldest first; the first is the one that ships."""
    rows = select(FeedbackForm).where(FeedbackForm.programme_id == programme_id, FeedbackForm.side == side)
    return [shipped(programme_id, side), *tx.scalars(rows.order_by(FeedbackForm.version))]


def get_current(tx: Session, *, programme_id: UUID, side: Side) -> FeedbackForm:
    """Return what a side is asked now."""
    rows = select(FeedbackForm).where(FeedbackForm.programme_id == programme_id, FeedbackForm.side == side)
    found = tx.scalars(rows.order_by(FeedbackForm.version.desc()).limit(1)).first()
    return found or shipped(programme_id, side)


def get_version(tx: Session, *, programme_id: UUID, side: Side, version: int) -> FeedbackForm:
    """Return one version of a side's form. Raises NotFound."""
    if version == rules.SHIPPED:
        return shipped(programme_id, side)
    found = tx.get(FeedbackForm, (programme_id, side.value, version))
    if found is None:
        raise NotFound(side=side.value, version=version)
    return found


def lock_side(tx: Session, *, programme_id: UUID, side: Side) -> None:
    """Let one publish at a time: two must not both make the same version."""
    name = f"feedback form of {programme_id} {side}"
    tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def shipped(programme_id: UUID, side: Side) -> FeedbackForm:
    """Return the version that ships."""
    document = rules.written(rules.FORMS[side])
    return FeedbackForm(programme_id=programme_id, side=side.value, version=rules.SHIPPED, document=document)


def form_of(row: FeedbackForm) -> Form:
    """Read a row's document."""
    return Form(_title(row.document), tuple(_question(each) for each in row.document["questions"]))


def _question(document: dict[str, Any]) -> Question:
    choices = tuple(Choice(each["key"], _title(each)) for each in document["choices"])
    return Question(document["key"], Kind(document["kind"]), _title(document), document["is_required"], choices)


def _title(document: dict[str, Any]) -> Title:
    return Title(**document["title"])
