"""What the activities service tells of what was missed, and of claims for it."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.events.base import Event


class MissedKind(StrEnum):
    """What was not scanned."""

    NO_CHECK_IN = "no_check_in"
    NO_CHECK_OUT = "no_check_out"


class AttendanceMissed(Event):
    """Who had a place was not scanned, in or out, when the shift was closed: no reproach, but to be claimed."""

    type: ClassVar[str] = "activities.attendance.missed.v1"
    key: ClassVar[str] = "sign_up_id"

    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    service_on: date
    kind: MissedKind
    claim_until: AwareDatetime  # Excluded.


class ClaimSide(StrEnum):
    """Who claims, answers or decides."""

    VOLUNTEER = "volunteer"
    PARTNER = "partner"
    REVIEWER = "reviewer"


class OfClaim(Event):
    """What became of the claim for what was missed of one sign-up."""

    key: ClassVar[str] = "sign_up_id"

    claim_id: UUID
    sign_up_id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    volunteer_id: UUID
    kind: MissedKind
    claimed_by: ClaimSide
    at: AwareDatetime


class AttendanceClaimed(OfClaim):
    """Somebody says that the person was there; the other side is asked, alone until `answer_until`."""

    type: ClassVar[str] = "activities.attendance.claimed.v1"

    answer_until: AwareDatetime
    decide_until: AwareDatetime


class AttendanceClaimConfirmed(OfClaim):
    """The claim holds: by the other side's word, or a reviewer's; the attendance is settled."""

    type: ClassVar[str] = "activities.attendance.claim_confirmed.v1"

    confirmed_by: ClaimSide


class AttendanceClaimRejected(OfClaim):
    """A reviewer has decided against the claim."""

    type: ClassVar[str] = "activities.attendance.claim_rejected.v1"


class AttendanceClaimExpired(OfClaim):
    """Nobody has decided about the claim in time: silence never pays."""

    type: ClassVar[str] = "activities.attendance.claim_expired.v1"
