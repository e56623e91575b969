"""What can be done with consents: a decision is added, none is ever changed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from services.activities.consents import queries, rules
from services.activities.consents.rules import Decision, Purpose
from services.activities.consents.tables import Consent
from services.activities.volunteers.queries import lock_volunteer


@dataclass(frozen=True, slots=True)
class Record:
    """Whose decision is recorded, by whom; `reason` says why it is not the person who does so, and where it stands."""

    programme_id: UUID
    volunteer_id: UUID
    purpose: Purpose
    language: str
    recorded_by: UUID
    reason: str | None
    at: datetime


def give(tx: Session, record: Record, *, version: int) -> Consent:
    """Record that a person consents, having read this version of the text; again changes nothing.

    Raises NotFound, UnknownText, TextOutdated.
    """
    text = rules.require_current(record.purpose, version)
    lock_volunteer(tx, programme_id=record.programme_id, volunteer_id=record.volunteer_id)
    last = queries.find_last(tx, volunteer_id=record.volunteer_id, purpose=record.purpose)
    if last is not None and (last.decision, last.text_version) == (Decision.GIVEN, text.version):
        return last
    return _added(tx, record, last, text, Decision.GIVEN)


def withdraw(tx: Session, record: Record) -> Consent:
    """Record that a person withdraws, with effect at once; again changes nothing. Raises NotFound, NothingGiven."""
    lock_volunteer(tx, programme_id=record.programme_id, volunteer_id=record.volunteer_id)
    last = queries.find_last(tx, volunteer_id=record.volunteer_id, purpose=record.purpose)
    if last is None:
        raise rules.NothingGiven
    if last.decision == Decision.WITHDRAWN:
        return last
    return _withdrawn(tx, record, last)


def withdraw_all(
    tx: Session, *, programme_id: UUID, volunteer_id: UUID, recorded_by: UUID, reason: str | None, now: datetime
) -> None:
    """Withdraw whatever stands of a person, whose lock the caller holds."""
    for purpose in Purpose:
        last = queries.find_last(tx, volunteer_id=volunteer_id, purpose=purpose)
        if last is not None and last.decision == Decision.GIVEN:
            record = Record(programme_id, volunteer_id, purpose, last.language, recorded_by, reason, now)
            _withdrawn(tx, record, last)


def _withdrawn(tx: Session, record: Record, last: Consent) -> Consent:
    read = rules.Text(last.text_version, "", "", last.text_digest)  # What is withdrawn is what was read then.
    return _added(tx, record, last, read, Decision.WITHDRAWN)


def _added(tx: Session, record: Record, last: Consent | None, text: rules.Text, decision: Decision) -> Consent:
    consent = Consent(
        volunteer_id=record.volunteer_id,
        purpose=record.purpose,
        number=last.number + 1 if last else 1,
        programme_id=record.programme_id,
        decision=decision,
        text_version=text.version,
        text_digest=text.digest,
        language=record.language,
        recorded_by=record.recorded_by,
        reason=record.reason,
        recorded_at=record.at,
    )
    tx.add(consent)
    tx.flush()
    return consent
