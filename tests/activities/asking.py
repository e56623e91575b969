"""One person who asks for a place: what is done for many, for one alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.places import actions
from services.activities.places.actions import Wish
from services.activities.sign_ups.tables import SignUp
from shared.errors import Refusal


def sign_up(tx: Session, *, programme_id: UUID, shift_id: UUID, volunteer_id: UUID, now: datetime) -> SignUp:
    """Sign up, or raise the refusal."""
    wish = Wish(programme_id, shift_id, volunteer_id, now)
    actions.hold(tx, [wish], wait=True)
    (outcome,) = actions.sign_up_many(tx, [wish])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome
