from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # It ships no py.typed.

from services.activities.feedback_forms import queries, rules
from services.activities.feedback_forms.rules import Choice, Form, Kind, Question, Side
from services.activities.feedback_forms.tables import FeedbackForm
from shared.errors import Title

SAID = Title(zh="问", en="Q")
RATING = Question("overall", Kind.RATING, SAID)
CHOICE = Question("weather", Kind.CHOICE, SAID, choices=(Choice("sun", SAID), Choice("rain", SAID)))
YES_NO = Question("again", Kind.YES_NO, SAID)
TEXT = Question("liked", Kind.TEXT, SAID, is_required=False)
FORM = Form(SAID, (RATING, CHOICE, YES_NO, TEXT))
GOOD: dict[str, Any] = {"overall": 5, "weather": "rain", "again": False, "liked": " 海 "}


def errors(given: dict[str, Any], form: Form = FORM) -> list[tuple[Any, Any]]:
    with pytest.raises(rules.AnswersInvalid) as refusal:
        rules.read(form, given)
    return [(error["field"], error["code"]) for error in refusal.value.facts["errors"]]  # type: ignore[attr-defined]  # A list.


class TestRead:
    def test_what_counts_stands_apart_from_what_is_said(self) -> None:
        """Words can be taken out later, without what was counted."""
        read = rules.read(FORM, GOOD)

        assert read.marks == {"overall": 5, "weather": "rain", "again": False}
        assert read.texts == {"liked": "海"}

    @pytest.mark.parametrize("mark", [1, 5])
    def test_a_rating_may_be(self, mark: int) -> None:
        """Both ends."""
        assert rules.read(FORM, GOOD | {"overall": mark}).marks["overall"] == mark

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("overall", 0), ("overall", 6), ("overall", True), ("overall", "5"), ("weather", "snow"), ("weather", 1),
            ("again", 1), ("again", "yes"), ("liked", "x" * 2_001), ("liked", 5),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, key: str, value: Any) -> None:
        """A yes is no 1, and a 1 no yes."""
        assert errors(GOOD | {key: value}) == [(f"answers.{key}", "misfit")]

    def test_a_text_may_be_as_long_as_that(self) -> None:
        """And not longer, see above."""
        assert len(rules.read(FORM, GOOD | {"liked": "x" * 2_000}).texts["liked"]) == 2_000

    def test_blanks_are_no_answer(self) -> None:
        """Where none is required, nothing is kept; where one is, it is missing."""
        assert rules.read(FORM, GOOD | {"liked": "  "}).texts == {}
        required = Form(SAID, (replace(TEXT, is_required=True),))
        assert errors({"liked": "  "}, required) == [("answers.liked", "missing")]

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        """Nobody mends a form one refusal at a time."""
        assert errors({"overall": 9, "colour": "red"}) == [
            ("answers.colour", "unknown_question"), ("answers.overall", "misfit"), ("answers.weather", "missing"),
            ("answers.again", "missing"),
        ]  # fmt: skip

    @pytest.mark.parametrize("key", ["x" * 41, "Q", "合成甲", "a\x00"])
    def test_what_is_no_key_is_not_repeated(self, key: str) -> None:
        """It may be somebody's name, and of any length."""
        assert errors(GOOD | {key: 1}) == [("answers", "unknown_question")]

    @pytest.mark.parametrize("given", [GOOD, GOOD | {"overall": 6}, GOOD | {"weather": "snow"}, {"overall": 1}])
    def test_the_json_schema_says_the_same(self, given: dict[str, Any]) -> None:
        """A front end that goes by it is not refused, and refuses what we would."""
        is_valid = Draft202012Validator(rules.json_schema(FORM)).is_valid(given)

        assert is_valid == (given is GOOD)
        if not is_valid:
            assert errors(given)

    def test_the_json_schema_is_one(self) -> None:
        """By its own rules, for each form that ships."""
        for form in (FORM, *rules.FORMS.values()):
            Draft202012Validator.check_schema(rules.json_schema(form))


class TestSound:
    @pytest.mark.parametrize("side", Side)
    def test_what_ships_is_sound(self, side: Side) -> None:
        """In both languages."""
        rules.require_sound(rules.FORMS[side])
        assert all(question.title.zh and question.title.en.isascii() for question in rules.FORMS[side].questions)

    @pytest.mark.parametrize(
        ("questions", "field", "reason"),
        [
            ((), "questions", "too_few_or_many"),
            (tuple(replace(TEXT, key=f"q{n}") for n in range(31)), "questions", "too_few_or_many"),
            ((RATING, RATING), "questions.1.key", "key_repeated"),
            ((replace(RATING, key="Über"),), "questions.0.key", "bad_key"),
            ((replace(RATING, key="a" * 41),), "questions.0.key", "bad_key"),
            ((replace(CHOICE, choices=()),), "questions.0.choices", "too_few_or_many"),
            (
                (TEXT, replace(CHOICE, choices=tuple(Choice(f"c{n}", SAID) for n in range(21)))),
                "questions.1.choices", "too_few_or_many",
            ),
            (
                (replace(CHOICE, choices=(Choice("a", SAID), Choice("a", SAID))),),
                "questions.0.choices.1.key", "key_repeated",
            ),
            ((replace(RATING, choices=(Choice("a", SAID),)),), "questions.0.choices", "only_a_choice_has_choices"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_asked_is_refused(self, questions: tuple[Question, ...], field: str, reason: str) -> None:
        """With the place and the reason."""
        with pytest.raises(rules.FormUnsound) as refusal:
            rules.require_sound(Form(SAID, questions))
        assert (refusal.value.facts["field"], refusal.value.facts["reason"]) == (field, reason)

    def test_as_many_as_allowed_can_be_asked(self) -> None:
        """Thirty questions, twenty choices, a key of forty."""
        many = tuple(replace(TEXT, key=f"q{n:039}"[:40]) for n in range(29))
        choices = tuple(Choice(f"c{n}", SAID) for n in range(20))
        rules.require_sound(Form(SAID, (*many, replace(CHOICE, choices=choices))))


def test_a_form_is_read_as_it_was_written() -> None:
    """Nothing of it is lost in the row."""
    assert queries.form_of(FeedbackForm(document=rules.written(FORM))) == FORM


@pytest.mark.parametrize(("answered", "kept"), [(3, None), (3, 1), (1, 1)])
def test_the_current_form_or_that_of_the_answer_may_be_answered(answered: int, kept: int | None) -> None:
    """Who corrects a word is not made to begin anew."""
    rules.require_version(answered, current=3, kept=kept)


@pytest.mark.parametrize(("answered", "kept"), [(2, None), (4, None), (2, 1), (0, None)])
def test_any_other_form_is_outdated(answered: int, kept: int | None) -> None:
    """The refusal says which is current."""
    with pytest.raises(rules.FormOutdated) as refusal:
        rules.require_version(answered, current=3, kept=kept)
    assert refusal.value.facts == {"current": 3}


def test_ratings_are_the_numbers_alone() -> None:
    """Neither a yes nor a choice has a mean."""
    assert rules.ratings({"overall": 4, "again": True, "weather": "sun"}) == {"overall": 4}
