"""What can be done with forms: a version is added, none is ever changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.feedback_forms import queries, rules
from services.activities.feedback_forms.rules import Form, Side
from services.activities.feedback_forms.tables import FeedbackForm
from shared.seen import Seen


def publish(
    tx: Session, form: Form, *, programme_id: UUID, side: Side, seen: Seen, published_by: UUID, now: datetime
) -> FeedbackForm:  # fmt: skip
    """Ask a side this from now on, in the place of the version that was seen. Raises FormUnsound, ChangedSince."""
    rules.require_sound(form)
    queries.lock_side(tx, programme_id=programme_id, side=side)
    current = queries.get_current(tx, programme_id=programme_id, side=side)
    seen.require(current)
    row = FeedbackForm(
        programme_id=programme_id,
        side=side.value,
        version=current.version + 1,
        document=rules.written(form),
        published_by=published_by,
        published_at=now,
    )
    tx.add(row)
    tx.flush()
    return row
