"""Each cell parser: what it takes and what it refuses, on both sides of each boundary."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.cells import BadCell, Cell, Parser, as_text, one_of, plain, protect, text, whole_number
from shared.documents.moments import local_date, local_instant

SHANGHAI = local_instant(ZoneInfo("Asia/Shanghai"))
LOS_ANGELES = local_instant(ZoneInfo("America/Los_Angeles"))


def code(parse: Parser, cell: Cell) -> str:
    with pytest.raises(BadCell) as refused:
        parse(cell)
    assert refused.value.fix.zh
    assert refused.value.fix.en
    assert refused.value.expected
    return refused.value.code


class TestText:
    @pytest.mark.parametrize(
        ("cell", "value"),
        [
            ("000123", "000123"),
            (12.0, "12"),
            (12, "12"),
            (-3.5, "-3.5"),
            (999_999_999_999_999.0, "999999999999999"),
            ("+8613800000000", "+8613800000000"),
            ("-5", "-5"),
            ("a=b", "a=b"),
            ("第一行\n第二行", "第一行\n第二行"),
            ("x" * 20, "x" * 20),
        ],
    )
    def test_takes_what_was_meant(self, cell: Cell, value: str) -> None:
        """An employee number stays the number that was typed."""
        assert text(max_length=20)(cell) == value

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("x" * 21, "too_long"),
            (True, "not_text"),
            (date(2022, 3, 4), "not_text"),
            (time(9), "not_text"),
            (timedelta(1), "not_text"),
            (1e15, "not_text"),
            (float("nan"), "not_text"),
            ("a\x00b", "not_text"),
            ("a\ud800", "not_text"),
            ("+1+1", "formula"),
            ("-cmd", "formula"),
            ("-", "formula"),
        ],
    )
    def test_refuses_what_a_spreadsheet_has_changed_or_would_run(self, cell: Cell, expected: str) -> None:
        """What a spreadsheet has made of a text is not stored as that text."""
        assert code(text(max_length=20), cell) == expected


class TestWholeNumber:
    @pytest.mark.parametrize(
        ("cell", "value"), [(1.0, 1), (480.0, 480), ("1", 1), ("480", 480), ("\uff11\uff12", 12), ("12.0", 12)]
    )
    def test_takes_whole_numbers_within_its_bounds(self, cell: Cell, value: int) -> None:
        """Both bounds are included."""
        assert whole_number(minimum=1, maximum=480)(cell) == value

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            (0.0, "out_of_range"),
            (481.0, "out_of_range"),
            ("0", "out_of_range"),
            ("481", "out_of_range"),
            ("-1", "out_of_range"),
            (12.5, "not_whole"),
            ("12.5", "not_whole"),
            ("abc", "not_a_number"),
            ("1,000", "not_a_number"),
            ("9" * 5000, "not_a_number"),
            (True, "not_a_number"),
            (date(2022, 3, 4), "not_a_number"),
            (float("inf"), "not_a_number"),
            (float("nan"), "not_a_number"),
        ],
    )
    def test_refuses_all_else(self, cell: Cell, expected: str) -> None:
        """Nothing is rounded or guessed."""
        assert code(whole_number(minimum=1, maximum=480), cell) == expected


class TestOneOf:
    def test_takes_a_choice_in_any_case_and_width(self) -> None:
        """People write the same choice in many ways."""
        parse = one_of({"扫码": 1, "Scanned": 1, "2": 2})
        assert [parse(cell) for cell in ("扫码", "SCANNED", "\uff53canned", 2.0)] == [1, 1, 1, 2]
        assert code(parse, "签到") == "unknown_choice"


class TestLocalInstant:
    @pytest.mark.parametrize(
        "written",
        [
            "2022-03-04 09:30",
            "2022-03-04 09:30:00",
            "2022/3/4 9:30",
            "2022-03-04T09:30",
            "2022-03-04T01:30Z",
            "2022-03-04T09:30+08:00",
            "2022-03-03 17:30-0800",
            "\uff12\uff10\uff12\uff12-03-04 09:30",
            datetime(2022, 3, 4, 9, 30),  # noqa: DTZ001  As a spreadsheet's cell is.
            datetime(2022, 3, 4, 9, 29, 59, 999_000),  # noqa: DTZ001  As above.
        ],
    )
    def test_takes_each_form_as_the_same_instant(self, written: Cell) -> None:
        """One instant, whoever wrote it down."""
        assert SHANGHAI(written) == datetime(2022, 3, 4, 1, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("2022-13-40", "not_an_instant"),
            ("2022-13-40 09:30", "not_an_instant"),
            ("2022-03-04 24:00", "not_an_instant"),
            ("2022-03-04", "not_an_instant"),
            ("2022-03/04 09:30", "not_an_instant"),
            ("2022-03-04 09:30+25:00", "not_an_instant"),
            (date(2022, 3, 4), "not_an_instant"),
            (44_624.4, "not_an_instant"),
            ("1899-12-31 23:59", "out_of_range"),
            ("2200-01-01 00:00", "out_of_range"),
            ("0001-01-01 00:00", "out_of_range"),
        ],
    )
    def test_refuses_what_is_no_instant(self, cell: Cell, expected: str) -> None:
        """The thirteenth month is an error by row and column, not a crash."""
        assert code(SHANGHAI, cell) == expected

    def test_refuses_hours_that_the_clocks_skip_or_repeat_unless_an_offset_decides(self) -> None:
        """A guess would move somebody's service by an hour."""
        assert LOS_ANGELES("2022-03-13 01:59") == datetime(2022, 3, 13, 9, 59, tzinfo=UTC)
        assert code(LOS_ANGELES, "2022-03-13 02:00") == "nonexistent_local_time"
        assert code(LOS_ANGELES, "2022-03-13 02:59") == "nonexistent_local_time"
        assert LOS_ANGELES("2022-03-13 03:00") == datetime(2022, 3, 13, 10, 0, tzinfo=UTC)
        assert LOS_ANGELES("2022-11-06 00:59") == datetime(2022, 11, 6, 7, 59, tzinfo=UTC)
        assert code(LOS_ANGELES, "2022-11-06 01:00") == "ambiguous_local_time"
        assert code(LOS_ANGELES, "2022-11-06 01:59") == "ambiguous_local_time"
        assert LOS_ANGELES("2022-11-06 01:30-07:00") == datetime(2022, 11, 6, 8, 30, tzinfo=UTC)
        assert LOS_ANGELES("2022-11-06 02:00") == datetime(2022, 11, 6, 10, 0, tzinfo=UTC)


class TestLocalDate:
    def test_takes_dates(self) -> None:
        """A date is local and has no time."""
        cells: list[Cell] = ["2022-03-04", "2022/3/4", date(2022, 3, 4)]
        assert {local_date()(cell) for cell in cells} == {date(2022, 3, 4)}

    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("2022-13-40", "not_a_date"),
            ("2022-02-29", "not_a_date"),
            ("2022-03-04 09:30", "not_a_date"),
            (datetime(2022, 3, 4, 9, 30), "not_a_date"),  # noqa: DTZ001  As a spreadsheet's cell is.
            (44_624.0, "not_a_date"),
            ("1899-12-31", "out_of_range"),
            ("2200-01-01", "out_of_range"),
        ],
    )
    def test_refuses_what_is_no_date(self, cell: Cell, expected: str) -> None:
        """A day that does not exist is an error, not the next month."""
        assert code(local_date(), cell) == expected


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (12.0, "12"),
        (12.5, "12.5"),
        (True, "TRUE"),
        (datetime(2022, 3, 4, 9, 30), "2022-03-04 09:30"),  # noqa: DTZ001  As a spreadsheet's cell is.
        (datetime(2022, 3, 4, 9, 30, 7), "2022-03-04 09:30:07"),  # noqa: DTZ001  As above.
        (date(2022, 3, 4), "2022-03-04"),
        (time(9, 0), "09:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
    ],
)
def test_a_cell_is_shown_as_a_person_saw_it(cell: Cell, shown: str) -> None:
    """Nobody typed 12.0."""
    assert as_text(cell) == shown


@given(st.text(alphabet="'=+-@\t\r1a.", min_size=1))
def test_protected_text_is_no_formula_and_comes_back_as_it_was(written: str) -> None:
    """What we mark when writing is unmarked when reading, however many marks it had before."""
    marked = protect(written)
    assert marked[0] not in "=@\t\r"
    if marked != written:
        assert marked == f"'{written}"
    if not written.strip().startswith(("=", "@")) and marked.startswith("'") and written.lstrip("'")[:1].strip():
        assert plain(marked) == written.strip() or written.lstrip("'").startswith(("=", "@"))


@pytest.mark.parametrize(
    ("cell", "expected"), [("=1+1", "formula"), ("@SUM(A1)", "formula"), ("'=1", "formula"), ("#N/A", "error_value")]
)
def test_formulas_and_failures_are_refused_in_every_column(cell: str, expected: str) -> None:
    """A formula's result may have been computed from anything."""
    assert code(plain, cell) == expected  # type: ignore[arg-type]  # It parses text alone.
