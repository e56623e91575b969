from datetime import date
from typing import Any

import pytest

from services.activities.eligibility.rules import Interval
from services.activities.volunteer_imports import rules
from services.activities.volunteer_imports.rules import Facts, VolunteerRow
from shared.imports.judging import Effect, Verdict
from tests.activities.sheets import CASE, told


class TestVolunteers:
    def test_new_known_and_renamed_people_are_good(self) -> None:
        """What a row does follows from what is registered; a change says what it replaces."""
        rows = [VolunteerRow("E1", "合成甲"), VolunteerRow("E2", "合成乙"), VolunteerRow("E3", "合成丙")]
        verdict = rules.judge(CASE, rows, Facts({"E1": "合成甲", "E2": "合成丁"}))
        assert verdict.objections == {}
        assert verdict.effects == [Effect.SKIP, Effect.UPDATE, Effect.CREATE]
        assert verdict.before == {1: {"display_name": "合成丁"}}

    def test_a_person_stands_once(self) -> None:
        """The first of two rows is good, whatever they say."""
        rows = [VolunteerRow("E2", "合成乙"), VolunteerRow("E2", "合成乙"), VolunteerRow("E2", "合成丙")]
        found = rules.judge(CASE, rows, Facts({})).objections
        assert {place: list(columns) for place, columns in found.items()} == {
            1: ["employee_number"], 2: ["employee_number"]
        }  # fmt: skip
        assert {bad.code for columns in found.values() for bad in columns.values()} == {"repeated"}

    def test_who_was_erased_is_not_brought_back(self) -> None:
        """A person decides that, not a list."""
        found = rules.judge(CASE, [VolunteerRow("E1", "合成甲")], Facts({}, {"E1"})).objections
        assert found[0]["employee_number"].code == "erased_earlier"


JUNE, JULY = date(2022, 6, 1), date(2022, 7, 1)


class TestMore:
    """What the personnel department knows besides."""

    def judge(self, row: VolunteerRow, **facts: Any) -> Verdict:
        return rules.judge(CASE, [row], Facts({"E1": "合成甲"}, **facts))

    def test_what_is_not_said_changes_nothing(self) -> None:
        """Whatever is recorded."""
        verdict = self.judge(VolunteerRow("E1", "合成甲"), profiles={"E1": {"city": "上海"}})
        assert (verdict.effects, verdict.before) == ([Effect.SKIP], {})

    def test_what_is_said_otherwise_is_a_change_with_what_it_replaces(self) -> None:
        """By column; what is recorded the same is none."""
        row = VolunteerRow("E1", "合成甲", department="研发", city="上海", skills="a, b", languages="zh")
        recorded = {"department": "研发", "city": "北京", "skills": "a"}
        verdict = self.judge(row, profiles={"E1": recorded}, offered={"a": True, "b": True})
        assert verdict.effects == [Effect.UPDATE]
        assert verdict.before == {0: {"city": "北京", "skills": "a", "languages": ""}}
        assert verdict.objections == {}

    def test_skills_are_of_the_catalogue(self) -> None:
        """A retired one is kept by who had it."""
        row = VolunteerRow("E1", "合成甲", skills="a, b")
        for offered, had, codes in (
            ({"a": True, "b": True}, {}, {}),
            ({"a": True}, {}, {0: {"skills": "unknown_skill"}}),
            ({"a": True, "b": False}, {}, {0: {"skills": "unknown_skill"}}),
            ({"a": True, "b": False}, {"skills": "b"}, {}),
        ):
            verdict = self.judge(row, offered=offered, profiles={"E1": had})
            assert told(verdict.objections) == codes

    @pytest.mark.parametrize(
        ("since", "until", "codes"),
        [
            (JUNE, JULY, {}), (JUNE, None, {}), (None, JULY, {}), (None, None, {}),
            (JUNE, JUNE, {0: {"employed_until": "not_after_start"}}),
            (JULY, JUNE, {0: {"employed_until": "not_after_start"}}),
        ],
    )  # fmt: skip
    def test_an_employment_has_a_day(
        self, since: date | None, until: date | None, codes: dict[int, dict[str, str]]
    ) -> None:
        """Its end is the first day after it."""
        row = VolunteerRow("E1", "合成甲", employed_from=since, employed_until=until)
        assert told(self.judge(row).objections) == codes

    @pytest.mark.parametrize(
        ("known", "before"),
        [
            ([], {"employed_from": "", "employed_until": ""}),
            ([Interval(JUNE, JULY)], None),
            ([Interval(JUNE, None)], {"employed_from": "2022-06-01", "employed_until": ""}),
            ([Interval(None, JUNE)], {"employed_from": "", "employed_until": ""}),
            ([Interval(None, date(2022, 6, 2)), Interval(date(2022, 6, 30), None)],
             {"employed_from": ", 2022-06-30", "employed_until": "2022-06-02, "}),
        ],
    )  # fmt: skip
    def test_an_employment_replaces_those_it_overlaps(
        self, known: list[Interval], before: dict[str, str] | None
    ) -> None:
        """The same one again changes nothing; one that only touches stays."""
        row = VolunteerRow("E1", "合成甲", employed_from=JUNE, employed_until=JULY)
        verdict = self.judge(row, intervals={"E1": known})
        assert verdict.effects == [Effect.SKIP if before is None else Effect.UPDATE]
        assert verdict.before == ({} if before is None else {0: before})
