"""What can be done about reliability: appeal against a fact, and decide that. Nothing else depends on it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.activities.reliability import queries, rules
from services.activities.reliability.tables import Appeal
from services.activities.volunteers.queries import lock_volunteer
from shared.audit import Change, note
from shared.audit.trail import HIDDEN
from shared.ids import new_id
from shared.seen import Seen

_FORGET = text("""
    UPDATE reliability_appeal a SET note = NULL, because = NULL FROM sign_up s
    WHERE s.id = a.sign_up_id AND s.volunteer_id = :volunteer_id AND (note IS NOT NULL OR because IS NOT NULL)
    RETURNING a.id
""")


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided of an appeal, on which reading of it, by whom, when and why."""

    programme_id: UUID
    appeal_id: UUID
    is_excused: bool
    because: str
    seen: Seen
    by: UUID
    at: datetime


def appeal(
    tx: Session, *, programme_id: UUID, volunteer_id: UUID, sign_up_id: UUID, because: str, now: datetime
) -> Appeal:
    """Say why what became of one's own place should not count. Raises NotFound, NotAppealable, AppealMade."""
    lock_volunteer(tx, programme_id=programme_id, volunteer_id=volunteer_id)
    place = queries.get_own(tx, programme_id=programme_id, volunteer_id=volunteer_id, sign_up_id=sign_up_id)
    rules.require_appealable(place.state)
    rules.require_first(is_appealed=queries.find_appeal(tx, sign_up_id=sign_up_id) is not None)
    made = Appeal(id=new_id(), programme_id=programme_id, sign_up_id=sign_up_id, note=because, appealed_at=now)
    tx.add(made)
    tx.flush()
    return made


def decide(tx: Session, decision: Decision) -> Appeal:
    """Excuse a fact, so that it counts nothing, or let it count. Raises NotFound, ChangedSince, AppealDecided."""
    found = queries.lock_appeal(tx, programme_id=decision.programme_id, appeal_id=decision.appeal_id)
    decision.seen.require(found)
    rules.require_undecided(found.is_excused)
    found.is_excused, found.because = decision.is_excused, decision.because
    found.decided_by, found.decided_at = decision.by, decision.at
    tx.flush()
    return found


def forget_texts(tx: Session, *, volunteer_id: UUID) -> None:
    """Forget what a person wrote in appeals, and what was answered; that they were made stays."""
    forgotten = tx.scalars(_FORGET, {"volunteer_id": volunteer_id}).all()
    hidden = (Change(i, {"note": HIDDEN}, {"note": None}) for i in forgotten)
    note(tx, "reliability_appeal", hidden, forgotten=len(forgotten))
