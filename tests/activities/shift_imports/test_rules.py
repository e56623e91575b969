from datetime import timedelta
from typing import Any

import pytest

from services.activities.shift_imports import rules
from services.activities.shift_imports.rules import KnownListing, KnownShift, ListingFacts, ShiftRow
from shared.ids import new_id
from shared.imports.judging import Effect
from tests.activities.sheets import CASE, told
from tests.factories.activities import NINE, NOON

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)
SHIFT = KnownShift(NINE, NOON, 10)
SHIFT_ROW = ShiftRow("P1", "L1", "净滩", 1, NINE, NOON, 10)


def judge_shift(*rows: ShiftRow, **known: Any) -> dict[int, dict[str, str]]:
    return told(rules.judge(CASE, rows, facts(**known)).objections)


def facts(*, listings: dict[str, tuple[str, str]] | None = None, **known: Any) -> ListingFacts:
    found = {reference: KnownListing(new_id(), *what, "UTC") for reference, what in (listings or {}).items()}
    partners = {"P1": new_id(), "P2": new_id()}
    return ListingFacts(partners=partners, listings=found, shifts=known.get("shifts", {}))


def test_a_known_shift_is_skipped() -> None:
    """A new one is published."""
    rows = [SHIFT_ROW, SHIFT_ROW._replace(shift_number=2)]
    known = facts(listings={"L1": ("P1", "净滩")}, shifts={("L1", 1): SHIFT})
    assert rules.judge(CASE, rows, known).effects == [Effect.SKIP, Effect.CREATE]


class TestShifts:
    def test_new_and_published_shifts_are_good(self) -> None:
        """The second shift of a listing too."""
        rows = [SHIFT_ROW, SHIFT_ROW._replace(shift_number=2)]
        assert judge_shift(*rows) == {}
        assert judge_shift(*rows, listings={"L1": ("P1", "净滩")}, shifts={("L1", 1): SHIFT}) == {}

    @pytest.mark.parametrize(
        ("change", "objection"),
        [
            ({"partner_reference": "P9"}, {"partner_reference": "unknown"}),
            ({"partner_reference": "P2"}, {"partner_reference": "differs_from_record"}),
            ({"title": "种树"}, {"title": "differs_from_record"}),
            ({"capacity": 11}, {"starts_at": "differs_from_record"}),
            ({"ends_at": NOON + timedelta(minutes=1)}, {"starts_at": "differs_from_record"}),
            ({"shift_number": 2, "starts_at": NINE + SECOND}, {"starts_at": "not_whole_minutes"}),
            ({"shift_number": 2, "ends_at": NOON + SECOND}, {"starts_at": "not_whole_minutes"}),
            ({"shift_number": 2, "ends_at": NINE}, {"ends_at": "bad_times"}),
            ({"shift_number": 2, "ends_at": NINE + DAY + timedelta(minutes=1)}, {"ends_at": "bad_times"}),
            ({"shift_number": 2, "ends_at": NINE + DAY}, {}),
        ],
    )
    def test_contradictions_and_impossible_times_are_named(
        self, change: dict[str, Any], objection: dict[str, str]
    ) -> None:
        """By the column that is wrong."""
        found = judge_shift(SHIFT_ROW._replace(**change), listings={"L1": ("P1", "净滩")}, shifts={("L1", 1): SHIFT})
        assert found == ({0: objection} if objection else {})

    def test_a_sheet_must_agree_with_itself(self) -> None:
        """The first row says what the listing is."""
        rows = [SHIFT_ROW, SHIFT_ROW, SHIFT_ROW._replace(shift_number=2, title="种树"),
                SHIFT_ROW._replace(shift_number=3, partner_reference="P2")]  # fmt: skip
        assert judge_shift(*rows) == {
            1: {"shift_number": "repeated"},
            2: {"title": "differs_from_record"},
            3: {"partner_reference": "differs_from_record"},
        }
