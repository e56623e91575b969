"""What browsers load of others' making: fetched by npm at set-up, never committed.

    python -m launch.assets    # ./popcandy calls it when `static/vendor/` is not as `assets.json` says

`services/console/assets.json` names each file, its package, version and SHA-256. A copy of it in the folder, written
last, says that the folder is whole.
"""

import fcntl
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from launch import npm
from shared.errors import Hindrance

PAGES = Path(__file__).parents[1] / "services" / "console"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")


class Install(Protocol):
    """Installs a folder's lock, as `npm.ci` does."""

    def __call__(self, folder: Path, *, dev: bool) -> None:
        """Install it. Raises npm.NpmFailed."""


class AssetsMissing(Hindrance):
    """The pages lack what browsers load, and it could not be fetched; the message says why."""


@dataclass(frozen=True)
class Asset:
    """One file: its name with us, and where in which package it comes from."""

    path: str
    package: str
    version: str
    source: str
    sha256: str


def listed(pages: Path = PAGES) -> list[Asset]:
    """Return what `assets.json` lists."""
    return [Asset(**entry) for entry in orjson.loads((pages / "assets.json").read_bytes())]


def are_there(pages: Path = PAGES) -> bool:
    """Say whether the folder was filled from this very list."""
    whole = pages / "static" / "vendor" / "assets.json"
    return whole.exists() and whole.read_bytes() == (pages / "assets.json").read_bytes()


def fetch(pages: Path = PAGES, *, install: Install = npm.ci) -> None:
    """Fill `static/vendor/`; one that is whole is left. Of two at once the second waits. Raises AssetsMissing."""
    with (pages / "assets.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not are_there(pages):
            with tempfile.TemporaryDirectory() as folder:
                _install(pages, Path(folder), install)
                _fill(pages, Path(folder) / "node_modules")


def wrong(pages: Path = PAGES) -> Iterator[str]:
    """Name each file of the folder that is missing or not the one that is listed."""
    for asset in listed(pages):
        path = pages / "static" / "vendor" / asset.path
        if not path.exists() or _digest(path) != asset.sha256:
            yield asset.path


def _install(pages: Path, folder: Path, install: Install) -> None:
    for name in NPM_FILES:
        shutil.copy2(pages / name, folder / name)
    try:
        install(folder, dev=False)
    except npm.NpmFailed as error:
        raise AssetsMissing(f"what the pages load is not here and could not be fetched: {error}") from error


def _fill(pages: Path, modules: Path) -> None:
    vendor = pages / "static" / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir(parents=True)
    for asset in listed(pages):
        source = modules / asset.package / asset.source
        if not source.exists() or _digest(source) != asset.sha256:
            raise AssetsMissing(f"{asset.package} {asset.version} brought another {asset.source} than assets.json says")
        (vendor / asset.path).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, vendor / asset.path)
    shutil.copyfile(pages / "assets.json", vendor / "assets.json")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(pages: Path = PAGES, *, install: Install = npm.ci) -> None:
    """Fetch; what hinders it is said in one line, with exit code 2."""
    try:
        if not are_there(pages):
            sys.stderr.write("popcandy: fetching what the pages load …\n")
            fetch(pages, install=install)
    except Hindrance as hindrance:
        sys.exit(_said(hindrance))


def _said(hindrance: Hindrance) -> int:
    sys.stderr.write(f"popcandy: {' '.join(str(hindrance).split())}\n")
    return 2


if __name__ == "__main__":
    main()
