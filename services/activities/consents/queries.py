"""Reads of consents; whoever decides on one holds the person's lock."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.consents.rules import Purpose
from services.activities.consents.tables import Consent


def list_consents(tx: Session, *, volunteer_id: UUID) -> list[Consent]:
    """Return everything that a person ever decided, oldest first."""
    rows = select(Consent).where(Consent.volunteer_id == volunteer_id)
    return list(tx.scalars(rows.order_by(Consent.recorded_at, Consent.purpose, Consent.number)))


def find_last(tx: Session, *, volunteer_id: UUID, purpose: Purpose) -> Consent | None:
    """Return what a person decided last about a purpose."""
    rows = select(Consent).where(Consent.volunteer_id == volunteer_id, Consent.purpose == purpose)
    return tx.scalars(rows.order_by(Consent.number.desc()).limit(1)).first()
