"""What HTTP callers send and see of a proposal's content, and of what the automatic checklist finds in it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.activities.checklists import rules
from services.activities.checklists.rules import Mode, Severity
from services.activities.recurrences.rules import written_out
from services.activities.recurrences.schemas import MOST_PEOPLE, NewShift
from shared.web.fields import GREATEST, WHOLE, Instant, Shown, Text, Whole
from shared.zones import zone

MOST_SHIFTS = 100


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Position(_Part):
    """What somebody does on each shift, how many of them, and what they must know."""

    name: Text = Field(min_length=1, max_length=60)
    number: Whole = Field(ge=1, le=MOST_PEOPLE)
    skills: list[Annotated[Text, Field(min_length=1, max_length=40)]] = Field(default=[], max_length=10)


class PlannedShift(_Part):
    """An occasion, half-open; it is not held with fewer than `minimum` people."""

    starts_at: Instant
    ends_at: Instant
    capacity: Whole = Field(ge=1, le=MOST_PEOPLE)
    minimum: Whole = Field(default=1, ge=1, le=MOST_PEOPLE)


class Deliverable(_Part):
    """What is handed in: by which criteria it is accepted, and the minutes that one accepted piece counts."""

    criteria: Text = Field(default="", max_length=2_000)
    minutes_per_piece: Annotated[int, Field(ge=0, le=10_000), WHOLE] | None = None


class Kit(_Part):
    """What is sent to a volunteer, what it may cost at most, in fen, and when it is due back."""

    contents: Text = Field(default="", max_length=1_000)
    ceiling_fen: Annotated[int, Field(ge=0, le=GREATEST), WHOLE] | None = None
    due_days: Annotated[int, Field(ge=1, le=60), WHOLE] | None = Field(
        default=None, description="Working days after the shift's end; 10 if nothing is said."
    )


class Content(_Part):
    """Everything that a partner says of an activity; a draft may leave out what the checklist then asks for."""

    title: Text = Field(min_length=1, max_length=200)
    mode: Mode
    description: Text = Field(default="", max_length=4_000)
    city: Text = Field(default="", max_length=40)
    place: Text = Field(default="", max_length=200)
    timezone: Text = Field(default="Asia/Shanghai", max_length=60)
    positions: list[Position] = Field(default=[], max_length=20)
    shifts: list[PlannedShift] = Field(default=[], max_length=MOST_SHIFTS)
    risks: Text = Field(default="", max_length=2_000)
    insurance: Text = Field(default="", max_length=1_000)
    safeguards: Text = Field(default="", max_length=2_000)
    briefing: Text = Field(default="", max_length=2_000)
    deliverable: Deliverable | None = None
    kit: Kit | None = None


class NewContent(Content):
    """What a partner says; shifts that repeat are written out at once, and shown so."""

    shifts: list[NewShift] = Field(  # type: ignore[assignment]  # What is sent may repeat.
        default=[], max_length=MOST_SHIFTS, description="100 at most, written out."
    )

    def told(self) -> rules.Content:
        """Return it as the rules have it. Raises UnknownTimezone, BadRepetition, TooManyShifts, UnclearLocalTime."""
        deliverable, kit = self.deliverable, self.kit
        texts = {name: getattr(self, name) for name in _TEXTS}
        planned = written_out((each.told() for each in self.shifts), timezone=zone(self.timezone), most=MOST_SHIFTS)
        shifts = (rules.PlannedShift(each.starts_at, each.ends_at, each.capacity, each.minimum) for each in planned)
        return rules.Content(
            mode=self.mode,
            positions=tuple(rules.Position(each.name, each.number, tuple(each.skills)) for each in self.positions),
            shifts=tuple(shifts),
            deliverable=None if deliverable is None else rules.Deliverable(**deliverable.model_dump()),
            kit=None if kit is None else rules.Kit(**kit.model_dump()),
            **texts,
        )


_TEXTS = ("title", "description", "city", "place", "timezone", "risks", "insurance", "safeguards", "briefing")


class Words(BaseModel):
    """A text in both languages."""

    model_config = ConfigDict(from_attributes=True)

    zh: Shown
    en: Shown


class Finding(BaseModel):
    """What the automatic checklist finds in a field; a blocking one stands in the way of submitting."""

    field: Shown
    code: Shown
    severity: Severity
    title: Words
    expected: Words

    @classmethod
    def of(cls, finding: rules.Finding) -> "Finding":
        """Show a finding."""
        title, expected = (Words.model_validate(each) for each in (finding.check.title, finding.check.expected))
        return cls(
            field=finding.field, code=finding.code, severity=finding.check.severity, title=title, expected=expected
        )
