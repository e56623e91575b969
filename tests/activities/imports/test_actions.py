from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.attendance import actions as attendance
from services.activities.attendance.tables import Attendance, AttendanceVersion
from services.activities.imports import queries, rules
from services.activities.imports.rules import Kind
from services.activities.listings.actions import cancel_shift
from services.activities.listings.rules import UnknownTimezone
from services.activities.listings.tables import Listing, Shift
from services.activities.sign_ups.tables import SignUp
from services.activities.volunteers.tables import Volunteer
from shared.documents.refusals import EmptySheet, NotASheet, WrongHeaders
from shared.errors import NotFound, Refusal
from shared.events.activities import EvidenceClass
from shared.seen import ANYTHING, Seen
from tests.activities.imports.sheets import bring, codes, commit, mend, sheet, stage, table
from tests.activities.told import emitted
from tests.factories.activities import (
    FIRST_OF_JUNE,
    NINE,
    NOON,
    PROGRAMME,
    REVIEWER,
    at,
    make_attendance,
    make_listing,
    make_partner,
    make_settled,
    make_shift,
    make_volunteer,
)

FORMS = pytest.mark.parametrize(("ending", "english"), [("csv", False), ("csv", True), ("xlsx", False), ("xlsx", True)])
PEOPLE = (("E1", "合成甲"), ("E2", "合成乙"))
SHIFTS = (
    ("P1", "L1", "净滩", 1, "2022-06-01 09:00", "2022-06-01 12:00", 10),
    ("P1", "L1", "净滩", 2, "2022/6/2 9:00", "2022-06-02T12:00+08:00", 20),
    ("P1", "L2", "种树", 1, "2022-06-01 23:00", "2022-06-02 01:00", 10),
)
ROWS = (
    ("L1", 1, "E1", "2022-06-01 08:55", "2022-06-01 12:05", "扫码"),
    ("L1", 1, "E2", "2022-06-01 09:10", "2022-06-01 11:00:30", "attested"),
    ("L1", 1, "E3", "2022-06-01 09:00", "", "补签"),
)


@pytest.fixture
def shift(tx: Session) -> Shift:
    """Publish the shift L1/1 and register E1 to E3."""
    for number in ("E1", "E2", "E3"):
        make_volunteer(tx, employee_number=number)
    return make_shift(tx, listing=make_listing(tx, reference="L1"), capacity=1)


def attended(tx: Session) -> dict[str, tuple[str, int, int, str | None]]:
    """Read who attended: state, version, minutes, evidence."""
    rows = select(Attendance, Volunteer.employee_number).join(Volunteer, Attendance.volunteer_id == Volunteer.id)
    rows = rows.where(Attendance.programme_id == PROGRAMME).execution_options(populate_existing=True)
    return {number: (row.state, row.version, row.service_minutes, row.evidence) for row, number in tx.execute(rows)}


def versions(tx: Session) -> int:
    rows = select(func.count()).select_from(AttendanceVersion).join(
        Attendance, AttendanceVersion.attendance_id == Attendance.id
    )  # fmt: skip
    return tx.scalars(rows.where(Attendance.programme_id == PROGRAMME)).one()


class TestVolunteers:
    @FORMS
    def test_people_are_registered_once(self, tx: Session, ending: str, *, english: bool) -> None:
        """Nothing happens before the commit; the same sheet again adds nobody."""
        content = sheet(Kind.VOLUNTEERS, *PEOPLE, ending=ending, english=english)
        people = select(Volunteer.employee_number, Volunteer.display_name).where(Volunteer.programme_id == PROGRAMME)

        staged = stage(tx, Kind.VOLUNTEERS, content, file_name=f"a.{ending}")
        assert (staged.good, staged.rejected, staged.errors, tx.execute(people).all()) == (2, 0, [], [])
        commit(tx, staged)
        again = commit(tx, stage(tx, Kind.VOLUNTEERS, content, file_name=f"a.{ending}"))

        assert (staged.added, staged.unchanged) == (2, 0)
        assert (again.added, again.unchanged) == (0, 2)
        assert sorted(tuple(row) for row in tx.execute(people)) == sorted(PEOPLE)

    def test_repeats_and_other_names_are_rejected_by_cell(self, tx: Session) -> None:
        """Row numbers are those of the file."""
        make_volunteer(tx, employee_number="E1", display_name="合成丁")
        staged = stage(
            tx, Kind.VOLUNTEERS, sheet(Kind.VOLUNTEERS, *PEOPLE, ("E2", "合成乙"), ("", "小李"), ("=1+1", "x"))
        )
        assert (staged.good, staged.rejected) == (1, 4)
        assert codes(staged) == [
            ("B2", "differs_from_record"), ("A4", "repeated"), ("A5", "blank"), ("A6", "formula"),
        ]  # fmt: skip
        assert staged.errors[0]["column"] == "显示名"
        assert staged.errors[0]["fix_zh"] != staged.errors[0]["fix_en"]


class TestShifts:
    @FORMS
    def test_activities_are_published_once(self, tx: Session, ending: str, *, english: bool) -> None:
        """With local dates; the same sheet again publishes nothing."""
        partner = make_partner(tx, reference="P1")
        content = sheet(Kind.SHIFTS, *SHIFTS, ending=ending, english=english)

        first = commit(tx, stage(tx, Kind.SHIFTS, content, file_name=f"a.{ending}"))
        again = commit(tx, stage(tx, Kind.SHIFTS, content, file_name=f"a.{ending}"))

        assert (first.added, first.unchanged, again.added, again.unchanged) == (3, 0, 0, 3)
        rows = tx.execute(
            select(Listing.reference, Listing.title, Shift.number, Shift.service_on, Shift.capacity)
            .join(Shift, Shift.listing_id == Listing.id)
            .where(Listing.partner_id == partner.id)
            .order_by(Listing.reference, Shift.number)
        )
        assert [tuple(row) for row in rows] == [
            ("L1", "净滩", 1, FIRST_OF_JUNE, 10),
            ("L1", "净滩", 2, date(2022, 6, 2), 20),
            ("L2", "种树", 1, FIRST_OF_JUNE, 10),
        ]

    def test_a_listing_grows_by_a_later_sheet(self, tx: Session) -> None:
        """In its own time zone, whatever zone the sheet's times are in."""
        make_partner(tx, reference="P1")
        bring(tx, Kind.SHIFTS, SHIFTS[0])
        late = ("P1", "L1", "净滩", 2, "2022-06-01 16:00", "2022-06-01 18:00", 10)

        staged = stage(tx, Kind.SHIFTS, sheet(Kind.SHIFTS, late), timezone="UTC")

        assert commit(tx, staged).added == 1
        rows = tx.execute(
            select(Listing.timezone, Shift.starts_at, Shift.service_on)
            .join(Shift, Shift.listing_id == Listing.id)
            .where(Listing.programme_id == PROGRAMME, Shift.number == 2)
        )
        assert [tuple(row) for row in rows] == [("Asia/Shanghai", at(24), date(2022, 6, 2))]

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({0: "P9"}, [("A2", "unknown")]),
            ({3: "eins"}, [("D2", "not_a_number")]),
            ({3: "1.5"}, [("D2", "not_whole")]),
            ({3: 0}, [("D2", "out_of_range")]),
            ({4: "2022-13-40 09:00"}, [("E2", "not_an_instant")]),
            ({4: "2022-06-01"}, [("E2", "not_an_instant")]),
            ({4: "2022-06-01 09:00:30"}, [("E2", "not_whole_minutes")]),
            ({5: "2022-06-01 09:00"}, [("F2", "bad_times")]),
            ({5: "2022-06-02 10:00"}, [("F2", "bad_times")]),
            ({6: "=10"}, [("G2", "formula")]),
            ({0: "P9", 2: "", 6: ""}, [("C2", "blank"), ("G2", "blank")]),
        ],
    )
    def test_what_is_wrong_is_told_by_cell(
        self, tx: Session, change: dict[int, object], found: list[tuple[str, str]]
    ) -> None:
        """Cells are read first, then compared with what is known."""
        make_partner(tx, reference="P1")
        row = tuple(change.get(place, cell) for place, cell in enumerate(SHIFTS[0]))
        staged = stage(tx, Kind.SHIFTS, sheet(Kind.SHIFTS, row))
        assert (staged.good, codes(staged)) == (0, found)


class TestAttendance:
    @FORMS
    def test_who_came_is_recorded_and_settled_once(
        self, tx: Session, shift: Shift, ending: str, *, english: bool
    ) -> None:
        """Clipped to the shift; over its capacity if that is what happened; the same sheet again changes nothing."""
        content = sheet(Kind.ATTENDANCE, *ROWS, ending=ending, english=english)

        staged = stage(tx, Kind.ATTENDANCE, content, file_name=f"a.{ending}")
        assert (staged.good, staged.rejected, attended(tx)) == (3, 0, {})
        first = commit(tx, staged)
        assert (first.added, first.unchanged) == (3, 0)

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

        again = commit(tx, stage(tx, Kind.ATTENDANCE, content, file_name=f"a.{ending}"))

        assert (again.added, again.unchanged) == (0, 3)
        assert (attended(tx), versions(tx), len(emitted(tx))) == (expected, 2, 2)

    def test_a_missing_check_out_is_completed_by_a_later_sheet(self, tx: Session, shift: Shift) -> None:
        """As version 1, of the same record; the earlier sheet then adds nothing."""
        assert bring(tx, Kind.ATTENDANCE, ROWS[2]) == (1, 0)
        tx.refresh(shift)
        assert (shift.state, emitted(tx)) == ("running", [])

        assert bring(tx, Kind.ATTENDANCE, (*ROWS[2][:4], "2022-06-01 10:00", "补签")) == (1, 0)

        assert attended(tx) == {"E3": ("settled", 1, 60, "claimed")}
        assert bring(tx, Kind.ATTENDANCE, ROWS[2]) == (0, 1)
        assert len(emitted(tx)) == 1

    def test_a_scanned_arrival_is_completed_by_a_sheet_in_minutes(self, tx: Session, shift: Shift) -> None:
        """The scan stands to the second; the sheet again changes nothing."""
        people = select(Volunteer.id).where(Volunteer.programme_id == PROGRAMME, Volunteer.employee_number == "E3")
        record = make_attendance(tx, shift, volunteer_id=tx.scalars(people).one(), checked_in_at=at(9, 0, 12))
        row = (*ROWS[2][:4], "2022-06-01 10:00", "机构确认")

        assert bring(tx, Kind.ATTENDANCE, row) == (1, 0)
        tx.refresh(record)
        assert bring(tx, Kind.ATTENDANCE, row) == (0, 1)

        assert (record.checked_in_at, record.checked_out_at) == (at(9, 0, 12), at(10))
        assert attended(tx) == {"E3": ("settled", 1, 60, "attested")}
        assert len(emitted(tx)) == 1

    def test_overlaps_within_a_sheet_and_with_the_records_count_once(self, tx: Session, shift: Shift) -> None:
        """A neighbour already settled gets a new version."""
        make_shift(tx, listing=make_listing(tx, reference="L2"), starts_at=at(8), ends_at=at(11))
        make_shift(tx, listing=make_listing(tx, reference="L3"), starts_at=at(11), ends_at=at(13))
        bring(tx, Kind.ATTENDANCE, ROWS[0])

        done = bring(
            tx, Kind.ATTENDANCE,
            ("L2", 1, "E1", "2022-06-01 08:00", "2022-06-01 11:00", "扫码"),
            ("L3", 1, "E1", "2022-06-01 11:00", "2022-06-01 13:00", "扫码"),
        )  # fmt: skip

        assert done == (2, 0)
        rows = tx.execute(
            select(Attendance.started_at, Attendance.service_minutes, Attendance.version)
            .where(Attendance.programme_id == PROGRAMME)
            .order_by(Attendance.started_at)
        )
        assert [tuple(row) for row in rows] == [(at(8), 180, 1), (NINE, 60, 2), (at(11), 60, 1)]
        assert sum(fact.service_minutes for fact in emitted(tx)[1:]) == 300
        assert shift.number == 1

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
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, row, ending=ending), file_name=f"a.{ending}")
        assert (staged.good, codes(staged)) == (0, found)
        assert staged.reject_file is not None
        assert shift.state == "open"

    def test_a_day_and_an_hour_is_refused_when_it_is_over(self, tx: Session, shift: Shift) -> None:
        """Whenever the sheet is sent."""
        row = (*ROWS[0][:4], "2022-06-02 09:55", "扫码")
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, row), now=NINE + timedelta(days=9))
        assert (codes(staged), shift.state) == ([("E2", "bad_times")], "open")

    def test_a_person_stands_once_for_a_shift(self, tx: Session, shift: Shift) -> None:
        """The second of two rows is rejected, even if it says the same."""
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, ROWS[0], ROWS[1], ROWS[0]))
        assert (staged.good, codes(staged), shift.state) == (2, [("C4", "repeated")], "open")

    def test_what_was_corrected_is_not_taken_back(self, tx: Session, shift: Shift) -> None:
        """The old sheet contradicts the record and says so."""
        bring(tx, Kind.ATTENDANCE, ROWS[0])
        record = tx.scalars(select(Attendance).where(Attendance.shift_id == shift.id)).one()
        decision = attendance.Decision(PROGRAMME, record.id, Seen(tags=("1",)), "更正", REVIEWER, at(20))
        attendance.correct(tx, decision, attendance.Presence(NINE, at(10), EvidenceClass.MANUAL))

        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, ROWS[0]))

        assert codes(staged) == [("D2", "differs_from_record")]


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content", "refusal"),
        [
            ("a.csv", table(("员工编号", "名字")), WrongHeaders),
            ("a.csv", table(("员工编号",), ("E1",)), WrongHeaders),
            ("a.xlsx", table(("显示名", "显示名", "员工编号"), ending="xlsx"), WrongHeaders),
            ("a.csv", table(("员工编号", "显示名")), EmptySheet),
            ("a.csv", b"", EmptySheet),
            ("a.xlsx", b"not a workbook", NotASheet),
            ("a.xlsx", table(("员工编号", "显示名"), ("E1", "x")), NotASheet),
            ("a.csv", table(("员工编号", "显示名"), ("E1", "x"), ending="xlsx"), NotASheet),
            ("a.pdf", b"%PDF-1.7", NotASheet),
            ("", b"", NotASheet),
        ],
    )
    def test_a_file_that_is_no_sheet_is_refused_whole(
        self, tx: Session, name: str, content: bytes, refusal: type[Refusal]
    ) -> None:
        """With wrong headings, nothing in it, or something else under its name."""
        with pytest.raises(refusal):
            stage(tx, Kind.VOLUNTEERS, content, file_name=name)

    def test_the_wrong_template_is_recognised(self, tx: Session) -> None:
        """The headings that are missing are listed."""
        with pytest.raises(WrongHeaders) as refused:
            stage(tx, Kind.ATTENDANCE, sheet(Kind.VOLUNTEERS, *PEOPLE))
        assert refused.value.facts["unknown"] == ["显示名"]
        assert "签到时间" in str(refused.value.facts["missing"])

    def test_an_unknown_time_zone_is_refused_whole(self, tx: Session) -> None:
        """Every time in the sheet would be wrong."""
        with pytest.raises(UnknownTimezone):
            stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, *ROWS), timezone="America")

    def test_a_time_that_the_clocks_skip_or_repeat_needs_its_offset(self, tx: Session, shift: Shift) -> None:
        """Nothing is guessed when New York changes its clocks."""
        rows = [("L1", 1, "E1", f"2022-11-06 {hour}", "", "扫码") for hour in ("01:30", "01:30-05:00")]
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, *rows), timezone="America/New_York")
        assert codes(staged)[0] == ("D2", "ambiguous_local_time")
        assert codes(staged)[1] == ("D3", "in_the_future")
        assert shift.state == "open"

    def test_a_long_file_name_keeps_its_ending(self, tx: Session) -> None:
        """The reject file is of the same kind."""
        staged = stage(tx, Kind.VOLUNTEERS, sheet(Kind.VOLUNTEERS, ("", "合成甲")), file_name=f"{'名' * 300}.csv")
        assert len(staged.file_name) == 200
        assert staged.file_name.endswith(".csv")

    def test_the_first_errors_are_shown_and_the_file_has_all(self, tx: Session) -> None:
        """A sheet of nonsense stays readable."""
        staged = stage(tx, Kind.VOLUNTEERS, sheet(Kind.VOLUNTEERS, *[("", "合成甲")] * 250))
        assert (staged.rejected, len(staged.errors)) == (250, 200)
        assert staged.reject_file is not None
        assert len(staged.reject_file.decode("utf-8-sig").splitlines()) == 251


class TestCommit:
    def test_rejected_rows_stop_it_unless_skipped(self, tx: Session, shift: Shift) -> None:
        """Then the good ones get in, and only they."""
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, ROWS[0], ("L1", 1, "E9", *ROWS[0][3:])))
        with pytest.raises(rules.ImportHasRejects) as refused:
            commit(tx, staged)
        assert (refused.value.facts, attended(tx), shift.state) == ({"rejected": 1}, {}, "open")

        done = commit(tx, staged, skip_rejected=True)

        assert (done.added, done.unchanged, done.rejected) == (1, 0, 1)
        assert set(attended(tx)) == {"E1"}

    @pytest.mark.parametrize("ending", ["csv", "xlsx"])
    def test_the_reject_file_mended_completes_the_rest(self, tx: Session, shift: Shift, ending: str) -> None:
        """It is sent in as it is, errors column and all; rows brought in before stay as they are."""
        wrong = ("L1", 1, "E2", "2022-06-01 07:00", "2022-06-01 11:00", "扫码")
        content = sheet(Kind.ATTENDANCE, ROWS[0], wrong, ending=ending)
        staged = stage(tx, Kind.ATTENDANCE, content, file_name=f"a.{ending}")
        commit(tx, staged, skip_rejected=True)
        rejects = queries.get_import(tx, programme_id=PROGRAMME, import_id=staged.id).reject_file or b""

        unmended = stage(tx, Kind.ATTENDANCE, rejects, file_name=f"b.{ending}")
        assert (unmended.good, codes(unmended)) == (0, [("D2", "outside_shift")])
        mended = stage(tx, Kind.ATTENDANCE, mend(rejects, "07:00", "09:30"), file_name=f"b.{ending}")

        assert (mended.good, mended.rejected) == (1, 0)
        assert commit(tx, mended).added == 1
        assert attended(tx) == {"E1": ("settled", 1, 180, "scanned"), "E2": ("settled", 1, 90, "scanned")}
        assert shift.capacity == 1

    def test_twice_is_once(self, tx: Session, shift: Shift) -> None:
        """The second answer is the first."""
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, *ROWS))
        first = commit(tx, staged)
        committed_at = first.committed_at

        again = commit(tx, staged)

        assert (again.added, again.unchanged, again.committed_at) == (3, 0, committed_at)
        assert (versions(tx), len(emitted(tx)), shift.id) == (2, 2, shift.id)

    def test_a_sheet_of_another_programme_is_unknown(self, tx: Session) -> None:
        """As is one that nobody sent."""
        staged = stage(tx, Kind.VOLUNTEERS, sheet(Kind.VOLUNTEERS, *PEOPLE))
        for programme_id, import_id in ((uuid4(), staged.id), (PROGRAMME, uuid4())):
            with pytest.raises(NotFound):
                queries.get_import(tx, programme_id=programme_id, import_id=import_id)
            with pytest.raises(NotFound):
                queries.lock_import(tx, programme_id=programme_id, import_id=import_id)

    def test_people_who_changed_meanwhile_stop_it(self, tx: Session) -> None:
        """Nobody of the sheet is registered."""
        staged = stage(tx, Kind.VOLUNTEERS, sheet(Kind.VOLUNTEERS, *PEOPLE))
        make_volunteer(tx, employee_number="E1", display_name="合成丁")
        with pytest.raises(rules.ImportOutdated) as refused, tx.begin_nested():
            commit(tx, staged)
        assert refused.value.facts == {"rows": 1}
        assert tx.scalars(select(Volunteer.employee_number).where(Volunteer.programme_id == PROGRAMME)).all() == ["E1"]

    def test_a_shift_published_otherwise_meanwhile_stops_it(self, tx: Session) -> None:
        """No other shift of the sheet appears."""
        make_partner(tx, reference="P1")
        staged = stage(tx, Kind.SHIFTS, sheet(Kind.SHIFTS, *SHIFTS))
        make_listing(tx, reference="L2", title="种花")
        with pytest.raises(rules.ImportOutdated):
            commit(tx, staged)
        assert tx.scalars(select(Shift.id).where(Shift.programme_id == PROGRAMME)).all() == []

    def test_a_shift_cancelled_meanwhile_stops_it(self, tx: Session, shift: Shift) -> None:
        """Nobody is recorded, nothing told."""
        staged = stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, *ROWS))
        cancel_shift(tx, programme_id=PROGRAMME, shift_id=shift.id, because="台风", partner_id=None, seen=ANYTHING)
        with pytest.raises(rules.ImportOutdated):
            commit(tx, staged)
        assert (attended(tx), emitted(tx), shift.taken) == ({}, [], 0)

    def test_what_was_recorded_meanwhile_stops_it_or_is_repeated(self, tx: Session, shift: Shift) -> None:
        """A different arrival contradicts the sheet; the same one does not."""
        people = {row.employee_number: row.id for row in tx.scalars(
            select(Volunteer).where(Volunteer.programme_id == PROGRAMME))}  # fmt: skip
        staged = [stage(tx, Kind.ATTENDANCE, sheet(Kind.ATTENDANCE, row)) for row in (ROWS[0], ROWS[2])]
        make_attendance(tx, shift, volunteer_id=people["E1"], checked_in_at=at(8, 56))
        make_settled(tx, shift, volunteer_id=people["E3"], came=NINE, left=NOON)

        with pytest.raises(rules.ImportOutdated):
            commit(tx, staged[0])
        done = commit(tx, staged[1])

        assert (done.added, done.unchanged) == (0, 1)
        assert attended(tx)["E1"] == ("checked_in", 0, 0, None)
        assert len(emitted(tx)) == 1
