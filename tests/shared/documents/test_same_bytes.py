"""The same input gives the same bytes, whoever makes them, when and where."""

import os
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT

HERE = {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai", "LC_ALL": "C"}
THERE = {"PYTHONHASHSEED": "2", "TZ": "America/New_York", "LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}


def digests(settings: dict[str, str], home: Path) -> list[str]:
    inherited = os.environ  # noqa: TID251  A process is started in the environment of this run, and its own settings.
    made = subprocess.run(
        [sys.executable, "-m", "tests.shared.documents.making"],
        cwd=ROOT,
        env={**inherited, "HOME": str(home), **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.splitlines()


def test_two_processes_make_the_same_bytes(tmp_path: Path) -> None:
    """With other hash seeds, time zones, languages and homes, one after the other: PDF, XLSX, CSV, SVG and PNG."""
    here = digests(HERE, tmp_path)

    assert [line.split()[0] for line in here] == ["pdf", "xlsx", "svg", "png", "csv", "rejects"]
    assert digests(THERE, tmp_path) == here
