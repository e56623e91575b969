from datetime import datetime, timedelta
from typing import Any

import pytest

from services.activities.imports import rules
from services.activities.imports.rules import AttendanceRow, KnownAttendance, KnownShift, ShiftRow, VolunteerRow
from tests.factories.activities import MINUTE, NINE, NOON, at

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)
EVENING = at(20)
SHIFT = KnownShift(NINE, NOON, 10)
SHIFT_ROW = ShiftRow("P1", "L1", "净滩", 1, NINE, NOON, 10)
ROW = AttendanceRow("L1", 1, "E1", NINE, NOON, "scanned")
KEY = (("L1", 1), "E1")


def told(objections: rules.Objections) -> dict[int, dict[str, str]]:
    return {place: {column: bad.code for column, bad in found.items()} for place, found in objections.items()}


def judge_shift(*rows: ShiftRow, **known: Any) -> dict[int, dict[str, str]]:
    facts: dict[str, Any] = {"partners": {"P1", "P2"}, "listings": {}, "shifts": {}} | known
    return told(rules.judge_shifts(rows, **facts))


def judge(*rows: AttendanceRow, now: datetime = EVENING, **known: Any) -> dict[int, dict[str, str]]:
    facts: dict[str, Any] = {"people": {"E1", "E2"}, "shifts": {("L1", 1): SHIFT}, "recorded": {}} | known
    return told(rules.judge_attendance(rows, now=now, **facts))


class TestVolunteers:
    def test_new_and_known_people_are_good(self) -> None:
        """A known one under the name that is known."""
        rows = [VolunteerRow("E1", "合成甲"), VolunteerRow("E2", "合成乙")]
        assert rules.judge_volunteers(rows, {"E1": "合成甲"}) == {}

    def test_a_person_stands_once_and_under_one_name(self) -> None:
        """The first of two rows is good."""
        rows = [VolunteerRow("E1", "合成乙"), VolunteerRow("E2", "合成乙"), VolunteerRow("E2", "合成乙")]
        assert told(rules.judge_volunteers(rows, {"E1": "合成甲"})) == {
            0: {"display_name": "differs_from_record"},
            2: {"employee_number": "repeated"},
        }


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


def test_rejected_rows_are_left_out_only_on_purpose() -> None:
    """And rows that are not good any more never get in."""
    rules.require_clean(0, skip_rejected=False)
    rules.require_clean(1, skip_rejected=True)
    with pytest.raises(rules.ImportHasRejects):
        rules.require_clean(1, skip_rejected=False)
    rules.require_current({})
    with pytest.raises(rules.ImportOutdated):
        rules.require_current({0: {}})
