"""What the activities service tells of kits: where they are, and what one that never came back costs."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class KitSide(StrEnum):
    """Whose word it is; the calendar's is nobody's."""

    VOLUNTEER = "volunteer"
    PARTNER = "partner"
    OPERATOR = "operator"
    CALENDAR = "calendar"


class KitCancellation(StrEnum):
    """Why a kit was never sent."""

    PLACE_GONE = "place_gone"
    NOT_SHIPPED = "not_shipped"
    BY_HOST = "by_host"


class OfKit(Event):
    """What became of the kit of one sign-up, at an instant."""

    key: ClassVar[str] = "kit_id"

    kit_id: UUID
    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    due_at: AwareDatetime  # Until when it is due back, excluded, as the shift is planned then.
    at: AwareDatetime


class KitIssued(OfKit):
    """A kit is to be sent to somebody, who is asked for an address."""

    type: ClassVar[str] = "activities.kit.issued.v1"


class KitShipped(OfKit):
    """A kit is on its way."""

    type: ClassVar[str] = "activities.kit.shipped.v1"


class KitReceived(OfKit):
    """A kit has arrived."""

    type: ClassVar[str] = "activities.kit.received.v1"

    received_by: KitSide


class KitReturned(OfKit):
    """A kit came back, with so many whole pieces; it may have been lost before."""

    type: ClassVar[str] = "activities.kit.returned.v1"

    pieces: int = Field(ge=0)


class KitOverdue(OfKit):
    """A kit is not back when it is due: its person is issued no other one. It is given up at `lose_at`."""

    type: ClassVar[str] = "activities.kit.overdue.v1"

    lose_at: AwareDatetime


class KitLost(OfKit):
    """A kit is given up."""

    type: ClassVar[str] = "activities.kit.lost.v1"

    lost_by: KitSide


class KitCancelled(OfKit):
    """A kit was never sent."""

    type: ClassVar[str] = "activities.kit.cancelled.v1"

    because: KitCancellation


class OfKitCost(Event):
    """What became of the partner's claim for a kit that never came back, at an instant; in fen."""

    key: ClassVar[str] = "kit_id"

    cost_id: UUID
    kit_id: UUID
    listing_id: UUID
    partner_id: UUID
    amount_fen: int = Field(gt=0)
    at: AwareDatetime


class KitCostClaimed(OfKitCost):
    """A partner claims what a kit has cost it."""

    type: ClassVar[str] = "activities.kit.cost_claimed.v1"


class KitCostApproved(OfKitCost):
    """It is owed to the partner: `amount_fen` is what was approved, at most what was claimed."""

    type: ClassVar[str] = "activities.kit.cost_approved.v1"


class KitCostRefused(OfKitCost):
    """It is not owed."""

    type: ClassVar[str] = "activities.kit.cost_refused.v1"


class KitCostCancelled(OfKitCost):
    """The kit was found: what was claimed, or approved, is not owed any more."""

    type: ClassVar[str] = "activities.kit.cost_cancelled.v1"

    was_approved: bool
