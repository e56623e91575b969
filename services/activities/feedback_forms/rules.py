"""What is asked after a shift, and which answers fit. Source: DOMAIN.md section 4, "Feedback".

A form has questions of four kinds, no more: whoever reads the answers can add them up without knowing the form. It is
never edited; a change is a new version. Version 0 ships with Popcandy and holds until an operator publishes another.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Conflict, Invalid, Title

SHIPPED = 0  # The version that nobody published.
MOST_QUESTIONS = 30
MOST_CHOICES = 20
MOST_CHARS = 2_000  # Of one answer in words.
BEST = 5  # Ratings count from 1.
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")

Answer = int | bool | str
Document = dict[str, object]


class Side(StrEnum):
    """Who answers about what."""

    VOLUNTEER = "volunteer"  # A volunteer about the activity.
    HOST = "host"  # The partner about the volunteers of a shift.
    REMARK = "remark"  # The partner about one person.


class Kind(StrEnum):
    """What is asked for."""

    RATING = "rating"  # 1 to 5.
    CHOICE = "choice"  # One of the question's choices.
    YES_NO = "yes_no"
    TEXT = "text"


class FormUnsound(Invalid):
    """A form cannot be asked as it is; `field` says where, `reason` why."""

    code = "feedback_form_unsound"
    title = Title(zh="反馈表有误", en="The feedback form is unsound")


class AnswersInvalid(Invalid):
    """Answers do not fit the form; `errors` names each question."""

    code = "answers_invalid"
    title = Title(zh="部分回答不符合反馈表要求", en="Some answers do not fit the form")


class FormOutdated(Conflict):
    """What was answered is not the form that is asked now; show that one and ask again."""

    code = "feedback_form_outdated"
    title = Title(zh="反馈表已更新，请按新版填写", en="The feedback form has changed; answer the new one")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers to choose from."""

    key: str
    title: Title


@dataclass(frozen=True, slots=True)
class Question:
    """One question; only a `choice` has choices."""

    key: str
    kind: Kind
    title: Title
    is_required: bool = True
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, in the order in which it is shown."""

    title: Title
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered: `marks` can be counted and name nobody, `texts` may say anything."""

    marks: Mapping[str, Answer]
    texts: Mapping[str, str]


def _asked(key: str, kind: Kind, zh: str, en: str) -> Question:
    return Question(key, kind, Title(zh=zh, en=en), is_required=kind is not Kind.TEXT)


FORMS: Mapping[Side, Form] = {
    Side.VOLUNTEER: Form(
        Title(
            zh="志愿服务活动反馈表（举办方可看到回答，看不到姓名，除非您另行同意）",
            en="Feedback on the activity (its host sees the answers, and no name unless you consent to that)",
        ),
        (
            _asked("overall", Kind.RATING, "总体满意度", "Overall"),
            _asked("organisation", Kind.RATING, "组织与安排", "How well it was organised"),
            _asked("meaning", Kind.RATING, "服务的意义", "How meaningful the service was"),
            _asked("would_return", Kind.YES_NO, "您是否愿意再次参加", "Would you come again"),
            _asked("liked", Kind.TEXT, "最满意的地方", "What you liked"),
            _asked("suggestion", Kind.TEXT, "意见和建议", "What could be better"),
        ),
    ),
    Side.HOST: Form(
        Title(zh="志愿者整体表现反馈表", en="Feedback on the volunteers of a shift"),
        (
            _asked("overall", Kind.RATING, "总体满意度", "Overall"),
            _asked("punctuality", Kind.RATING, "守时情况", "Punctuality"),
            _asked("cooperation", Kind.RATING, "配合程度", "Cooperation"),
            _asked("as_expected", Kind.YES_NO, "是否达到预期", "Was it as you expected"),
            _asked("comment", Kind.TEXT, "补充说明（请勿写姓名）", "Anything else (without names)"),
        ),
    ),
    Side.REMARK: Form(
        Title(zh="对志愿者个人的评语（仅本人和项目组可见）", en="A remark about a person (for them and the operator)"),
        (
            _asked("attitude", Kind.RATING, "服务态度", "Attitude"),
            _asked("contribution", Kind.RATING, "服务贡献", "Contribution"),
            _asked("comment", Kind.TEXT, "评语", "Remark"),
        ),
    ),
}  # fmt: skip


def require_sound(form: Form) -> None:
    """Refuse a form with questions or choices that cannot be told apart, or with choices amiss. Raises FormUnsound."""
    _require_keys([question.key for question in form.questions], "questions", most=MOST_QUESTIONS)
    for place, question in enumerate(form.questions):
        field = f"questions.{place}.choices"
        if question.kind is Kind.CHOICE:
            _require_keys([choice.key for choice in question.choices], field, most=MOST_CHOICES)
        elif question.choices:
            raise FormUnsound(field=field, reason="only_a_choice_has_choices")


def _require_keys(keys: Sequence[str], field: str, *, most: int) -> None:
    if not 0 < len(keys) <= most:
        raise FormUnsound(field=field, reason="too_few_or_many", most=most)
    for place, key in enumerate(keys):
        if not KEY.fullmatch(key):
            raise FormUnsound(field=f"{field}.{place}.key", reason="bad_key")
        if key in keys[:place]:
            raise FormUnsound(field=f"{field}.{place}.key", reason="key_repeated")


def require_version(answered: int, *, current: int, kept: int | None) -> None:
    """Refuse answers to another form than the current one, or that of the answer to be changed. Raises FormOutdated."""
    if answered not in {current, kept}:
        raise FormOutdated(current=current)


def read(form: Form, given: Mapping[str, Answer]) -> Answers:
    """Return answers sorted into what can be counted and what cannot. Raises AnswersInvalid, naming each question.

    A text of blanks alone is none.
    """
    errors = list(_errors(form, given))
    if errors:
        raise AnswersInvalid(errors=errors)
    kinds = {question.key: question.kind for question in form.questions}
    texts = {key: str(value).strip() for key, value in given.items() if kinds[key] is Kind.TEXT}
    marks = {key: value for key, value in given.items() if kinds[key] is not Kind.TEXT}
    return Answers(marks, {key: text for key, text in texts.items() if text})


def _errors(form: Form, given: Mapping[str, Answer]) -> Iterator[dict[str, object]]:
    known = {question.key for question in form.questions}
    for key in given:
        if key not in known:
            named = key if KEY.fullmatch(key) else ""  # Else it may be anything, of any length.
            yield _error(named, "unknown_question", "the form has no such question")
    for question in form.questions:
        value = given.get(question.key)
        is_blank = value is None or (isinstance(value, str) and not value.strip())
        if is_blank and question.is_required:
            yield _error(question.key, "missing", "an answer is required")
        elif value is not None and (expected := _misfit(question, value)):
            yield _error(question.key, "misfit", f"expected {expected}")


def _error(key: str, code: str, message: str) -> dict[str, object]:
    return {"field": f"answers.{key}".rstrip("."), "code": code, "message": message}


def _misfit(question: Question, value: Answer) -> str | None:
    """Say what would have fitted; None if it fits. A yes is no 1: Python would take it for one."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    match question.kind:
        case Kind.RATING:
            return None if is_number and 1 <= int(value) <= BEST else f"a whole number from 1 to {BEST}"
        case Kind.YES_NO:
            return None if isinstance(value, bool) else "true or false"
        case Kind.CHOICE:
            keys = [choice.key for choice in question.choices]
            return None if value in keys and isinstance(value, str) else f"one of {', '.join(keys)}"
        case Kind.TEXT:
            fits = isinstance(value, str) and len(value) <= MOST_CHARS
            return None if fits else f"text of at most {MOST_CHARS} characters"


def ratings(marks: Mapping[str, Answer]) -> dict[str, int]:
    """Return those of the marks that are ratings."""
    return {key: value for key, value in marks.items() if isinstance(value, int) and not isinstance(value, bool)}


def written(form: Form) -> Document:
    """Write a form as the document that is kept."""
    return {"title": form.title._asdict(), "questions": [_written(question) for question in form.questions]}


def _written(question: Question) -> Document:
    choices = [{"key": choice.key, "title": choice.title._asdict()} for choice in question.choices]
    return {
        "key": question.key, "kind": question.kind.value, "title": question.title._asdict(),
        "is_required": question.is_required, "choices": choices,
    }  # fmt: skip


def json_schema(form: Form) -> Document:
    """Write a form as a JSON Schema (2020-12) of its answers, in Chinese with the English beside it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": form.title.zh,
        "description": form.title.en,
        "type": "object",
        "properties": {question.key: _schema(question) for question in form.questions},
        "required": [question.key for question in form.questions if question.is_required],
        "additionalProperties": False,
    }


def _schema(question: Question) -> Document:
    shapes: dict[Kind, Document] = {
        Kind.RATING: {"type": "integer", "minimum": 1, "maximum": BEST},
        Kind.YES_NO: {"type": "boolean"},
        Kind.TEXT: {"type": "string", "maxLength": MOST_CHARS, "minLength": int(question.is_required)},
        Kind.CHOICE: {
            "oneOf": [
                {"const": choice.key, "title": choice.title.zh, "description": choice.title.en}
                for choice in question.choices
            ]
        },
    }
    return {"title": question.title.zh, "description": question.title.en, **shapes[question.kind]}
