"""What HTTP callers see of day manifests."""

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.manifests import queries
from shared.errors import Title
from shared.web.fields import Count, Parts, Shown
from shared.web.lists import Listed


class DayManifest(BaseModel):
    """What a service date came to. `sha256` is of its attendances, as decision 0063 says how it is made."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    service_on: date
    version: Count = Field(description="Another one whenever the day has changed.")
    attendances: Count = Field(description="Settled ones.")
    voided: Count = Field(description="Those that were taken back.")
    service_minutes: Count
    matchable_minutes: Count
    sha256: Shown = Field(description="In hexadecimal.")
    made_at: AwareDatetime


class Day(DayManifest):
    """The latest manifest of a day, and those before it."""

    earlier: Parts[DayManifest] = Field(description="The newest first.")


MANIFESTS = Listed(
    queries.MANIFESTS,
    DayManifest,
    file="manifests",
    title=Title(zh="服务日清单", en="Day manifests"),
    columns={
        "id": Title(zh="编号", en="Id"),
        "service_on": Title(zh="服务日期", en="Service date"),
        "version": Title(zh="版本", en="Version"),
        "attendances": Title(zh="已确认人次", en="Attendances"),
        "voided": Title(zh="已作废", en="Voided"),
        "service_minutes": Title(zh="服务分钟", en="Service minutes"),
        "matchable_minutes": Title(zh="可配捐分钟", en="Matchable minutes"),
        "sha256": Title(zh="摘要（SHA-256）", en="SHA-256"),
        "made_at": Title(zh="生成时间", en="Made at"),
    },
)
