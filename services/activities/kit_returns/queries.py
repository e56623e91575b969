"""Reads and locks of what lost kits have cost, with whose they are in their SQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from services.activities.kit_returns.rules import State
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.tables import Kit
from shared.database.keyset import KeysetList, equal
from shared.errors import NotFound

KIT_COSTS = KeysetList(
    key=(KitCost.id,),
    filters={
        "state": equal(KitCost.state, "In this state.", takes=State),
        "partner_id": equal(KitCost.partner_id, "Of this partner."),
        "kit_id": equal(KitCost.kit_id, "For this kit."),
    },
    default_sort="-id",
)


def costs_of(programme_id: UUID, partner_id: UUID | None) -> Select[KitCost]:
    """Say which claims a caller may see: all of a programme, or those of one partner."""
    rows = select(KitCost).where(KitCost.programme_id == programme_id)
    return rows if partner_id is None else rows.where(KitCost.partner_id == partner_id)


def get_cost(tx: Session, *, programme_id: UUID, cost_id: UUID, partner_id: UUID | None = None) -> KitCost:
    """Return one claim. Raises NotFound, also for one that the caller may not see."""
    cost = tx.scalars(costs_of(programme_id, partner_id).where(KitCost.id == cost_id)).first()
    if cost is None:
        raise NotFound(cost_id=cost_id)
    return cost


def lock_cost_of(tx: Session, kit_id: UUID) -> KitCost | None:
    """Lock the claim for a kit, whose own lock the caller holds, and return it as it is now."""
    rows = select(KitCost).where(KitCost.kit_id == kit_id).with_for_update(key_share=True)
    return tx.scalars(rows.execution_options(populate_existing=True)).first()


def list_costs_of(tx: Session, *, volunteer_id: UUID, limit: int) -> Sequence[Any]:
    """Return what was claimed for a person's kits, oldest first."""
    rows = select(KitCost).join(Kit, Kit.id == KitCost.kit_id).where(Kit.volunteer_id == volunteer_id)
    return tx.scalars(rows.order_by(KitCost.id).limit(limit)).all()
