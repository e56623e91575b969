"""What HTTP callers send and see of feedback."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.activities.feedback import queries, rules, tables
from services.activities.feedback_forms.rules import BEST, MOST_CHARS, MOST_QUESTIONS, Side
from shared.errors import Title
from shared.web.fields import WHOLE, Count, Day, Flag, Items, Parts, Shown, Text, Whole
from shared.web.lists import Listed

Mark = Annotated[int, Field(ge=1, le=BEST), WHOLE]  # Limits first: else the document of a union lacks them.
Words = Annotated[Text, Field(max_length=MOST_CHARS)]
Given = Annotated[dict[str, Flag | Mark | Words], Field(max_length=MOST_QUESTIONS)]
Shape = dict[str, Any]


class Answering(BaseModel):
    """What is answered to one version of a form, by the keys of its questions."""

    model_config = ConfigDict(extra="forbid")

    form_version: Whole = Field(ge=0, le=2**31 - 1)
    answers: Given
    is_complaint: Flag = Field(default=False, description="The operator has to look into it; an incident is opened.")


class Answer(BaseModel):
    """What was answered about a shift, as who answered it sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    side: Side
    shift_id: UUID
    volunteer_id: UUID | None = Field(description="Who answered, or whom a remark is about.")
    version: Count
    form_version: Count
    answers: Shape | None = Field(description="Null of a remark that another member wrote.")
    is_complaint: bool
    answered_at: AwareDatetime


class Feedback(BaseModel):
    """What was answered about a shift. To a host nothing says who answered, unless that person consents."""

    id: UUID
    side: Side
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    service_on: date
    volunteer_id: UUID | None = Field(description="Who answered; to a host only with consent.")
    display_name: Shown | None = Field(description="To a host, of who consents to that now; else null.")
    version: Count
    form_version: Count
    answers: Shape = Field(description="To a host without the words of a complaint.")
    is_complaint: bool | None = Field(description="Null to a host.")
    answered_at: AwareDatetime | None = Field(description="Null to a host, unless the person consents.")

    @property
    def answers_json(self) -> str:
        """The answers as a cell holds them."""
        return json.dumps(self.answers, ensure_ascii=False, sort_keys=True)


class Remark(BaseModel):
    """What a host wrote about one person, who sees it as the operator does."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    service_on: date
    volunteer_id: UUID
    version: Count
    form_version: Count
    answers: Shape
    is_complaint: bool
    answered_at: AwareDatetime

    @property
    def answers_json(self) -> str:
        """The answers as a cell holds them."""
        return json.dumps(self.answers, ensure_ascii=False, sort_keys=True)


_COLUMNS = {
    "id": Title(zh="编号", en="Id"),
    "shift_id": Title(zh="场次编号", en="Shift id"),
    "listing_id": Title(zh="活动编号", en="Listing id"),
    "partner_id": Title(zh="机构编号", en="Partner id"),
    "service_on": Title(zh="服务日期", en="Service date"),
    "volunteer_id": Title(zh="志愿者编号", en="Volunteer id"),
    "version": Title(zh="版本", en="Version"),
    "form_version": Title(zh="反馈表版本", en="Form version"),
    "answers_json": Title(zh="回答", en="Answers"),
    "is_complaint": Title(zh="是否投诉", en="Complaint"),
    "answered_at": Title(zh="回答时间", en="Answered at"),
}
FEEDBACK = Listed(
    queries.FEEDBACK,
    Feedback,
    file="feedback",
    title=Title(zh="活动反馈", en="Feedback"),
    columns={
        **_COLUMNS, "side": Title(zh="填写方", en="Answered by"), "display_name": Title(zh="显示名", en="Display name")
    },
)  # fmt: skip
REMARKS = Listed(
    queries.REMARKS, Remark, file="remarks", title=Title(zh="个人评语", en="Remarks about people"), columns=_COLUMNS
)


class Version(BaseModel):
    """An answer as it stood."""

    version: Count
    form_version: Count
    answers: Shape
    is_complaint: bool
    answered_by: UUID
    answered_at: AwareDatetime


class History(BaseModel):
    """An answer with every version of it, oldest first, and the incident that it opened."""

    id: UUID
    side: Side
    shift_id: UUID
    volunteer_id: UUID | None
    incident_id: UUID | None
    versions: Parts[Version]


class Request(BaseModel):
    """A shift about which feedback is wanted until `closes_at`."""

    shift_id: UUID
    listing_id: UUID
    partner_id: UUID
    title: Shown
    service_on: date
    closes_at: AwareDatetime


class Requests(BaseModel):
    """What may still be answered, what closes first in front."""

    items: Items[Request]


class TotalsOf(BaseModel):
    """What to add up; `service_until` is excluded."""

    model_config = ConfigDict(extra="forbid")

    side: Literal["volunteer", "host"] = "volunteer"
    partner_id: UUID | None = None
    listing_id: UUID | None = None
    shift_id: UUID | None = None
    service_from: Day | None = None
    service_until: Day | None = None


class QuestionTotal(BaseModel):
    """What the answers to one question come to; `mark_sum` over `answers` is the exact mean of a rating."""

    model_config = ConfigDict(from_attributes=True)

    key: Shown
    measure: rules.Measure
    answers: Count
    distribution: dict[Shown, Count] = Field(description="How often each mark was given.")
    mark_sum: Count | None
    mean_hundredths: Count | None = Field(description="The mean in hundredths, rounded half up.")


class Totals(BaseModel):
    """What answers come to. Of fewer than three, questions are withheld from who sees no single answers by task."""

    side: Literal["volunteer", "host"]
    answers: Count
    asked: Count = Field(description="Settled attendances, or for hosts the shifts that have any.")
    response_basis_points: Count
    is_withheld: bool
    questions: Items[QuestionTotal]


def answer(row: tables.Feedback, *, reader: UUID) -> Answer:
    """Show an answer to who gave it; another member of the partner learns no more than that there is a remark."""
    shown = Answer(**_common(row), side=Side(row.side), volunteer_id=row.volunteer_id)
    is_anothers = row.side == Side.REMARK and row.answered_by != reader
    return shown.model_copy(update={"answers": None}) if is_anothers else shown


def feedback(row: tables.Feedback) -> Feedback:
    """Show an answer to staff."""
    return Feedback(
        **_common(row), **_place(row), side=Side(row.side), volunteer_id=row.volunteer_id, display_name=None
    )


def feedback_for_host(row: tables.Feedback, names: Mapping[UUID, str]) -> Feedback:
    """Show an answer to the partner that it is about."""
    shown = feedback(row)
    name = names.get(row.volunteer_id) if row.volunteer_id else None
    hidden: Shape = {"is_complaint": None, "display_name": name}
    if row.side == Side.VOLUNTEER and name is None:
        hidden |= {"volunteer_id": None, "answered_at": None}
    if row.side == Side.VOLUNTEER and row.is_complaint:
        hidden |= {"answers": dict(row.marks)}
    return shown.model_copy(update=hidden)


def remark(row: tables.Feedback) -> Remark:
    """Show a remark."""
    return Remark(**_common(row), **_place(row), volunteer_id=row.volunteer_id)


def history(row: tables.Feedback, versions: list[tables.FeedbackVersion]) -> History:
    """Show an answer with its versions."""
    names = ("version", "form_version", "is_complaint", "answered_by", "answered_at")
    items = [Version(answers=row.marks | row.texts, **{name: getattr(row, name) for name in names}) for row in versions]
    return History(
        id=row.id, side=Side(row.side), shift_id=row.shift_id, volunteer_id=row.volunteer_id,
        incident_id=row.incident_id, versions=items,
    )  # fmt: skip


def _common(row: tables.Feedback) -> Shape:
    names = ("id", "shift_id", "version", "form_version", "is_complaint", "answered_at")
    return {**{name: getattr(row, name) for name in names}, "answers": row.marks | row.texts}


def _place(row: tables.Feedback) -> Shape:
    return {name: getattr(row, name) for name in ("listing_id", "partner_id", "service_on")}


class OwnAnswer(BaseModel):
    """What was answered, or remarked about the person, as it once stood."""

    model_config = ConfigDict(from_attributes=True)

    version: Count = Field(description="版本 / Counts the versions, from 1")
    form_version: Count = Field(description="反馈表版本 / Version of the form")
    marks: dict[str, Any] = Field(description="评分和选择 / What can be counted")
    texts: dict[str, Any] = Field(description="文字 / What was said in words")
    is_complaint: bool = Field(description="是否投诉 / Whether it was a complaint")
    answered_by: UUID = Field(description="填写人编号 / Who wrote it")
    answered_at: AwareDatetime = Field(description="时间 / When")


class OwnFeedback(BaseModel):
    """What the person answered after a shift, or what a host remarked about the person."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="反馈编号 / The answer's id")
    side: Shown = Field(description="填写方：本人，或机构对本人的评语 / By the person, or a remark about the person")
    shift_id: UUID = Field(description="场次编号 / The shift's id")
    service_on: date = Field(description="服务日期（当地） / Local date of service")
    versions: Parts[OwnAnswer] = Field(default=[], description="历次版本 / Every version of it")
