import pytest
from sqlalchemy.orm import Session

from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.listings.tables import Shift
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from shared.documents.refusals import EmptySheet, NotASheet, WrongHeaders
from shared.errors import Refusal
from shared.zones import UnknownTimezone
from tests.activities.sheets import (
    PEOPLE,
    ROWS,
    codes,
    sheet,
    stage,
    table,
)


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
            stage(tx, VOLUNTEERS, content, file_name=name)

    def test_the_wrong_template_is_recognised(self, tx: Session) -> None:
        """The headings that are missing are listed."""
        with pytest.raises(WrongHeaders) as refused:
            stage(tx, ATTENDANCE, sheet(VOLUNTEERS, *PEOPLE))
        assert "显示名" in str(refused.value.facts["unknown"])
        assert "签到时间" in str(refused.value.facts["missing"])

    def test_an_unknown_time_zone_is_refused_whole(self, tx: Session) -> None:
        """Every time in the sheet would be wrong."""
        with pytest.raises(UnknownTimezone):
            stage(tx, ATTENDANCE, sheet(ATTENDANCE, *ROWS), timezone="America")

    def test_a_time_that_the_clocks_skip_or_repeat_needs_its_offset(self, tx: Session, shift: Shift) -> None:
        """Nothing is guessed when New York changes its clocks."""
        rows = [("L1", 1, "E1", f"2022-11-06 {hour}", "", "扫码") for hour in ("01:30", "01:30-05:00")]
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, *rows), timezone="America/New_York")
        assert codes(staged)[0] == ("D2", "ambiguous_local_time")
        assert codes(staged)[1] == ("D3", "in_the_future")
        assert shift.state == "open"

    def test_a_long_file_name_keeps_its_ending(self, tx: Session) -> None:
        """The reject file is of the same kind."""
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("", "合成甲")), file_name=f"{'名' * 300}.csv")
        assert staged.file_name is not None
        assert len(staged.file_name) == 200
        assert staged.file_name.endswith(".csv")

    def test_the_first_errors_are_shown_and_the_file_has_all(self, tx: Session) -> None:
        """A sheet of nonsense stays readable."""
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *[("", "合成甲")] * 250))
        assert (staged.rejects, len(staged.errors)) == (250, 200)
        assert staged.reject_file is not None
        assert len(staged.reject_file.decode("utf-8-sig").splitlines()) == 251
