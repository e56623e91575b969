"""What HTTP callers send and see of skills."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.web.fields import Flag, Items, Shown, Text


class SkillFacts(BaseModel):
    """How a skill is called in both languages; one that is retired stays on profiles and is chosen no more."""

    model_config = ConfigDict(extra="forbid")

    title_zh: Text = Field(min_length=1, max_length=60)
    title_en: Text = Field(min_length=1, max_length=60)
    is_retired: Flag = False


class Skill(BaseModel):
    """A skill of the programme's catalogue."""

    model_config = ConfigDict(from_attributes=True)

    code: Shown
    title_zh: Shown
    title_en: Shown
    retired_at: AwareDatetime | None


class Skills(BaseModel):
    """The whole catalogue, by code."""

    items: Items[Skill]
