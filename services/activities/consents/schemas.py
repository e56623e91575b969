"""What HTTP callers send and see of consents."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.consents.rules import Decision, Purpose
from shared.web.fields import Count, Parts, Reason, Shown


class ConsentText(BaseModel):
    """What a person has to be shown before they decide; `digest` is the SHA-256 of both languages."""

    model_config = ConfigDict(from_attributes=True)

    purpose: Purpose
    version: Count
    is_current: bool
    holds: bool = Field(description="Consent given on this version still holds.")
    zh: Shown
    en: Shown
    digest: Shown


class ConsentTexts(BaseModel):
    """Every version of every text, oldest first."""

    items: Parts[ConsentText]


class Withdrawing(BaseModel):
    """What is withdrawn."""

    purpose: Purpose
    language: Literal["zh", "en"] = Field(default="zh", description="The language in which the person decided.")


class Giving(Withdrawing):
    """What is consented to, after reading which version of the text."""

    version: int = Field(ge=1, le=2**31 - 1)


class WithdrawingOnBehalf(Withdrawing):
    """What somebody withdraws who told us otherwise than by signing in."""

    reason: Reason = Field(description="How the person told it, and where that is kept; without their name.")


class GivingOnBehalf(Giving):
    """What somebody consents to who told us otherwise than by signing in."""

    reason: Reason = Field(description="How the person told it, and where that is kept; without their name.")


class Consent(BaseModel):
    """One decision; the last of a purpose holds."""

    model_config = ConfigDict(from_attributes=True)

    purpose: Purpose = Field(description="目的 / Purpose")
    number: Count = Field(description="第几次决定 / Counts the person's decisions about the purpose, from 1")
    decision: Decision = Field(description="同意或撤回 / Given or withdrawn")
    text_version: Count = Field(description="同意书版本 / Version of the text that was read")
    text_digest: Shown = Field(description="同意书摘要 / SHA-256 of that text in both languages")
    language: Literal["zh", "en"] = Field(description="阅读语言 / Language in which it was read")
    recorded_by: UUID = Field(description="记录人编号 / Who recorded it")
    reason: Shown | None = Field(description="代为记录的理由 / Why somebody else recorded it; null for the person")
    recorded_at: AwareDatetime = Field(description="记录时间 / When")


class Consents(BaseModel):
    """Everything that a person decided, oldest first."""

    items: Parts[Consent]
