"""What HTTP callers send and see of codes."""

from pydantic import AwareDatetime, BaseModel, Field


class ShownCode(BaseModel):
    """The rotating code that a shift shows now."""

    code: str
    valid_until: AwareDatetime


class GivenCode(BaseModel):
    """The code that a volunteer scanned or typed."""

    code: str = Field(pattern=r"^[0-9]{6}$")
