import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.tables import Volunteer
from shared.imports.refusals import ImportOutdated
from tests.activities.sheets import (
    FORMS,
    PEOPLE,
    bring,
    brought,
    codes,
    commit,
    good,
    sheet,
    shown,
    stage,
)
from tests.factories.activities import (
    PROGRAMME,
    make_volunteer,
)


class TestVolunteers:
    @FORMS
    def test_people_are_registered_once(self, tx: Session, ending: str, *, english: bool) -> None:
        """Nothing happens before the commit; the same sheet again adds nobody."""
        content = sheet(VOLUNTEERS, *PEOPLE, ending=ending, english=english)
        people = select(Volunteer.employee_number, Volunteer.display_name).where(Volunteer.programme_id == PROGRAMME)

        staged = stage(tx, VOLUNTEERS, content, file_name=f"a.{ending}")
        assert (good(staged), staged.rejects, staged.errors, tx.execute(people).all()) == (2, 0, [], [])
        commit(tx, staged)
        again = commit(tx, stage(tx, VOLUNTEERS, content, file_name=f"a.{ending}"))

        assert brought(staged) == (2, 0, 0)
        assert brought(again) == (0, 0, 2)
        assert sorted(tuple(row) for row in tx.execute(people)) == sorted(PEOPLE)

    def test_repeats_are_rejected_by_cell_and_other_names_shown(self, tx: Session) -> None:
        """Row numbers are those of the file; a change is shown with what it replaces."""
        make_volunteer(tx, employee_number="E1", display_name="合成丁")
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *PEOPLE, ("E2", "合成乙"), ("", "小李"), ("=1+1", "x")))
        assert shown(staged) == (1, 1, 0, 3)
        assert codes(staged) == [("A4", "repeated"), ("A5", "blank"), ("A6", "formula")]
        assert staged.errors[0]["column"] == "员工编号"
        assert staged.errors[0]["row"] == 4
        assert staged.errors[0]["fix_zh"] != staged.errors[0]["fix_en"]
        assert staged.samples["update"] == [
            {"row": 2, "values": {"employee_number": "E1", "display_name": "合成甲"},
             "before": {"display_name": "合成丁"}},
        ]  # fmt: skip

    def test_another_name_replaces_the_registered_one(self, tx: Session) -> None:
        """The person stays who it is; the same sheet again changes nothing."""
        person = make_volunteer(tx, employee_number="E1", display_name="合成丁")
        other = make_volunteer(tx, employee_number="E3", display_name="合成丙")

        assert bring(tx, VOLUNTEERS, *PEOPLE) == (1, 1, 0)
        assert bring(tx, VOLUNTEERS, *PEOPLE) == (0, 0, 2)

        tx.expire_all()
        assert (person.display_name, other.display_name) == ("合成甲", "合成丙")

    def test_a_name_that_was_changed_since_the_preview_stops_it(self, tx: Session) -> None:
        """Somebody decided to replace another name than this; the new name itself is no trouble."""
        make_volunteer(tx, employee_number="E1", display_name="合成丁")
        staged = [stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *PEOPLE)) for _ in range(2)]
        bring(tx, VOLUNTEERS, ("E1", "合成戊"))
        with pytest.raises(ImportOutdated) as refused, tx.begin_nested():
            commit(tx, staged[0])
        assert refused.value.facts == {"rows": 1}

        bring(tx, VOLUNTEERS, PEOPLE[0])
        assert brought(commit(tx, staged[1])) == (1, 0, 1)
