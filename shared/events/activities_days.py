"""What the activities service tells of whole service dates."""

from datetime import date
from typing import ClassVar

from pydantic import AwareDatetime, Field

from shared.events.base import Event


class DayManifested(Event):
    """What the attendances of one service date come to; a later version replaces all earlier ones of the date.

    Whoever has heard every `attendance.settled`, `revised` and `voided` of the date can make it again: of each
    attendance the last version counts. `sha256` is of the UTF-8 text of these lines, each ended by one line feed:

        popcandy.day_manifest.v1,<programme_id>,<service_on>
        <attendance_id>,<version>,<settled or voided>,<partner_id>,<listing_id>,<shift_id>,<volunteer_id>,<started_at>,
        <service_minutes>,<matchable_minutes>,<evidence>

    The second, one line without a break, is written for each attendance, in order of its id. Ids are in small letters
    with hyphens, dates as 2022-06-01, `started_at` is in whole seconds since 1970; `revised` counts as settled.
    """

    type: ClassVar[str] = "activities.day.manifested.v1"
    key: ClassVar[str] = "service_on"

    service_on: date
    version: int = Field(ge=1)
    attendances: int = Field(ge=0)  # Settled ones.
    voided: int = Field(ge=0)
    service_minutes: int = Field(ge=0)
    matchable_minutes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    made_at: AwareDatetime
