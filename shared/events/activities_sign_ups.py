"""What the activities service tells of sign-ups."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.events.base import Event


class OfSignUp(Event):
    """What became of one person's sign-up for one shift, at an instant."""

    key: ClassVar[str] = "sign_up_id"

    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    starts_at: AwareDatetime  # Of the shift, as it is planned then.
    ends_at: AwareDatetime
    at: AwareDatetime


class SignUpWaitlisted(OfSignUp):
    """Somebody stands in the line for a place."""

    type: ClassVar[str] = "activities.sign_up.waitlisted.v1"


class SignUpOffered(OfSignUp):
    """A place is kept for somebody until `expires_at`."""

    type: ClassVar[str] = "activities.sign_up.offered.v1"

    expires_at: AwareDatetime


class SignUpOfferExpired(OfSignUp):
    """Nobody answered; the place goes to the next in the line."""

    type: ClassVar[str] = "activities.sign_up.offer_expired.v1"


class SignUpConfirmed(OfSignUp):
    """Somebody has a place."""

    type: ClassVar[str] = "activities.sign_up.confirmed.v1"


class SignUpWithdrawn(OfSignUp):
    """A place was given back in time, or somebody left the line or declined."""

    type: ClassVar[str] = "activities.sign_up.withdrawn.v1"


class SignUpLateWithdrawn(OfSignUp):
    """A place was given back shortly before the start."""

    type: ClassVar[str] = "activities.sign_up.late_withdrawn.v1"


class SignUpExcused(OfSignUp):
    """Somebody could not come, and the reason is accepted."""

    type: ClassVar[str] = "activities.sign_up.excused.v1"


class SignUpNoShow(OfSignUp):
    """Somebody did not come: so say the partner or a reviewer."""

    type: ClassVar[str] = "activities.sign_up.no_show.v1"


class SignUpCancelled(OfSignUp):
    """The host does not hold the shift."""

    type: ClassVar[str] = "activities.sign_up.cancelled.v1"
