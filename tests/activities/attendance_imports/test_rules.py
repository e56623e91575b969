from datetime import datetime, timedelta
from typing import Any

import pytest

from services.activities.attendance_imports.rules import AttendanceRow, Judge, KnownAttendance
from services.activities.shift_imports.rules import KnownShift
from shared.imports.judging import Effect
from tests.activities.sheets import told
from tests.factories.activities import MINUTE, NINE, NOON, at

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)
EVENING = at(20)
SHIFT = KnownShift(NINE, NOON, 10)
ROW = AttendanceRow("L1", 1, "E1", NINE, NOON, "scanned")
KEY = (("L1", 1), "E1")


def judge(*rows: AttendanceRow, now: datetime = EVENING, **known: Any) -> dict[int, dict[str, str]]:
    facts: dict[str, Any] = {"people": {"E1", "E2"}, "shifts": {("L1", 1): SHIFT}, "recorded": {}} | known
    return told(Judge(now=now, **facts).verdict(rows).objections)


@pytest.mark.parametrize(
    ("known", "row", "effect"),
    [
        (None, ROW, Effect.CREATE),
        (None, ROW._replace(checked_out_at=None), Effect.CREATE),
        (KnownAttendance(NINE, None, None, "checked_in"), ROW, Effect.UPDATE),
        (KnownAttendance(NINE, None, None, "checked_in"), ROW._replace(checked_out_at=None), Effect.SKIP),
        (KnownAttendance(NINE, NOON, "scanned", "settled"), ROW, Effect.SKIP),
        (KnownAttendance(NINE, NOON, "scanned", "settled"), ROW._replace(checked_out_at=None), Effect.SKIP),
    ],
)
def test_a_row_records_completes_or_repeats(known: KnownAttendance | None, row: AttendanceRow, effect: Effect) -> None:
    """Only a missing check-out is added to what is recorded."""
    verdict = Judge({"E1"}, {("L1", 1): SHIFT}, {KEY: known} if known else {}, EVENING).verdict([row])
    assert (verdict.objections, verdict.effects) == ({}, [effect])
    assert verdict.before == ({0: {"checked_out_at": ""}} if effect is Effect.UPDATE else {})


class TestAttendance:
    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"checked_out_at": None},
            {"checked_in_at": at(8, 30), "checked_out_at": at(12, 30)},
            {"checked_in_at": NOON - SECOND},
            {"checked_out_at": NINE + SECOND},
        ],
    )
    def test_what_touches_the_shift_is_good(self, change: dict[str, Any]) -> None:
        """What sticks out is clipped later; without a check-out nothing is settled yet."""
        assert judge(ROW._replace(**change)) == {}

    @pytest.mark.parametrize(
        ("change", "objection"),
        [
            ({"employee_number": "E9"}, {"employee_number": "unknown"}),
            ({"shift_number": 9}, {"shift_number": "unknown"}),
            ({"checked_in_at": at(8, 30) - SECOND}, {"checked_in_at": "outside_shift"}),
            ({"checked_in_at": NOON, "checked_out_at": None}, {"checked_in_at": "outside_shift"}),
            ({"checked_out_at": at(12, 30) + SECOND}, {"checked_out_at": "outside_shift"}),
            ({"checked_in_at": at(8, 40), "checked_out_at": NINE}, {"checked_out_at": "outside_shift"}),
            ({"checked_out_at": NINE}, {"checked_out_at": "bad_times"}),
            ({"checked_out_at": at(8, 59)}, {"checked_out_at": "bad_times"}),
            ({"checked_out_at": NINE + timedelta(hours=25)}, {"checked_out_at": "in_the_future"}),
        ],
    )
    def test_what_is_unknown_or_impossible_is_named(self, change: dict[str, Any], objection: dict[str, str]) -> None:
        """By the column that is wrong."""
        assert judge(ROW._replace(**change)) == {0: objection}

    def test_a_day_and_an_hour_is_not_a_presence(self) -> None:
        """A slip in the date, mostly."""
        found = judge(ROW._replace(checked_out_at=NINE + timedelta(hours=25)), now=NINE + 2 * DAY)
        assert found == {0: {"checked_out_at": "bad_times"}}

    @pytest.mark.parametrize(
        ("change", "column"), [({}, "checked_out_at"), ({"checked_out_at": None}, "checked_in_at")]
    )
    def test_nobody_has_been_there_yet(self, change: dict[str, Any], column: str) -> None:
        """Neither come nor gone; at that very instant they have."""
        row = ROW._replace(**change)
        last = row.checked_out_at or row.checked_in_at
        assert judge(row, now=last) == {}
        assert judge(row, now=last - SECOND) == {0: {column: "in_the_future"}}

    def test_a_cancelled_shift_had_nobody(self) -> None:
        """The row is to be deleted."""
        cancelled = KnownShift(NINE, NOON, 10, "cancelled")
        assert judge(ROW, shifts={("L1", 1): cancelled}) == {0: {"shift_number": "shift_cancelled"}}

    def test_a_person_stands_once_for_a_shift(self) -> None:
        """Two people on one shift are two rows."""
        assert judge(ROW, ROW._replace(employee_number="E2"), ROW) == {2: {"employee_number": "repeated"}}

    @pytest.mark.parametrize(
        ("known", "row", "agrees"),
        [
            (KnownAttendance(NINE, None, None, "checked_in"), ROW, True),
            (KnownAttendance(NINE, None, None, "checked_in"), ROW._replace(checked_out_at=None), True),
            (KnownAttendance(NINE + SECOND, None, None, "checked_in"), ROW, True),
            (KnownAttendance(NINE + MINUTE, None, None, "checked_in"), ROW, False),
            (KnownAttendance(NINE - SECOND, None, None, "checked_in"), ROW, False),
            (
                KnownAttendance(NINE + 2 * SECOND, None, None, "checked_in"),
                ROW._replace(checked_out_at=NINE + SECOND),
                False,
            ),
            (KnownAttendance(NINE, NOON, "scanned", "settled"), ROW, True),
            (KnownAttendance(NINE, NOON, "scanned", "settled"), ROW._replace(checked_out_at=None), True),
            (KnownAttendance(NINE + SECOND, NOON + SECOND, "scanned", "settled"), ROW, True),
            (KnownAttendance(NINE + SECOND, NOON, "scanned", "settled"), ROW._replace(checked_out_at=None), True),
            (KnownAttendance(NINE + MINUTE, NOON, "scanned", "settled"), ROW._replace(checked_out_at=None), False),
            (KnownAttendance(NINE, NOON - SECOND, "scanned", "settled"), ROW, False),
            (KnownAttendance(NINE, NOON, "manual", "settled"), ROW, False),
            (KnownAttendance(NINE, NOON, "scanned", "voided"), ROW, False),
            (KnownAttendance(NINE, NOON, "scanned", "voided"), ROW._replace(checked_out_at=None), False),
        ],
    )
    def test_what_is_recorded_is_repeated_or_completed_never_overwritten(
        self, known: KnownAttendance, row: AttendanceRow, *, agrees: bool
    ) -> None:
        """A correction does that. A scan has seconds, a sheet has minutes: what counts is the minute."""
        found = judge(row, recorded={KEY: known})
        assert found == ({} if agrees else {0: {"checked_in_at": "differs_from_record"}})
