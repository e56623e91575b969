"""Staging: what is kept of a sheet, and what the preview shows."""

import pytest

from shared.documents.refusals import EmptySheet, NotASheet
from shared.imports import staging
from shared.imports.packing import PART_ROWS
from shared.imports.refusals import ImportsBusy
from tests.activities.racing import outcome
from tests.shared.imports.pebbles import Desk


def test_the_preview_shows_the_first_rows_of_each_effect(desk: Desk) -> None:
    """With their numbers in the file; an example of the template is never data."""
    desk.bring(*((f"old{number}", 1) for number in range(20)))
    import_id = desk.stage(
        *((f"old{number}", 1 + number % 2) for number in range(20)), ("EXAMPLE", 1), *((f"n{n}", 1) for n in range(20))
    )
    seen = desk.standing(import_id)
    assert seen.preview.model_dump() == {"create": 20, "update": 10, "skip": 10, "rejected": 1}
    assert {str(effect): [row.row for row in rows] for effect, rows in seen.samples.items()} == {
        "create": list(range(23, 33)), "update": list(range(3, 23, 2)), "skip": list(range(2, 22, 2)),
    }  # fmt: skip
    assert [(error.row, error.code) for error in seen.errors] == [(22, "example_row")]


@pytest.mark.parametrize("count", [1, PART_ROWS, PART_ROWS + 1])
def test_rows_are_kept_in_parts_and_all_brought_in(desk: Desk, count: int) -> None:
    """On both sides of a part's size."""
    import_id = desk.stage(*((f"p{number}", number % 900 + 1) for number in range(count)))
    assert desk.count("sheet_import_rows") == -(-count // PART_ROWS)
    desk.order(import_id)
    desk.work()
    assert desk.pebbles() == {f"p{number}": number % 900 + 1 for number in range(count)}


@pytest.mark.parametrize("value", ["𠮷", "😀👩‍🌾", "ab\u200dc", "שלום"])
def test_rare_characters_come_back_as_they_were(desk: Desk, value: str) -> None:
    """Through the sheet, the staged rows and the records."""
    desk.bring((value, 7))
    assert desk.pebbles() == {value: 7}


@pytest.mark.parametrize("mark", ["\u200e", "\u200f", "\u202e", "\u2066", "\u200b", "\u00ad"])
def test_marks_that_nobody_sees_are_told(desk: Desk, mark: str) -> None:
    """They would make two names of one, or turn the text around them."""
    [error] = desk.standing(desk.stage((f"a{mark}b", 1))).errors
    assert (error.cell, error.code) == ("A2", "hidden_characters")


def test_few_large_sheets_are_read_at_once(desk: Desk) -> None:
    """The others are told to come again; small ones pass, and a refused file makes room again."""
    large = staging.LARGE_BYTES + 1
    with staging._admitted(large), staging._admitted(large):  # noqa: SLF001  What is kept busy.
        assert outcome(lambda: desk.stage(("a", 1), size=large)) == ImportsBusy.code
        desk.stage(("a", 1), size=large - 1)
    for _ in range(staging.MOST_LARGE + 1):
        assert outcome(lambda: desk.stage(size=large)) in {EmptySheet.code, NotASheet.code}
    desk.stage(("a", 1), size=large)
