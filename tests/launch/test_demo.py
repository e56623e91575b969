"""`./popcandy demo`: any consistent season through the whole line, to the minute and the fen."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from launch import demo
from launch.season.file import read_season
from launch.season.synthesis import synthesise
from shared.errors import Hindrance
from tests.launch.commands import Terminal
from tests.launch.conftest import SPRING, Played
from tests.launch.season.seasons import Figures


def totals(season: Figures) -> dict[str, object]:
    """Say what a season's file promises, and what of its missed check-ins was drawn."""
    rows = synthesise(read_season(season.text, name="test.toml")).whole.attendances
    approved, proposals = season.held + season.off, season.held + season.off + season.rejected
    return {
        "rounds": season.rounds,
        "proposals": proposals,
        "approved": approved,
        "pass_rate": round(approved * 100 / proposals, 1),
        "missed_recovered": sum(row.evidence != "scanned" for row in rows),
        "missed_lapsed": sum(row.checked_out_at is None for row in rows),
        "participations": season.participations,
        "credited_minutes": int(season.charity_hours * 60),
        "accrued_fen": int(season.charity_hours * season.rate),
        "shifts_held": season.held,
        "partners_signed": sum(season.signed),
        "partners_carried_over": season.carried_over,
        "books_balance": True,
        "dead_letters": 0,
    }


def assert_met(season: Figures, facts: dict[str, Any]) -> None:
    assert totals(season).items() <= facts.items()
    assert facts["recorded_minutes"] >= facts["matchable_minutes"] >= facts["credited_minutes"]
    assert facts["recorded_minutes"] - facts["credited_minutes"] == sum(facts["drops"].values())
    assert facts["synthetic"].startswith("synthetic")
    assert facts["seconds"] > 0


def play(terminal: Terminal, season: str, folder: Path) -> Any:
    folder.parent.joinpath("season.toml").write_text(season)
    return terminal.run("demo", "--season", folder.parent / "season.toml", "--data", folder, "--exit", "--json")


def test_the_figures_are_the_seasons(played: Played) -> None:
    """They come from the ledger's and activities' own queries, and are what the file says."""
    assert_met(played.season, played.facts)
    assert played.facts["season"] == "合成季"
    assert played.facts["recorded_minutes"] > played.facts["credited_minutes"]


def test_the_demo_people_belong_to_the_season(played: Played) -> None:
    """Its volunteers have served in it, its partners' members are of two partners with listings, all made up."""
    people = json.loads((played.folder / "people.json").read_text())
    volunteers = [person for person in people if person["role"] == "volunteer"]
    partners = {person["partner_id"] for person in people if person["role"] == "partner"}

    assert [person["name_zh"][:5] for person in volunteers] == ["合成志愿者"] * 2
    assert (len(people), len(partners)) == (12, 2)


@pytest.mark.parametrize(
    "season",
    [
        pytest.param(
            Figures(
                first_round=date(2022, 12, 12), reporting_date=date(2023, 1, 9), rounds=4, rate=12_000, step=20,
                carried_over=4, held=7, off=3, rejected=2, participations=24, charity_hours=Decimal(41),
            ),
            id="step of 20 minutes over a year's end",
        ),
        pytest.param(
            Figures(
                first_round=date(2023, 2, 27), reporting_date=date(2023, 3, 19), rounds=3, rate=1, step=60,
                carried_over=4, held=9, rejected=4, participations=40, charity_hours=Decimal(90),
                timezone="America/New_York",
            ),
            id="step of an hour through a change of the clocks",
        ),
        pytest.param(Figures(), id="one shift with one person"),
    ],
)  # fmt: skip
def test_another_season_is_met_as_exactly(terminal: Terminal, folder: Path, season: Figures) -> None:
    """Other totals, rates, steps and zones are other files, not other code."""
    assert_met(season, play(terminal, season.text, folder).json())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (replace(SPRING, participations=7).text, "participations"),
        (SPRING.text.replace("accrued_fen = ", "accrued_fen = 1"), "accrued_fen"),
        (replace(SPRING, charity_hours=Decimal("55.1")).text, "charity_hours"),
        (replace(SPRING, timezone="Mars/Olympus").text, "timezone"),
        (replace(SPRING, first_round=date(2023, 6, 1)).text, "first_round"),
        (f"{SPRING.text}fee_fen = 1", "fee_fen"),
        ("participations = many", "expected TOML"),
        ("", "reported"),
    ],
)
def test_a_season_that_is_not_consistent_names_its_key(tmp_path: Path, text: str, names: str) -> None:
    """Before anything is started."""
    file = tmp_path / "season.toml"
    file.write_text(text)

    with pytest.raises(Hindrance, match=rf"^season\.toml: [^\n]*{names}"):
        demo.plan(file)


def test_a_season_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Missing, a folder, or no text at all."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.toml", tmp_path, binary):
        with pytest.raises(Hindrance, match=f"cannot read {path}"):
            demo.plan(path)


def test_a_bad_season_is_one_line_and_leaves_nothing(terminal: Terminal, folder: Path) -> None:
    """Exit code 2 says that it is the file, not the program."""
    complaint = play(terminal, replace(SPRING, participations=7).text, folder).complaint()

    assert "season.toml: reported.activities.participations" in complaint
    assert not folder.exists()


def test_a_demo_takes_a_fresh_folder_unless_told(terminal: Terminal, tmp_path: Path) -> None:
    """Two demos do not mix; commands then ask the newest."""
    season = tmp_path / "season.toml"
    season.write_text(Figures().text)
    before = set(terminal.home.glob("demo-*"))
    ran = terminal.run("demo", "--season", season, "--exit")
    (fresh,) = set(terminal.home.glob("demo-*")) - before

    assert ran.code == 0
    assert "books balance" in ran.out
    assert (terminal.home / "last").read_text() == str(fresh)
    assert terminal.run("ledger", "waterfall", "--json").json()["participations"] == 1
