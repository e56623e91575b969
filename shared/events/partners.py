"""What the partners service tells."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import Event

Cause = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,59}$")]  # A code; its words stay where the decision is.


class Standing(StrEnum):
    """The ladder that partners stand on, best first (DOMAIN.md section 3)."""

    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"
    SUSPENDED = "suspended"  # No new proposals; shifts that are published happen.
    EXITED = "exited"  # The partner has left.


class PartnerSigned(Event):
    """An agreement is in force, new, renewed, changed or ended early: the whole of what it says now.

    `version` counts all of a partner's agreements and their changes; a later one replaces the earlier ones.
    """

    type: ClassVar[str] = "partners.partner.signed.v1"
    key: ClassVar[str] = "partner_id"

    partner_id: UUID
    version: int = Field(ge=1)
    reference: str = Field(min_length=1, max_length=40)  # Unique in the programme.
    title: str = Field(min_length=1, max_length=120)  # The organisation's name.
    since: date  # The first day as a partner, over all agreements.
    valid_from: date
    valid_until: date | None  # Excluded; None if no end is agreed.
    monthly_commitment: int = Field(ge=0)  # Activities that the partner has promised a month.
    carried_over: bool  # From before the programme had cohorts.


class PartnerStands(Event):
    """Where a partner stands from an instant on; told when it takes effect, not before.

    `version` counts the changes of a partner's standing, its exit among them; a later one replaces the earlier ones.
    """

    key: ClassVar[str] = "partner_id"

    partner_id: UUID
    version: int = Field(ge=1)
    cause: Cause | None
    effective_at: AwareDatetime


class PartnerStandingChanged(PartnerStands):
    """A partner has gone up or down the ladder; there is no cause for who stands well."""

    type: ClassVar[str] = "partners.partner.standing_changed.v1"

    standing: Standing
    weekly_quota: int | None = Field(ge=0)  # Proposals that the partner may make for one week; None: no limit.


class PartnerExited(PartnerStands):
    """A partner has left, which is the ladder's end."""

    type: ClassVar[str] = "partners.partner.exited.v1"

    cause: Cause


class PartnerPaused(Event):
    """When a partner rests by its own wish: the whole of what holds now, also when a pause is shortened or taken back.

    `version` counts the changes of a partner's pauses; a later one replaces the earlier ones.
    """

    type: ClassVar[str] = "partners.partner.paused.v1"
    key: ClassVar[str] = "partner_id"

    partner_id: UUID
    version: int = Field(ge=1)
    paused_from: date | None  # None: there is no pause, present or future.
    paused_until: date | None  # Excluded; None if the end is open.
