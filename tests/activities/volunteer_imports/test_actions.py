from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.activities.eligibility.queries import find_intervals
from services.activities.eligibility.rules import Interval
from services.activities.profiles.queries import profile_of
from services.activities.volunteer_imports.jobs import VOLUNTEERS
from services.activities.volunteers.queries import find_by_number
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
    table,
)
from tests.factories.activities import (
    PROGRAMME,
    make_skill,
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
        [sample] = staged.samples["update"]
        assert (sample["row"], sample["before"]) == (2, {"display_name": "合成丁"})
        said = {column: value for column, value in sample["values"].items() if value is not None}
        assert said == {"employee_number": "E1", "display_name": "合成甲"}

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


FULL = (
    ("E1", "合成甲", "研发部", "上海", "reading，juggling", "zh en", "2020-01-01", ""),
    ("E2", "合成乙", "", "", "", "", "", "2022/7/1"),
)


class TestMore:
    """Department, city, skills, languages, and when somebody is employed."""

    @pytest.fixture(autouse=True)
    def _catalogue(self, tx: Session) -> None:
        for code in ("reading", "juggling"):
            make_skill(tx, code=code)

    def known(self, tx: Session, number: str) -> tuple[Any, ...]:
        person = find_by_number(tx, programme_id=PROGRAMME, numbers=[number])[number]
        row = profile_of(tx, person)
        intervals = find_intervals(tx, [person.id]).get(person.id, [])
        return row.version, row.department, row.city, row.skills, row.languages, intervals

    @FORMS
    def test_people_are_registered_with_all_of_it_once(self, tx: Session, ending: str, *, english: bool) -> None:
        """The same sheet again changes nothing, nor does one of numbers and names alone."""
        content = sheet(VOLUNTEERS, *FULL, ending=ending, english=english)
        staged = stage(tx, VOLUNTEERS, content, file_name=f"a.{ending}")
        assert (good(staged), staged.errors) == (2, [])
        assert brought(commit(tx, staged)) == (2, 0, 0)

        for again in (content, table(("员工编号", "显示名"), *PEOPLE, ending=ending)):
            assert brought(commit(tx, stage(tx, VOLUNTEERS, again, file_name=f"a.{ending}"))) == (0, 0, 2)

        since, until = date(2020, 1, 1), date(2022, 7, 1)
        skills, languages = ["juggling", "reading"], ["en", "zh"]
        assert self.known(tx, "E1") == (1, "研发部", "上海", skills, languages, [Interval(since, None)])
        assert self.known(tx, "E2") == (0, None, None, [], [], [Interval(None, until)])

    def test_what_is_said_otherwise_changes_and_the_rest_stays(self, tx: Session) -> None:
        """Somebody moved, somebody left; the preview says what is replaced."""
        bring(tx, VOLUNTEERS, *FULL)
        moved = ("E1", "合成甲", "", "北京", "", "", "2020-01-01", "2022-06-15")
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, moved, FULL[1]))
        assert shown(staged) == (0, 1, 1, 0)
        assert staged.samples["update"][0]["before"] == {
            "city": "上海", "employed_from": "2020-01-01", "employed_until": "",
        }  # fmt: skip

        assert brought(commit(tx, staged)) == (0, 1, 1)

        ended = Interval(date(2020, 1, 1), date(2022, 6, 15))
        assert self.known(tx, "E1") == (2, "研发部", "北京", ["juggling", "reading"], ["en", "zh"], [ended])

    def test_what_is_wrong_is_named_by_cell(self, tx: Session) -> None:
        """And nothing of the row is brought in."""
        rows = (
            ("E1", "合成甲", "部" * 81, "", "chess", "汉语", "2022-06-01", "2022-06-01"),
            ("E2", "合成乙", "", "", "", "", "Tuesday", ""),
        )
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, *rows))
        assert codes(staged) == [("C2", "too_long"), ("F2", "unknown_choice"), ("G3", "not_a_date")]
        fixed = ("E1", "合成甲", "", "", "chess", "zh", "2022-06-01", "2022-06-01")
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, fixed))
        assert codes(staged) == [("E2", "unknown_skill"), ("H2", "not_after_start")]

    def test_a_profile_that_was_changed_since_the_preview_stops_it(self, tx: Session) -> None:
        """The person said something else meanwhile."""
        bring(tx, VOLUNTEERS, *FULL)
        staged = stage(tx, VOLUNTEERS, sheet(VOLUNTEERS, ("E1", "合成甲", "", "北京")))
        bring(tx, VOLUNTEERS, ("E1", "合成甲", "", "广州"))
        with pytest.raises(ImportOutdated), tx.begin_nested():
            commit(tx, staged)
        assert self.known(tx, "E1")[2] == "广州"
