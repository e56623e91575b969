"""The locks: names, versions and hashes alone, so that any mirror serves them."""

import re
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))
HOSTS = re.compile(r"://|\bpypi\b|pythonhosted|npmjs|npmmirror|index-url|find-links|file:|git\+", re.IGNORECASE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text()))


def tracked(*patterns: str) -> list[str]:
    """Return the files that are committed or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603  Fixed arguments.
    return found.stdout.splitlines()


def test_there_is_a_lock_for_each_environment() -> None:
    """What runs, what develops, and uv itself."""
    assert {"requirements.lock", "requirements-dev.lock", "requirements-uv.lock"} <= set(LOCKS)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place(name: str) -> None:
    """Another index, or none at all, must serve the same (PITFALLS.md S1)."""
    assert HOSTS.findall((ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", LOCKS)
def test_each_pin_has_its_hashes(name: str) -> None:
    """What is installed is what was tried, byte by byte."""
    text = (ROOT / name).read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())

    assert entries
    for entry in entries:
        assert PIN.match(entry), entry.split()[0]
        assert "--hash=sha256:" in entry, entry.split()[0]


def test_the_development_lock_holds_the_other() -> None:
    """One environment of a developer's serves every command."""
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_npm_files_name_no_place() -> None:
    """As for Python, so for the browser's parts (npm/cli#4874)."""
    for name in tracked("*package-lock.json", "*npm-shrinkwrap.json", "*.npmrc", "*yarn.lock"):
        assert HOSTS.findall((ROOT / name).read_text()) == [], name


def test_no_environment_and_no_data_is_committed() -> None:
    """A clone holds source alone."""
    names = tracked()

    assert names
    assert [name for name in names if re.search(r"(^|/)(\.venv|node_modules|__pycache__|\.data)/|\.pyc$", name)] == []


@pytest.mark.parametrize("script", ["popcandy", ".ci/run"])
def test_the_scripts_are_clean(script: str) -> None:
    """Shell hides its mistakes; shellcheck does not."""
    shellcheck = str(ROOT / sys.prefix / "bin" / "shellcheck")
    found = subprocess.run(  # noqa: S603  Our own scripts.
        [shellcheck, "--norc", script], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert (found.returncode, found.stdout) == (0, "")
    assert (ROOT / script).stat().st_mode & 0o111 == 0o111
