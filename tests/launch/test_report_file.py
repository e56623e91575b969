"""`./popcandy report season --out`: the report as a file, whole or not at all."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader
from python_calamine import load_workbook

from launch import season_paper
from launch.out_file import CannotWrite, require_writable, write_whole
from launch.report import Figures
from shared.documents.papers import Fen, Minutes, Paper, Picture, Table
from shared.documents.spreadsheets import write_book
from shared.documents.typesetting import typeset
from shared.documents.wording import duration, money
from tests.launch.commands import Terminal
from tests.launch.conftest import Played
from tests.shared.documents.papers import ISSUED

NOTHING = Figures(
    rounds=0,
    proposals=0,
    approved=0,
    pass_permille=None,
    participations=0,
    volunteers=0,
    shifts_held=0,
    partners_signed=0,
    partners_carried_over=0,
    without_check_out=0,
    missed_recovered=0,
    missed_lapsed=0,
    recorded_minutes=0,
    matchable_minutes=0,
    credited_minutes=0,
    accrued_fen=0,
    drops=dict.fromkeys(("not_matchable", "below_minimum", "above_ceiling", "step_rounding"), 0),
)


class Ledger:
    """The ledger's door, where each month of service has so many participations."""

    def __init__(self, months: dict[str, int]) -> None:
        self.months = months
        self.asked = 0

    def get(self, path: str, *, token: str, **period: object) -> dict[str, object]:
        assert (path, token) == ("/api/ledger/waterfall", "t")
        self.asked += 1
        first, until = str(period["service_from"]), str(period["service_until"])
        number = sum(each for month, each in self.months.items() if first <= f"{month}-15" < until)
        return {
            "participations": number,
            "recorded_minutes": number * 60,
            "credited_minutes": number * 30,
            "accrued": {"currency": "CNY", "fen": number * 5_000},
        }


def months_of(found: list[season_paper.Span]) -> list[tuple[str, str, int]]:
    return [(f"{span.begin:%Y-%m}", f"{span.end:%Y-%m}", span.participations) for span in found]


@pytest.mark.parametrize(
    ("months", "found"),
    [
        ({}, []),
        ({"2022-03": 4}, [("2022-03", "2022-04", 4)]),
        (
            {"2021-11": 1, "2022-01": 2},
            [("2021-11", "2021-12", 1), ("2021-12", "2022-01", 0), ("2022-01", "2022-02", 2)],
        ),
        ({"1970-01": 1}, [("1970-01", "1970-02", 1)]),
        ({"2199-12": 1}, [("2199-12", "2200-01", 1)]),
        ({"2020-02": 3, "2023-02": 1}, [("2020-01", "2021-01", 3), ("2021-01", "2022-01", 0), ("2022-01", "2023-01", 0),
                                        ("2023-01", "2024-01", 1)]),
    ],
)  # fmt: skip
def test_the_months_of_a_season_are_found(months: dict[str, int], found: list[tuple[str, str, int]]) -> None:
    """From the first with service to the last, quiet ones between them too; more than three years are told by years."""
    ledger = Ledger(months)

    assert months_of(season_paper.spans(ledger, "t")) == found  # type: ignore[arg-type]  # It is asked nothing else.
    assert ledger.asked < 70


def paper(months: dict[str, int], language: str = "zh") -> Paper:
    spans = season_paper.spans(Ledger(months), "t")  # type: ignore[arg-type]  # As above.
    season = season_paper.Season(NOTHING, spans)
    return season_paper.paper_of(season, language=language, programme="P", issued_at=ISSUED)  # type: ignore[arg-type]  # A literal.


def test_months_add_up_to_the_whole() -> None:
    """Participations, minutes and fen of the table's last row are those of the rows above it."""
    sections = paper({"2022-03": 4, "2022-05": 6}).sections
    [table] = [each for each in sections if isinstance(each, Table) and "分月" in each.title]

    assert table.total is not None
    assert [len(table.rows), table.total[2], table.total[4]] == [3, Minutes(600), Fen(50_000)]


def test_a_season_without_service_is_told_as_well() -> None:
    """Without charts, and with noughts."""
    nothing = paper({}, "en")

    assert not any(isinstance(section, Picture) for section in nothing.sections)
    assert typeset(nothing).startswith(b"%PDF-")
    assert write_book(nothing).startswith(b"PK")


@pytest.mark.parametrize(
    ("permille", "shown", "number"),
    [(824, "82.4", 82.4), (1_000, "100.0", 100.0), (0, "0.0", 0.0), (5, "0.5", 0.5), (None, None, None)],
)
def test_the_pass_rate_is_shown_in_percent(permille: int | None, shown: str | None, number: float | None) -> None:
    """With one decimal place, computed in whole numbers; nothing decided, nothing shown."""
    found = replace(NOTHING, pass_permille=permille)

    assert (found.pass_rate, found.as_json()["pass_rate"]) == (shown, number)
    assert "pass_permille" not in found.as_json()


def text_of(file: Path) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read_bytes())).pages).replace("\n", "")


@pytest.mark.parametrize(("language", "title"), [("zh", "志愿服务季度报告"), ("en", "Season report")])
def test_the_report_is_written_as_pdf(
    terminal: Terminal, played: Played, tmp_path: Path, language: str, title: str
) -> None:
    """With the figures that the services themselves name, two charts, and nothing left beside it."""
    file = tmp_path / "季报.PDF"
    ran = terminal.run("report", "season", "--data", played.folder, "--out", file, "--language", language)

    assert (ran.code, ran.out.strip(), ran.err) == (0, str(file), "")
    assert list(tmp_path.iterdir()) == [file]
    reader = PdfReader(io.BytesIO(file.read_bytes()))
    assert reader.metadata is not None
    assert reader.metadata.title == title
    text = text_of(file).replace(" ", "")
    assert money(played.facts["accrued_fen"]) in text
    assert duration(played.facts["credited_minutes"], language).replace(" ", "") in text  # type: ignore[arg-type]  # A literal.
    assert {"zh": "时长瀑布图", "en": "Waterfalloftime"}[language] in text


def test_the_report_is_written_as_a_workbook(terminal: Terminal, played: Played, tmp_path: Path) -> None:
    """A sheet for each table; the months add up to what the demo printed. With --json the figures are printed too."""
    file = tmp_path / "season.xlsx"
    file.write_text("an older one")
    ran = terminal.run("report", "season", "--data", played.folder, "--out", file, "--language", "en", "--json")

    assert json.loads(ran.out).items() <= played.facts.items()
    with load_workbook(file) as book:
        assert book.sheet_names == ["Overview", "From recorded time to money", "Month by month"]
        months = book.get_sheet_by_name("Month by month").to_python()
        stages = book.get_sheet_by_name("From recorded time to money").to_python()
    facts = played.facts
    assert months[-1][1:4] == [facts["participations"], facts["recorded_minutes"], facts["credited_minutes"]]
    assert months[-1][4] == facts["accrued_fen"] / 100
    assert [sum(int(str(row[1]).removesuffix(".0")) for row in months[1:-1])] == months[-1][1:2]
    assert stages[-1][1:] == [facts["credited_minutes"], facts["accrued_fen"] / 100]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("report.docx", "has to end in .pdf or .xlsx"),
        ("report", "has to end in .pdf or .xlsx"),
        ("missing/report.pdf", "there is no folder"),
        ("folder.pdf", "it is a folder"),
        ("file/report.pdf", "there is no folder"),
        ("n" * 300 + ".pdf", "too long"),
    ],
)
def test_a_path_that_cannot_be_written_is_one_line(
    terminal: Terminal, tmp_path: Path, name: str, complaint: str
) -> None:
    """Before any platform is asked or started, with exit code 2, and nothing is left."""
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    ran = terminal.run("report", "season", "--data", "/nowhere", "--out", tmp_path / name)

    assert complaint in ran.complaint()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_language_that_there_is_not_is_a_slip_of_the_fingers(terminal: Terminal, tmp_path: Path) -> None:
    """Exit code 2, before anything is written."""
    ran = terminal.run("report", "season", "--out", tmp_path / "a.pdf", "--language", "fr")

    assert ran.code == 2
    assert "fr" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_fails_leaves_the_old_file(terminal: Terminal, tmp_path: Path) -> None:
    """Nobody answers: the file of last week stays as it was."""
    file = tmp_path / "season.pdf"
    file.write_bytes(b"last week")
    ran = terminal.run("report", "season", "--url", "http://127.0.0.1:1", "--token", "x", "--out", file)

    assert "no answer" in ran.complaint()
    assert file.read_bytes() == b"last week"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_is_put_in_place_whole(tmp_path: Path) -> None:
    """A disk that takes no more, or a folder that went away, is one line, and no half of a file stays."""
    file = require_writable(tmp_path / "a.pdf", endings=[".pdf"])
    write_whole(file, b"first")
    write_whole(file, b"second")
    assert file.read_bytes() == b"second"

    full = Path("/dev/full/a.pdf")
    with pytest.raises(CannotWrite, match=r"there is no folder /dev/full"):
        require_writable(full, endings=[".pdf"])
    with pytest.raises(CannotWrite, match=r"^cannot write .*gone/a\.pdf"):
        write_whole(tmp_path / "gone" / "a.pdf", b"x")
    (tmp_path / "b.pdf").mkdir()
    with pytest.raises(CannotWrite):
        write_whole(tmp_path / "b.pdf", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.pdf"]
