"""What HTTP callers send and see of forms."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.activities.feedback_forms import rules
from services.activities.feedback_forms.queries import form_of
from services.activities.feedback_forms.rules import Kind, Side
from services.activities.feedback_forms.tables import FeedbackForm
from shared.errors import Title
from shared.web.fields import Count, Flag, Parts, Text

Key = Annotated[
    str,
    StringConstraints(max_length=40, pattern="^[a-z][a-z0-9_]*$"),
    Field(examples=["overall"]),
]
Words = Annotated[Text, Field(min_length=1, max_length=200)]


class Label(BaseModel):
    """What a person reads, in both languages."""

    model_config = ConfigDict(extra="forbid")

    zh: Words
    en: Words


class Choice(BaseModel):
    """One of the answers to choose from."""

    model_config = ConfigDict(extra="forbid")

    key: Key
    title: Label


class Question(BaseModel):
    """One question: a rating from 1 to 5, one of its `choices`, yes or no, or text."""

    model_config = ConfigDict(extra="forbid")

    key: Key
    kind: Kind
    title: Label
    is_required: Flag
    choices: list[Choice] = Field(max_length=rules.MOST_CHOICES, description="None but of a choice.")


class NewForm(BaseModel):
    """What is to be asked from now on, in this order."""

    model_config = ConfigDict(extra="forbid")

    title: Label
    questions: list[Question] = Field(min_length=1, max_length=rules.MOST_QUESTIONS)

    def form(self) -> rules.Form:
        """Return the form that is meant."""
        return rules.Form(_title(self.title), tuple(_question(each) for each in self.questions))


class Form(NewForm):
    """One version of what a side is asked; version 0 ships with Popcandy."""

    model_config = ConfigDict(extra="ignore")

    side: Side
    version: Count
    published_by: UUID | None
    published_at: AwareDatetime | None
    json_schema: dict[str, Any] = Field(description="The same as a JSON Schema (2020-12) of the answers.")


class Forms(BaseModel):
    """Every version of every form, oldest first."""

    items: Parts[Form]


def shown(row: FeedbackForm) -> Form:
    """Show one version."""
    return Form(
        **row.document, side=Side(row.side), version=row.version, published_by=row.published_by,
        published_at=row.published_at, json_schema=rules.json_schema(form_of(row)),
    )  # fmt: skip


def _title(label: Label) -> Title:
    return Title(zh=label.zh, en=label.en)


def _question(question: Question) -> rules.Question:
    choices = tuple(rules.Choice(choice.key, _title(choice.title)) for choice in question.choices)
    return rules.Question(question.key, question.kind, _title(question.title), question.is_required, choices)
