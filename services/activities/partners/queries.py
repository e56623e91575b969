"""Reads and locks of what is known of partners."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from services.activities.partners.rules import Footing
from services.activities.partners.tables import Partner, PartnerPause, PartnerStanding
from shared.database.arrays import among
from shared.errors import NotFound


def find_partners(tx: Session, *, programme_id: UUID, references: Collection[str]) -> dict[str, Partner]:
    """Return those of the partners that are known, by reference."""
    rows = select(Partner).where(Partner.programme_id == programme_id, among(Partner.reference, references))
    return {partner.reference: partner for partner in tx.scalars(rows)}


def find_partner(tx: Session, *, programme_id: UUID, partner_id: UUID) -> Partner | None:
    """Return a partner of the programme."""
    partner = tx.get(Partner, partner_id)
    return partner if partner is not None and partner.programme_id == programme_id else None


def find_names(tx: Session, partner_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what these partners are called, by id."""
    rows = select(Partner.id, Partner.name).where(among(Partner.id, partner_ids))
    return {row.id: row.name for row in tx.execute(rows)}


def get_partner(tx: Session, *, programme_id: UUID, reference: str) -> Partner:
    """Return a partner by its reference. Raises NotFound."""
    partner = find_partners(tx, programme_id=programme_id, references=[reference]).get(reference)
    if partner is None:
        raise NotFound(reference=reference)
    return partner


def lock_partner(tx: Session, *, programme_id: UUID, reference: str) -> Partner | None:
    """Lock a partner by its reference, if there is one."""
    rows = select(Partner).where(Partner.programme_id == programme_id, Partner.reference == reference)
    return tx.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True)).first()


def lock_told(tx: Session, partner_ids: Collection[UUID]) -> dict[UUID, Partner]:
    """Lock those of the partners that are known, of whatever programme, in order of id."""
    rows = select(Partner).where(among(Partner.id, partner_ids)).order_by(Partner.id)
    locked = tx.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True))
    return {partner.id: partner for partner in locked}


def find_holders(tx: Session, references: Collection[str]) -> dict[tuple[UUID, str], UUID]:
    """Say which partner has each of these references, by programme."""
    rows = select(Partner.programme_id, Partner.reference, Partner.id).where(among(Partner.reference, references))
    return {(row.programme_id, row.reference): row.id for row in tx.execute(rows)}


def find_footings(tx: Session, *, programme_id: UUID, partner_ids: Collection[UUID]) -> dict[UUID, Footing]:
    """Say of those of the partners that are known what decides on whether they may propose."""
    standing, pause = PartnerStanding, PartnerPause
    rows = (
        select(
            Partner.id,
            func.coalesce(Partner.agreement_from, Partner.since), Partner.agreement_until,
            pause.paused_from, pause.paused_until,
            func.coalesce(standing.standing, "good"), standing.weekly_quota, standing.cause,
        )
        .outerjoin(standing, and_(standing.partner_id == Partner.id, standing.programme_id == programme_id))
        .outerjoin(pause, and_(pause.partner_id == Partner.id, pause.programme_id == programme_id))
        .where(Partner.programme_id == programme_id, among(Partner.id, partner_ids))
    )  # fmt: skip
    return {row[0]: Footing(*row[1:]) for row in tx.execute(rows)}


def lock_footings(tx: Session, *, programme_id: UUID, partner_ids: Collection[UUID]) -> dict[UUID, Footing]:
    """Do the same with the partners locked in order of id: of each one's proposals one at a time is counted."""
    rows = select(Partner.id).where(Partner.programme_id == programme_id, among(Partner.id, partner_ids))
    tx.execute(rows.order_by(Partner.id).with_for_update(key_share=True))
    return find_footings(tx, programme_id=programme_id, partner_ids=partner_ids)
