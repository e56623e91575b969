"""One person at the door: what is done for many, for one alone."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from services.activities.attendance.tables import Attendance
from services.activities.check_ins import actions
from services.activities.check_ins.actions import Attempt, Outcome
from services.activities.volunteers.queries import hold_people
from shared.errors import Refusal


def check_in(tx: Session, attempt: Attempt) -> Attendance:
    """Check in, or raise the refusal."""
    return _alone(actions.check_in_many, tx, attempt)


def check_out(tx: Session, attempt: Attempt) -> Attendance:
    """Check out, or raise the refusal."""
    return _alone(actions.check_out_many, tx, attempt)


def _alone(many: Callable[[Session, Sequence[Attempt]], list[Outcome]], tx: Session, attempt: Attempt) -> Attendance:
    hold_people(tx, [attempt], wait=True)
    (outcome,) = many(tx, [attempt])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome
