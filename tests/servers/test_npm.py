"""What comes from npm for tests: pinned, from anywhere, once, and with a clear word when it cannot come."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from launch.npm import NpmFailed, command
from tests.architecture.sources import ROOT
from tests.architecture.test_locks import tracked
from tests.servers import npm

FOLDERS = sorted((ROOT / name).parent for name in tracked("*package-lock.json"))
FILES = ("package.json", "package-lock.json", ".npmrc")

every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=[str(folder.relative_to(ROOT)) for folder in FOLDERS])


@every_folder
def test_each_package_is_pinned_by_its_bytes_and_named_without_a_place(folder: Path) -> None:
    """Any registry serves it, none can change it."""
    wanted = json.loads((folder / "package.json").read_text("utf-8"))
    locked = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]

    root = locked.pop("")
    for kind in ("dependencies", "devDependencies"):
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.get(kind, {}).values())
        assert root.get(kind) == wanted.get(kind)
    assert locked
    for name, package in locked.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


@every_folder
def test_npm_keeps_a_new_lock_free_of_places(folder: Path) -> None:
    """Whoever makes the lock anew need not think of it (npm/cli#4874)."""
    assert "omit-lockfile-registry-resolved=true" in (folder / ".npmrc").read_text("utf-8").splitlines()


@pytest.mark.timeout(900)  # At first need npm itself is installed.
def test_two_workers_install_once(tmp_path: Path) -> None:
    """The second waits for the first; later ones find what is there and leave it."""
    for name in FILES:
        shutil.copy(ROOT / "tests" / "contracts" / "asyncapi" / name, tmp_path)

    with ThreadPoolExecutor(2) as workers:
        first, second = workers.map(npm.install, (tmp_path, tmp_path))
    (first / "mark").touch()

    assert first == second == npm.install(tmp_path)
    assert (first / "mark").exists()
    lock = tmp_path / "package-lock.json"
    lock.write_bytes(lock.read_bytes() + b"\n")
    npm.install(tmp_path)
    assert not (first / "mark").exists()  # Another lock is installed anew.


@pytest.mark.timeout(900)  # As above.
def test_a_lock_that_does_not_fit_is_one_line(tmp_path: Path) -> None:
    """With npm's own words."""
    (tmp_path / "package.json").write_text('{"devDependencies": {"@asyncapi/specs": "6.11.1"}}')
    (tmp_path / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {"": {}}}')

    with pytest.raises(NpmFailed, match=r"^npm ci failed in .*(?:@asyncapi/specs|lock)") as refused:
        npm.install(tmp_path)

    assert "\n" not in str(refused.value)


@pytest.mark.timeout(900)  # It is 60 MB.
def test_a_machine_without_npm_gets_one_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From a wheel, as its lock says; nothing is asked of whoever runs this."""
    for name in FILES:
        shutil.copy(ROOT / "tests" / "contracts" / "asyncapi" / name, tmp_path)
    monkeypatch.setenv("PATH", "")

    assert (npm.install(tmp_path) / "@asyncapi" / "specs").is_dir()


def test_a_machine_without_npm_and_uv_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A failure comes with a cure."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(NpmFailed, match=r"apt-get install npm"):
        command(tmp_path)
