"""`./popcandy`: its own environment from hashed locks, made once, made again when it has to be."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch.commands import ROOT, Ran

TOOLS = ("bash", "cat", "cmp", "cp", "cut", "dirname", "flock", "readlink", "rm", "sha256sum", "tail")


def run(checkout: Path, *arguments: str, path: str | None = None) -> Ran:
    """Run the checkout's script as a stranger: with the account's settings, none of ours, and no active environment."""
    inherited = os.environ  # noqa: TID251  A script is started in the environment of this run.
    ours = ("POPCANDY_", "VIRTUAL_ENV", "PYTHON", "PYTEST")
    kept = {name: value for name, value in inherited.items() if not name.startswith(ours)}
    entries = [entry for entry in kept["PATH"].split(":") if not Path(entry).is_relative_to(ROOT)]
    done = subprocess.run(  # noqa: S603  Our own script.
        [str(checkout / "popcandy"), *arguments],
        env=kept | {"PATH": path or ":".join(entries)},
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A fresh copy of what is or would be committed."""
    listed = [
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "popcandy",
        "*.lock",
        "launch",
        "shared",
        "services",
    ]
    found = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603  Fixed arguments.
    names = found.stdout.split("\0")
    target = tmp_path / "a checkout"
    for name in filter(None, names):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    yield target
    shutil.rmtree(tmp_path)


def test_installs_once_and_repairs_what_was_cut_short(checkout: Path) -> None:
    """From nothing to a command that runs, with Python and an index alone; a second start makes nothing."""
    first = run(checkout, "token", "--help")
    assert first.code == 0, first.err
    assert first.err.startswith("popcandy: installing requirements.lock …\n")
    assert "Usage: ./popcandy token" in first.out

    stamp = checkout / ".venv" / "popcandy-stamp"
    made = stamp.stat().st_mtime_ns
    second = run(checkout, "token", "--help")
    assert (second.code, second.err, second.out) == (0, "", first.out)
    assert stamp.stat().st_mtime_ns == made

    stamp.unlink()  # As when an installation was ended in the middle.
    shutil.rmtree(next(checkout.glob(".venv/lib/*/site-packages/typer")))
    link = checkout.parent / "link"
    link.symlink_to(checkout / "popcandy")
    third = run(checkout, "token", "--help")
    assert (third.code, third.out) == (0, first.out), third.err
    assert "installing" in third.err


def test_without_a_new_enough_python_it_is_one_line(checkout: Path) -> None:
    """That says what to install; nothing was made."""
    tools = checkout.parent / "bin"
    tools.mkdir()
    for tool in TOOLS:
        (tools / tool).symlink_to(str(shutil.which(tool)))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    for _ in range(2):
        ran = run(checkout, "up", path=str(tools))
        assert "Python 3.11" in ran.complaint()
        assert "apt-get install python3 python3-venv" in ran.err
        old.unlink(missing_ok=True)  # And then with none at all.
    assert not (checkout / ".venv").exists()
