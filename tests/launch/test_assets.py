"""What browsers load: as listed, as locked, fetched once, and with a clear word when it cannot come."""

import json
import shutil
from pathlib import Path

import pytest

from launch import assets, npm
from launch.assets import NPM_FILES, PAGES, AssetsMissing
from tests.architecture.test_locks import tracked


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A console's folder in which nothing was fetched, and nothing can be."""
    for name in (*NPM_FILES, "assets.json"):
        shutil.copy2(PAGES / name, tmp_path / name)
    return tmp_path


class Packages:
    """An npm that brings what was fetched already, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, folder: Path, *, dev: bool) -> None:
        assert not dev
        self.asked += 1
        for asset in assets.listed():
            target = folder / "node_modules" / asset.package / asset.source
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PAGES / "static" / "vendor" / asset.path, target)


@pytest.fixture
def packages() -> Packages:
    assets.fetch()
    return Packages()


def test_the_list_is_the_folder_and_the_lock() -> None:
    """Each file is the one that was looked at, of the version that is locked; nothing else lies there."""
    assets.fetch()
    vendor = PAGES / "static" / "vendor"
    locked = json.loads((PAGES / "package-lock.json").read_text("utf-8"))["packages"]

    assert list(assets.wrong()) == []
    found = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()}
    assert found == {asset.path for asset in assets.listed()} | {"assets.json"}
    for asset in assets.listed():
        assert locked[f"node_modules/{asset.package}"]["version"] == asset.version, asset.path


def test_nothing_of_it_is_committed() -> None:
    """Others' work is fetched from where they publish it."""
    assert tracked("*static/vendor*", "*node_modules*") == []


def test_is_fetched_once(pages: Path, packages: Packages) -> None:
    """A second start makes nothing; another list is fetched anew."""
    assets.fetch(pages, install=packages)
    assets.fetch(pages, install=packages)
    assert (packages.asked, list(assets.wrong(pages)), assets.are_there(pages)) == (1, [], True)

    (pages / "assets.json").write_bytes((pages / "assets.json").read_bytes() + b"\n")
    assert not assets.are_there(pages)
    assets.fetch(pages, install=packages)

    assert (packages.asked, assets.are_there(pages)) == (2, True)


def test_another_file_than_was_looked_at_is_refused(pages: Path, packages: Packages) -> None:
    """Whatever a registry sends, and the folder never counts as whole."""
    listed = json.loads((pages / "assets.json").read_text("utf-8"))
    listed[-1]["sha256"] = "0" * 64
    (pages / "assets.json").write_text(json.dumps(listed))

    with pytest.raises(AssetsMissing, match=r"brought another icons/outline/scale\.svg than assets\.json says"):
        assets.fetch(pages, install=packages)

    assert packages.asked == 1
    assert not assets.are_there(pages)


def test_what_was_changed_in_the_folder_is_named(pages: Path, packages: Packages) -> None:
    """A test of ours compares, since a start does not."""
    assets.fetch(pages, install=packages)
    (pages / "static" / "vendor" / "htmx.min.js").write_text("alert(1)")
    (pages / "static" / "vendor" / "tabler.min.css").unlink()

    assert sorted(assets.wrong(pages)) == ["htmx.min.js", "tabler.min.css"]
    assert packages.asked == 1


def test_without_a_network_one_line_says_so(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The person at the keyboard reads what is missing, not a stack of calls."""

    def nobody_answers(folder: Path, *, dev: bool) -> None:
        raise npm.NpmFailed(f"npm ci failed in {folder}: getaddrinfo EAI_AGAIN ({dev})")

    with pytest.raises(SystemExit) as ended:
        assets.main(pages, install=nobody_answers)

    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert len(said) == 2
    assert said[1].startswith("popcandy: what the pages load is not here and could not be fetched: npm ci failed")


def test_npm_s_own_failure_is_one_line(pages: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A registry that does not answer, by the real npm."""
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9/")
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "an empty cache"))
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")

    with pytest.raises(AssetsMissing, match=r"^what the pages load is not here .* npm ci failed .*ECONN") as refused:
        assets.fetch(pages)

    assert "\n" not in str(refused.value)
    assert not assets.are_there(pages)
