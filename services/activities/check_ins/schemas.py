"""What HTTP callers send and see of codes."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ShownCode(BaseModel):
    """The rotating code that a shift shows now."""

    code: str = Field(pattern=r"^[0-9]{6}$", max_length=6, examples=["220922"])
    valid_until: AwareDatetime


class GivenCode(BaseModel):
    """The code that a volunteer scanned or typed."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(pattern=r"^[0-9]{6}$", max_length=6, examples=["220922"])
