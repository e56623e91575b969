from services.activities.volunteer_imports import rules
from services.activities.volunteer_imports.rules import Facts, VolunteerRow
from shared.imports.judging import Effect
from tests.activities.sheets import CASE


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
