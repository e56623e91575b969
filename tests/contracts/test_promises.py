"""The golden schemas as promises: what writes them refuses to break one, and history remembers each."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.events.base import Event
from shared.events.compatibility import breaches
from shared.events.golden import FOLDER, promise_of
from shared.events.registry import contracts
from tests.architecture.sources import ROOT

CURE = "Nothing was written: leave each contract as it was promised and put a `v2` beside it."
SETTLED = "activities.attendance.settled.v1"
ATTENDED = (SETTLED, "activities.attendance.revised.v1", "activities.attendance.voided.v1")
TYPES = tuple(contracts())
# Blobs of golden schemas that were committed on the way to a release and were told to nobody: they promised nothing.
NEVER_TOLD = {"5ad4e7564cc5f8ef1cde4afc364b44d17a5db997"}  # `because` of a shift that was not run, as free text.

Files = dict[str, str]


class Copy:
    """The contracts alone, in a folder where they can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "shared").mkdir()
        (folder / "shared" / "__init__.py").touch()
        shutil.copytree(ROOT / "shared" / "events", folder / "shared" / "events")
        self.schemas = folder / "shared" / "events" / "schemas"

    def change(self, was: str, now: str) -> None:
        """Edit `activities.py`."""
        file = self.folder / "shared" / "events" / "activities.py"
        text = file.read_text("utf-8")
        assert was in text
        file.write_text(text.replace(was, now), "utf-8")

    def files(self) -> Files:
        return {path.stem: path.read_text("utf-8") for path in self.schemas.iterdir()}

    def write(self) -> tuple[int, list[str], list[str]]:
        """Run the command; return its exit code and the lines that it said, and complained."""
        command = [sys.executable, "-m", "shared.events.golden"]
        ran = subprocess.run(  # noqa: S603  Our own command.
            command, cwd=self.folder, check=False, capture_output=True, text=True
        )
        return ran.returncode, ran.stdout.splitlines(), ran.stderr.splitlines()


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_kept_promise_is_written(copy: Copy) -> None:
    """A new field that may be missing is in the file afterwards; the rest of it is as it was."""
    before = copy.files()
    copy.change("    evidence: EvidenceClass\n", "    evidence: EvidenceClass\n    weather_code: int = 0\n")

    code, said, complained = copy.write()

    assert (code, complained) == (0, [])
    assert sorted(said) == sorted(str(copy.schemas / f"{event_type}.json") for event_type in before)
    for event_type, text in copy.files().items():
        schema = json.loads(text)
        if event_type not in ATTENDED:
            assert text == before[event_type]
            continue
        assert schema["properties"].pop("weather_code") == {"default": 0, "title": "Weather Code", "type": "integer"}
        assert schema == json.loads(before[event_type])


def test_a_broken_promise_is_not_written(copy: Copy) -> None:
    """Each breach is one line, the cure is another, and no file is touched, not even one that could be written."""
    before = copy.files()
    copy.change("    evidence: EvidenceClass\n", "    evidence: EvidenceClass\n    weather_code: int = 0\n")
    copy.change(
        '    type: ClassVar[str] = "activities.attendance.settled.v1"\n',
        '    type: ClassVar[str] = "activities.attendance.settled.v1"\n    version: int = 1\n    rain: int\n',
    )

    code, said, complained = copy.write()

    assert (code, said) == (2, [])
    assert complained == [
        f"{SETTLED}: rain: new and required: readers of the new refuse facts that were told",
        f"{SETTLED}: version: was required, is optional: readers of the old refuse new facts",
        f"{SETTLED}: version: minimum was 1, is absent: readers of the old refuse new facts",
        CURE,
    ]
    assert copy.files() == before


def test_a_type_does_not_change_its_name_or_version(copy: Copy) -> None:
    """What was told under the old one would have no reader; whoever retires a type removes its file by hand."""
    before = copy.files()
    copy.change("attendance.settled.v1", "attendance.settled.v2")

    code, _, complained = copy.write()

    assert (code, len(complained)) == (2, 2)
    assert complained[0].startswith(f"{SETTLED}: told no more;")
    assert copy.files() == before


def test_a_second_version_stands_beside_the_first(copy: Copy) -> None:
    """As the refusal advises."""
    copy.change(
        "class AttendanceRevised(Attended):",
        "class AttendanceSettled2(Attended):\n"
        '    """Settled, told anew."""\n\n'
        '    type: ClassVar[str] = "activities.attendance.settled.v2"\n\n'
        "    matchable_minutes: str\n\n\n"
        "class AttendanceRevised(Attended):",
    )
    before = copy.files()

    assert copy.write()[0] == 0
    after = copy.files()
    assert json.loads(after.pop("activities.attendance.settled.v2"))["title"] == "AttendanceSettled2"
    assert after == before


def test_a_golden_schema_that_cannot_be_read_is_not_overwritten(copy: Copy) -> None:
    """It may have promised anything."""
    (copy.schemas / f"{SETTLED}.json").write_text("<<<<<<< HEAD", "utf-8")

    code, _, complained = copy.write()

    assert (code, complained) == (
        2, [f"{SETTLED}: its golden schema is not JSON; take {SETTLED}.json from git again", CURE]
    )  # fmt: skip
    assert (copy.schemas / f"{SETTLED}.json").read_text("utf-8") == "<<<<<<< HEAD"


@pytest.mark.parametrize("model", contracts().values(), ids=contracts())
def test_every_promise_that_was_ever_committed_is_kept(model: type[Event]) -> None:
    """Removing a golden schema, or editing it by hand, does not take back what it said; git still knows."""
    path = (FOLDER / f"{model.type}.json").relative_to(ROOT)

    for commit, text in _versions(path, ROOT):
        broken = [str(breach) for breach in breaches(json.loads(text), promise_of(model))]
        assert broken == [], f"{model.type} promised otherwise in {commit}: put a `v2` beside it"


def test_history_is_read_through_removals_and_merges(tmp_path: Path) -> None:
    """Every version that a file ever had, whatever branch brought it; none of a file that never was."""
    file = tmp_path / "told.json"
    git = _git_in(tmp_path)
    git("init", "--initial-branch=main")
    git("commit", "--allow-empty", "-m", "chore: begin")
    git("switch", "-c", "side")
    for text in ("one", "two"):
        file.write_text(text)
        git("add", ".")
        git("commit", "-m", f"feat: {text}")
    git("rm", "told.json")
    git("commit", "-m", "feat: none")
    git("switch", "main")
    git("merge", "--no-ff", "-m", "feat: merge", "side")

    assert {text for _, text in _versions(Path("told.json"), tmp_path)} == {"one", "two"}
    assert list(_versions(Path("never.json"), tmp_path)) == []


def _versions(path: Path, repository: Path) -> Iterator[tuple[str, str]]:
    """Yield each committed version of a file with its commit; a shallow clone knows fewer."""
    git = _git_in(repository)
    for commit in git("rev-list", "--full-history", "HEAD", "--", str(path)).split():
        blob = git("ls-tree", "--object-only", commit, "--", str(path)).strip()
        if blob and blob not in NEVER_TOLD:
            yield commit, git("show", f"{commit}:{path}")


def _git_in(folder: Path) -> Callable[..., str]:
    who = ("-c", "user.name=Popcandy", "-c", "user.email=tests@popcandy.invalid", "-c", "commit.gpgsign=false")

    def git(*arguments: str) -> str:
        command = ["git", *who, *arguments]
        return subprocess.run(  # noqa: S603  Fixed commands.
            command, cwd=folder, check=True, capture_output=True, text=True
        ).stdout

    return git
