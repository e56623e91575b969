"""What people see of their scans. Each field says in both languages what it is."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


class OwnScan(BaseModel):
    """A scan of a shift's code; the code itself is kept from everybody."""

    model_config = ConfigDict(from_attributes=True)

    shift_id: UUID = Field(description="场次编号 / The shift's id")
    way: Literal["in", "out"] = Field(description="签到或签退 / Coming or leaving")
    scanned_at: AwareDatetime = Field(description="扫码时间 / When")
    has_device_mark: Annotated[bool, BeforeValidator(bool)] = Field(
        validation_alias="device_mark",
        description=(
            "是否存有扫码设备的摘要，仅用于发现同一设备在该场次为多人扫码，场次结束约一小时后删除 / "
            "Whether a digest of the device that scanned is kept, to notice one that scans for several people on "
            "that shift; until about an hour after its end"
        ),
    )
