"""A season file is read exactly, or refused in one line that says where and why."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from launch.season.consistency import checks
from launch.season.file import BadSeason, read_season
from tests.launch.season.seasons import SEASON_2022, Figures, make_season

README = Path(__file__).parents[3] / "examples" / "README.md"


def changed(old: str, new: str) -> str:
    """The season of 2022 with one place written differently."""
    assert SEASON_2022.count(old) == 1, f"{old!r} must stand in the file once"
    return SEASON_2022.replace(old, new)


def refusal(text: str) -> str:
    """What the reader of a bad file is told."""
    with pytest.raises(BadSeason) as caught:
        read_season(text, name="bad.toml")
    return str(caught.value)


class TestReading:
    def test_the_season_of_2022_says_what_the_report_says(self) -> None:
        """The demo stands for the report: each of its figures is read as it was reported."""
        season = read_season(SEASON_2022, name="season-2022.toml")

        said = season.reported
        assert said.season.reporting_date == date(2022, 12, 19)
        assert (said.cohorts.shortlisted, said.cohorts.signed) == ((56, 38, 29), (27, 36, 10))
        assert (said.activities.proposals, said.activities.approved, said.activities.held) == (2_635, 2_171, 1_610)
        assert (said.activities.participations, season.credited_minutes) == (22_856, 3_633_180)
        assert said.money.disbursed_fen == 251_895_000
        assert (season.partner_count, season.step_minutes, season.zone.key) == (83, 30, "Asia/Shanghai")

    def test_fractions_are_exact(self) -> None:
        """A share of 0.06 is six of a hundred, not the nearest binary fraction."""
        assert read_season(SEASON_2022, name="x").assumed.late_arrival_share == Decimal("0.06")

    def test_hours_may_be_fractions_of_an_hour(self) -> None:
        """Half hours were paid in 2022, though their total happened to be whole."""
        assert make_season(charity_hours=Decimal("1.5")).credited_minutes == 90

    def test_what_the_demo_does_not_play_may_be_left_out(self) -> None:
        """Another programme's report may say nothing about training or targets."""
        season = make_season()

        assert (season.reported.enablement, season.reported.targets_next) == (None, None)
        assert season.reported.season.operating_grant_fen is None

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("rounds = 40 ", "rounds = 41 "),
            ("signed = [27,", "signed = [56,"),
            ("approved = 2171", "approved = 2635"),
            ("approved = 2171", "approved = 1610"),
            ("pledged_fen = 700000000", "pledged_fen = 605530000"),
            ("received_fen = 300000000", "received_fen = 251895000"),
            ("received_fen = 300000000", "received_fen = 700000000"),
            ("2022-07-11]", "2022-11-19]"),
            ("2022-07-11]", "2022-07-01]"),
            ("late_arrival_share = 0.06", "late_arrival_share = 1"),
            ("signup_fill_rate = 0.52", "signup_fill_rate = 0.01"),
        ],
    )
    def test_the_last_value_that_fits_is_accepted(self, old: str, new: str) -> None:
        """A rule that refuses one too early refuses a season that happened."""
        assert read_season(changed(old, new), name="x").credited_minutes == 3_633_180

    def test_nothing_unpaid_needs_no_reason(self) -> None:
        """A season that was paid in full is finished, not inconsistent."""
        text = Figures(disbursed=6_000).text.replace("{ not_yet_batched = 1 }", "{}")

        assert read_season(text, name="x").assumed.money.unpaid_fen == 0

    @pytest.mark.parametrize("step", [1, 10, 15, 20, 30, 60])
    def test_the_hours_may_lie_on_either_bound(self, step: int) -> None:
        """From one step to six hours for each participation, both included."""
        least = make_season(step=step, participations=3, charity_hours=Decimal(step * 3) / 60)
        most = make_season(step=step, participations=3, charity_hours=Decimal(18))

        assert (least.credited_minutes, most.credited_minutes) == (3 * step, 1_080)


class TestForm:
    @pytest.mark.parametrize(
        ("old", "new", "line"),
        [
            ("rounds = 40", "", "reported.season.rounds: expected a value, found nothing"),
            ("rounds = 40", "rounds = true", "reported.season.rounds: expected to be a valid integer, found True"),
            ("held = 1610", "held = 1610.5", "reported.activities.held: expected to be a valid integer, found 1610.5"),
            (
                "held = 1610",
                "held = -1",
                "reported.activities.held: expected to be greater than or equal to 1, found -1",
            ),
            (
                "[27, 36, 10]",
                "[27, '36', 10]",
                "reported.cohorts.signed[1]: expected to be a valid integer, found '36'",
            ),
            ("[27, 36, 10]", "73", "reported.cohorts.signed: expected to be a list, found 73"),
            (
                "reporting_date = 2022-12-19",
                "reporting_date = 2022-12-19T00:00:00",
                "reported.season.reporting_date: expected to be a valid date, found 2022-12-19 00:00:00",
            ),
            ("= 0.06", "= 1.01", "assumed.late_arrival_share: expected to be less than or equal to 1, found 1.01"),
            ("= 0.11", "= nan", "assumed.missed_check_in_share: expected to be a finite number, found NaN"),
            ("= 0.11", "= false", "assumed.missed_check_in_share: expected to be a number, found False"),
            (
                "Asia/Shanghai",
                "Asia",
                "assumed.timezone: expected to be an IANA name such as Asia/Shanghai, found 'Asia'",
            ),
            ('"down"', '"up"', "assumed.policy.rounding: expected to be 'down', found 'up'"),
            ('"none"', '"some"', "assumed.policy.caps: expected to be 'none', found 'some'"),
            (
                "seed = ",
                "sede = 1\nseed = ",
                "assumed.sede: expected only the keys of a season file, found one that is not",
            ),
            (
                "briefings = 3",
                "briefings = 'three'",
                "reported.enablement.briefings: expected to be a valid integer, found 'three'",
            ),
        ],
    )
    def test_a_key_of_the_wrong_kind_is_named(self, old: str, new: str, line: str) -> None:
        """Who edits the file is not who wrote the reader: the line says where, what and instead of what."""
        assert refusal(changed(old, new)) == f"bad.toml: {line}"

    @pytest.mark.parametrize("value", ["-1", "1e400", "1e99999999999999999999", "0.0000000001", "9" * 5_000])
    def test_no_number_is_too_strange_to_be_refused(self, value: str) -> None:
        """A slip of the finger is answered like any other, at once and in one short line."""
        line = refusal(changed("charity_hours = 60553 ", f"charity_hours = {value} "))

        assert line.startswith(("bad.toml: reported.activities.charity_hours: expected to ", "bad.toml: expected TOML"))
        assert len(line) < 250

    @pytest.mark.parametrize("text", ["[reported", "a = 1\na = 2", "x = " + "[" * 5_000])
    def test_what_is_not_toml_is_called_that(self, text: str) -> None:
        """The wrong file, or half of it, is the commonest mistake."""
        line = refusal(text)

        assert line.startswith("bad.toml: expected TOML, found: ")
        assert "\n" not in line

    def test_a_long_value_is_shortened(self) -> None:
        """A pasted page must not fill the screen, nor break the line."""
        line = refusal(changed("[27, 36, 10]", '"""' + "page\n" * 200 + '"""'))

        assert line.endswith("…")
        assert len(line) < 200
        assert "\n" not in line


class TestConsistency:
    @pytest.mark.parametrize(
        ("old", "new", "key", "expected", "found"),
        [
            ("rounds = 40", "rounds = 42", "reported.season.rounds", "at most 41 weekly", "42"),
            ("first_round = 2022-03-14", "first_round = 2022-12-15", "assumed.first_round", "2022-12-14", "2022-12-15"),
            ("[56, 38, 29]", "[56, 38]", "reported.cohorts.shortlisted", "3 entries", "2"),
            ("[27, 36, 10]", "[27, 36, 10, 1]", "reported.cohorts.signed", "3 entries", "4"),
            ("08, 2022-05-09, 2022-07-11]", "08]", "assumed.cohort_opened", "3 entries", "1"),
            (
                "05-01, 2022-07-01]",
                "05-01, 2022-04-01]",
                "reported.cohorts.months",
                "ascending",
                "[2022-03-01, 2022-05",
            ),
            ("2022-05-09, 2022-07-11]", "2022-07-12, 2022-07-12]", "assumed.cohort_opened", "strictly", "[2022-03-08,"),
            ("signed = [27,", "signed = [57,", "reported.cohorts.signed[0]", "at most shortlisted[0] = 56", "57"),
            ("2022-07-11]", "2022-06-30]", "assumed.cohort_opened[2]", "from months[2] = 2022-07-01 on", "2022-06-30"),
            (
                "2022-07-11]",
                "2022-11-20]",
                "assumed.cohort_opened[2]",
                "publicity period is over",
                "2022-11-20, over on",
            ),
            ("approved = 2171", "approved = 2636", "reported.activities.approved", "at most proposals = 2635", "2636"),
            ("held = 1610", "held = 2172", "reported.activities.held", "at most approved = 2171", "2172"),
            ("s = 22856", "s = 1609", "reported.activities.participations", "each of held = 1610", "1609"),
            ("_rate = 0.52", "_rate = 0", "assumed.signup_fill_rate", "at least 0.01", "0"),
            ("60553 ", "60553.25 ", "reported.activities.charity_hours", "whole steps of 30 minutes", "60553.25 hours"),
            ("60553 ", "60553.001 ", "reported.activities.charity_hours", "whole steps of 30", "60553.001 hours"),
            (
                "60553 ",
                "11427.5 ",
                "reported.activities.charity_hours",
                "685680 to 8228160 minutes",
                "11427.5 hours = 6",
            ),
            (
                "60553 ",
                "137136.5 ",
                "reported.activities.charity_hours",
                "685680 to 8228160",
                "137136.5 hours = 8228190",
            ),
            (
                "hour = 10000 ",
                "hour = 10001 ",
                "reported.season.rate_fen_per_hour",
                "a whole number of fen",
                "10001 fen",
            ),
            ("ed = 100, cl", "ed = 99, cl", "assumed.policy.evidence_share_percent.attested", "100", "99"),
            ("605530000 ", "605530001 ", "assumed.money.accrued_fen", "rate_fen_per_hour = 605530000", "605530001"),
            ("251895000", "605530001", "reported.money.disbursed_fen", "at most accrued_fen = 605530000", "605530001"),
            ("353635000 ", "353634999 ", "assumed.money.unpaid_fen", "disbursed_fen = 353635000", "353634999"),
            ("= 0.62,", "= 0.61,", "assumed.money.unpaid_reasons", "shares that sum to 1", "0.99"),
            ("pledged_fen = 700000000", "pledged_fen = 605529999", "assumed.pledged_fen", "605530000", "605529999"),
            ("received_fen = 300000000", "received_fen = 700000001", "assumed.received_fen", "at most", "700000001"),
            ("received_fen = 300000000", "received_fen = 251894999", "assumed.received_fen", "at least", "251894999"),
        ],
    )
    def test_figures_that_contradict_each_other_are_refused(
        self, old: str, new: str, key: str, expected: str, found: str
    ) -> None:
        """A history cannot have totals that no history has; the line names the key that should give way."""
        line = refusal(changed(old, new))

        assert re.fullmatch(rf"bad\.toml: {re.escape(key)}: expected (.*), found (.*)", line)
        said, was = line.split(": expected ")[1].split(", found ")
        assert expected in said
        assert was.startswith(found)

    def test_somebody_must_hold_the_shifts(self) -> None:
        """A season without any partner has nobody to hold a shift or to be paid."""
        line = refusal(Figures(carried_over=0).text)

        assert line.startswith("bad.toml: assumed.carried_over_partners: expected at least 1 partner")

    def test_somebody_must_propose_them_in_time(self) -> None:
        """Who signs after the last call of which there can be shifts proposes nothing."""
        season = Figures(carried_over=0, opened=(date(2023, 4, 20),), signed=(1,), publicity_days=6)
        line = refusal(season.text)

        assert "assumed.carried_over_partners: expected at least 1, or a cohort that signs before" in line
        assert "on 2023-04-26, found 0" in line
        assert read_season(replace(season, publicity_days=5).text, name="x").partner_count == 1

    def test_the_first_call_may_be_five_days_before_the_report(self) -> None:
        """What is proposed then is published on the day before the last."""
        assert make_season(first_round=date(2023, 4, 26), reporting_date=date(2023, 5, 1)).partner_count == 1

    def test_every_rule_is_explained_to_who_writes_a_file(self) -> None:
        """What is refused can be looked up, in the table beside the example."""
        table = README.read_text(encoding="utf-8")

        keys = {
            re.sub(r"\[\d+\]|(?<=percent)\..*", "", check.key) for check in checks(read_season(SEASON_2022, name="x"))
        }
        assert {key for key in keys if f"`{key}`" not in table} == set()
        assert len(keys) == 20
