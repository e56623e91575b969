from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.attendance_imports.jobs import ATTENDANCE
from services.activities.listings.tables import Shift
from services.activities.shift_imports.jobs import SHIFTS
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.tables import Volunteer
from shared.errors import NotFound
from shared.imports import queries
from shared.imports.refusals import ImportHasRejects, ImportOutdated
from tests.activities.calling_off import call_off
from tests.activities.sheets import (
    PEOPLE,
    ROWS,
    SHIFT_ROWS,
    attended,
    brought,
    codes,
    commit,
    good,
    mend,
    scope,
    sheet,
    stage,
    versions,
)
from tests.activities.told import emitted
from tests.factories.activities import (
    NINE,
    NOON,
    PROGRAMME,
    at,
    make_attendance,
    make_listing,
    make_partner,
    make_settled,
    make_volunteer,
)


class TestCommit:
    def test_rejected_rows_stop_it_unless_skipped(self, tx: Session, shift: Shift) -> None:
        """Then the good ones get in, and only they."""
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, ROWS[0], ("L1", 1, "E9", *ROWS[0][3:])))
        with pytest.raises(ImportHasRejects) as refused:
            commit(tx, staged)
        assert (refused.value.facts, attended(tx), shift.state) == ({"rejected": 1}, {}, "open")

        done = commit(tx, staged, skip_rejected=True)

        assert (brought(done), done.rejects) == ((1, 0, 0), 1)
        assert set(attended(tx)) == {"E1"}

    @pytest.mark.parametrize("ending", ["csv", "xlsx"])
    def test_the_reject_file_mended_completes_the_rest(self, tx: Session, shift: Shift, ending: str) -> None:
        """It is sent in as it is, errors column and all; rows brought in before stay as they are."""
        wrong = ("L1", 1, "E2", "2022-06-01 07:00", "2022-06-01 11:00", "扫码")
        content = sheet(ATTENDANCE, ROWS[0], wrong, ending=ending)
        staged = stage(tx, ATTENDANCE, content, file_name=f"a.{ending}")
        commit(tx, staged, skip_rejected=True)
        _, rejects = queries.get_rejects(tx, scope(), staged.id)

        unmended = stage(tx, ATTENDANCE, rejects, file_name=f"b.{ending}")
        assert (good(unmended), codes(unmended)) == (0, [("D2", "outside_shift")])
        mended = stage(tx, ATTENDANCE, mend(rejects, "07:00", "09:30"), file_name=f"b.{ending}")

        assert (good(mended), mended.rejects) == (1, 0)
        assert brought(commit(tx, mended)) == (1, 0, 0)
        assert attended(tx) == {"E1": ("settled", 1, 180, "scanned"), "E2": ("settled", 1, 90, "scanned")}
        assert shift.capacity == 1

    def test_twice_is_once(self, tx: Session, shift: Shift) -> None:
        """The second answer is the first."""
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, *ROWS))
        first = commit(tx, staged)
        committed_at = first.committed_at

        again = commit(tx, staged)

        assert (brought(again), again.committed_at) == ((3, 0, 0), committed_at)
        assert (versions(tx), len(emitted(tx)), shift.id) == (2, 2, shift.id)

    def test_a_sheet_of_another_programme_is_unknown(self, tx: Session) -> None:
        """As is one that nobody sent."""
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *PEOPLE))
        for programme_id, import_id in ((uuid4(), staged.id), (PROGRAMME, uuid4())):
            with pytest.raises(NotFound):
                queries.get_standing(tx, scope(programme_id), import_id)
            with pytest.raises(NotFound):
                queries.lock_import(tx, scope(programme_id), import_id)

    def test_people_who_changed_meanwhile_stop_it(self, tx: Session) -> None:
        """Nobody of the sheet is registered."""
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *PEOPLE))
        make_volunteer(tx, employee_number="E1", display_name="合成丁")
        with pytest.raises(ImportOutdated) as refused, tx.begin_nested():
            commit(tx, staged)
        assert refused.value.facts == {"rows": 1}
        assert tx.scalars(select(Volunteer.employee_number).where(Volunteer.programme_id == PROGRAMME)).all() == ["E1"]

    def test_a_shift_published_otherwise_meanwhile_stops_it(self, tx: Session) -> None:
        """No other shift of the sheet appears."""
        make_partner(tx, reference="P1")
        staged = stage(tx, SHIFTS, sheet(SHIFTS, *SHIFT_ROWS))
        make_listing(tx, reference="L2", title="种花")
        with pytest.raises(ImportOutdated):
            commit(tx, staged)
        assert tx.scalars(select(Shift.id).where(Shift.programme_id == PROGRAMME)).all() == []

    def test_a_shift_cancelled_meanwhile_stops_it(self, tx: Session, shift: Shift) -> None:
        """Nobody is recorded, nothing told."""
        staged = stage(tx, ATTENDANCE, sheet(ATTENDANCE, *ROWS))
        call_off(tx, shift.id)
        with pytest.raises(ImportOutdated):
            commit(tx, staged)
        assert (attended(tx), emitted(tx), shift.taken) == ({}, [], 0)

    def test_what_was_recorded_meanwhile_stops_it_or_is_repeated(self, tx: Session, shift: Shift) -> None:
        """A different arrival contradicts the sheet; the same one does not."""
        people = {row.employee_number: row.id for row in tx.scalars(
            select(Volunteer).where(Volunteer.programme_id == PROGRAMME))}  # fmt: skip
        staged = [stage(tx, ATTENDANCE, sheet(ATTENDANCE, row)) for row in (ROWS[0], ROWS[2])]
        make_attendance(tx, shift, volunteer_id=people["E1"], checked_in_at=at(8, 56))
        make_settled(tx, shift, volunteer_id=people["E3"], came=NINE, left=NOON)

        with pytest.raises(ImportOutdated):
            commit(tx, staged[0])
        done = commit(tx, staged[1])

        assert brought(done) == (0, 0, 1)
        assert attended(tx)["E1"] == ("checked_in", 0, 0, None)
        assert len(emitted(tx)) == 1
