"""What HTTP callers send and see of codes."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.scans.rules import LEAST_DEVICE, MOST_DEVICE
from shared.web.fields import Count

Device = Annotated[
    str,
    Field(
        pattern=r"^[!-~]+$",
        min_length=LEAST_DEVICE,
        max_length=MOST_DEVICE,
        description=(
            "Something random that stays the same on one device, such as a UUID; whoever scans is told of it. It is "
            "not kept: a digest of it that only means something on this shift stands until the shift is closed, to "
            "notice a device that scans for several people."
        ),
        examples=["mZ3v0Yq8T1mKcWb7uJx5Rg"],
    ),
]


class ShownCode(BaseModel):
    """The rotating code that a shift shows now."""

    code: str = Field(pattern=r"^[0-9]{6}$", max_length=6, examples=["220922"])
    valid_until: AwareDatetime


class GivenCode(BaseModel):
    """The code that a volunteer scanned or typed."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(pattern=r"^[0-9]{6}$", max_length=6, examples=["220922"])
    device: Device | None = None


class OwnWrongCodes(BaseModel):
    """Wrong codes that a person has given lately, to them: each field says in both languages what it is."""

    model_config = ConfigDict(from_attributes=True)

    shift_id: UUID = Field(description="场次编号 / The shift's id")
    failed: Count = Field(description="连续输错次数 / How many in a row")
    last_failed_at: AwareDatetime = Field(description="最近一次 / The last of them")
