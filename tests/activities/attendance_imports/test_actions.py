from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.attendance_imports import actions
from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.corrections import actions as corrections
from services.activities.listings.tables import Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.events.activities import EvidenceClass
from shared.seen import ANYTHING
from tests.activities.sheets import (
    FORMS,
    ROWS,
    attended,
    bring,
    brought,
    codes,
    commit,
    good,
    sheet,
    shown,
    stage,
    versions,
)
from tests.activities.told import emitted
from tests.factories.activities import (
    NINE,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_listing,
    make_shift,
)


class TestAttendance:
    @FORMS
    def test_who_came_is_recorded_and_settled_once(
        self, tx: Session, shift: Shift, ending: str, *, english: bool
    ) -> None:
        """Clipped to the shift; over its capacity if that is what happened; the same sheet again changes nothing."""
        content = sheet(ATTENDANCE, *ROWS, ending=ending, english=english)

        staged = stage(tx, ATTENDANCE, content, file_name=f"a.{ending}")
        assert (shown(staged), attended(tx)) == ((3, 0, 0, 0), {})
        first = commit(tx, staged)
        assert brought(first) == (3, 0, 0)

        expected = {
            "E1": ("settled", 1, 180, "scanned"),
            "E2": ("settled", 1, 110, "attested"),
            "E3": ("checked_in", 0, 0, None),
        }
        assert attended(tx) == expected
        facts = emitted(tx)
        assert [(fact.version, fact.service_minutes, fact.evidence) for fact in facts] == [
            (1, 180, EvidenceClass.SCANNED),
            (1, 110, EvidenceClass.ATTESTED),
        ]
        assert tx.scalars(select(AttendanceVersion.reason).distinct().where(
            AttendanceVersion.attendance_id.in_([fact.attendance_id for fact in facts])
        )).all() == [f"import {staged.id}"]  # fmt: skip
        tx.refresh(shift)
        assert (shift.state, shift.taken, shift.capacity) == ("held", 3, 1)
        assert set(tx.scalars(select(SignUp.source).where(SignUp.shift_id == shift.id))) == {"import"}

        again = commit(tx, stage(tx, ATTENDANCE, content, file_name=f"a.{ending}"))

        assert brought(again) == (0, 0, 3)
        assert (attended(tx), versions(tx), len(emitted(tx))) == (expected, 2, 2)

    def test_a_missing_check_out_is_completed_by_a_later_sheet(self, tx: Session, shift: Shift) -> None:
        """As version 1, of the same record; the earlier sheet then adds nothing."""
        assert bring(tx, ATTENDANCE, ROWS[2]) == (1, 0, 0)
        tx.refresh(shift)
        assert (shift.state, emitted(tx)) == ("running", [])

        assert bring(tx, ATTENDANCE, (*ROWS[2][:4], "2022-06-01 10:00", "补签")) == (0, 1, 0)

        assert attended(tx) == {"E3": ("settled", 1, 60, "claimed")}
        assert bring(tx, ATTENDANCE, ROWS[2]) == (0, 0, 1)
        assert len(emitted(tx)) == 1

    def test_a_scanned_arrival_is_completed_by_a_sheet_in_minutes(self, tx: Session, shift: Shift) -> None:
        """The scan stands to the second; the sheet again changes nothing."""
        people = select(Volunteer.id).where(Volunteer.programme_id == PROGRAMME, Volunteer.employee_number == "E3")
        record = make_attendance(tx, shift, volunteer_id=tx.scalars(people).one(), checked_in_at=at(9, 0, 12))
        row = (*ROWS[2][:4], "2022-06-01 10:00", "机构确认")

        assert bring(tx, ATTENDANCE, row) == (0, 1, 0)
        tx.refresh(record)
        assert bring(tx, ATTENDANCE, row) == (0, 0, 1)

        assert (record.checked_in_at, record.checked_out_at) == (at(9, 0, 12), at(10))
        assert attended(tx) == {"E3": ("settled", 1, 60, "attested")}
        assert len(emitted(tx)) == 1

    def test_overlaps_within_a_sheet_and_with_the_records_count_once(self, tx: Session, shift: Shift) -> None:
        """A neighbour already settled gets a new version."""
        make_shift(tx, listing=make_listing(tx, reference="L2"), starts_at=at(8), ends_at=at(11))
        make_shift(tx, listing=make_listing(tx, reference="L3"), starts_at=at(11), ends_at=at(13))
        bring(tx, ATTENDANCE, ROWS[0])

        done = bring(
            tx, ATTENDANCE,
            ("L2", 1, "E1", "2022-06-01 08:00", "2022-06-01 11:00", "扫码"),
            ("L3", 1, "E1", "2022-06-01 11:00", "2022-06-01 13:00", "扫码"),
        )  # fmt: skip

        assert done == (2, 0, 0)
        rows = tx.execute(
            select(Attendance.started_at, Attendance.service_minutes, Attendance.version)
            .where(Attendance.programme_id == PROGRAMME)
            .order_by(Attendance.started_at)
        )
        assert [tuple(row) for row in rows] == [(at(8), 180, 1), (NINE, 60, 2), (at(11), 60, 1)]
        assert sum(fact.service_minutes for fact in emitted(tx)[1:]) == 300
        assert shift.number == 1

    def test_what_one_person_did_is_settled_together(
        self, tx: Session, shift: Shift, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many lots a sheet is cut into: no attendance is revised by its own sheet."""
        monkeypatch.setattr(actions, "LOT", 1)
        make_shift(tx, listing=make_listing(tx, reference="L2"), starts_at=at(8), ends_at=at(11))
        done = bring(
            tx, ATTENDANCE, ROWS[0], ROWS[1],
            ("L2", 1, "E1", "2022-06-01 08:00", "2022-06-01 11:00", "扫码"),
        )  # fmt: skip
        assert (done, versions(tx), shift.number) == ((3, 0, 0), 3, 1)
        assert {fact.version for fact in emitted(tx)} == {1}

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({0: "L9"}, [("B2", "unknown")]),
            ({1: 9}, [("B2", "unknown")]),
            ({1: "eins"}, [("B2", "not_a_number")]),
            ({2: "E9"}, [("C2", "unknown")]),
            ({3: "2022-13-40 09:00"}, [("D2", "not_an_instant")]),
            ({3: 44713.375}, [("D2", "not_an_instant")]),
            ({3: "2022-06-01 08:29"}, [("D2", "outside_shift")]),
            ({3: "", 4: ""}, [("D2", "blank")]),
            ({4: "2022-06-01 08:55"}, [("E2", "bad_times")]),
            ({4: "2022-06-02 09:55"}, [("E2", "in_the_future")]),
            ({4: "2022-06-01 12:31"}, [("E2", "outside_shift")]),
            ({4: "=NOW()"}, [("E2", "formula")]),
            ({5: "照片"}, [("F2", "unknown_choice")]),
            ({5: ""}, [("F2", "blank")]),
        ],
    )
    @pytest.mark.parametrize("ending", ["csv", "xlsx"])
    def test_what_is_wrong_is_told_by_cell(
        self, tx: Session, shift: Shift, change: dict[int, object], found: list[tuple[str, str]], ending: str
    ) -> None:
        """Unknown people and shifts, dates that are none, 0 minutes and 25 hours, formulas."""
        row = tuple(change.get(place, cell) for place, cell in enumerate(ROWS[0]))
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, row, ending=ending), file_name=f"a.{ending}")
        assert (good(staged), codes(staged)) == (0, found)
        assert staged.reject_file is not None
        assert shift.state == "open"

    def test_a_day_and_an_hour_is_refused_when_it_is_over(self, tx: Session, shift: Shift) -> None:
        """Whenever the sheet is sent."""
        row = (*ROWS[0][:4], "2022-06-02 09:55", "扫码")
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, row), now=NINE + timedelta(days=9))
        assert (codes(staged), shift.state) == ([("E2", "bad_times")], "open")

    def test_a_person_stands_once_for_a_shift(self, tx: Session, shift: Shift) -> None:
        """The second of two rows is rejected, even if it says the same."""
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, ROWS[0], ROWS[1], ROWS[0]))
        assert (good(staged), codes(staged), shift.state) == (2, [("C4", "repeated")], "open")

    def test_what_was_corrected_is_not_taken_back(self, tx: Session, shift: Shift) -> None:
        """The old sheet contradicts the record and says so."""
        bring(tx, ATTENDANCE, ROWS[0])
        record = tx.scalars(select(Attendance).where(Attendance.shift_id == shift.id)).one()
        decision = corrections.Decision(PROGRAMME, record.id, ANYTHING, "更正", REVIEWER, at(20))
        corrections.correct(tx, decision, attendance.Presence(NINE, at(10), EvidenceClass.MANUAL))

        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, ROWS[0]))

        assert codes(staged) == [("D2", "differs_from_record")]
