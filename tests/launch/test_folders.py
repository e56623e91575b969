"""Where platforms live, and which of them a command asks."""

import fcntl
import os
from pathlib import Path

import pytest

from launch.folders import (
    KEEP_SECONDS,
    NoPlatform,
    UnusableFolder,
    folder_of_command,
    folder_of_demo,
    folder_of_token,
    folder_of_up,
    is_in_use,
    remember,
    require_usable,
)
from shared import clock
from shared.settings import Settings


@pytest.fixture
def unset(tmp_path: Path) -> Settings:
    """Nothing is set but where platforms live."""
    return Settings(home=tmp_path, data=None)


def make_platform(folder: Path) -> Path:
    """Make what a platform's folder is known by."""
    (folder / "postgres").mkdir(parents=True)
    return folder


def make_old(folder: Path) -> Path:
    folder.mkdir()
    then = clock.now().timestamp() - KEEP_SECONDS - 60
    os.utime(folder, (then, then))
    return folder


def test_what_is_asked_comes_before_what_is_set(tmp_path: Path) -> None:
    """`--data` before POPCANDY_DATA before the usual place."""
    settings = Settings(home=tmp_path, data=tmp_path / "set")
    asked = make_platform(tmp_path / "asked")

    for choose in (folder_of_up, folder_of_demo, folder_of_command, folder_of_token):
        assert choose(asked, settings) == asked
    for choose in (folder_of_up, folder_of_demo):
        assert choose(None, settings) == tmp_path / "set"
        assert choose(None, Settings(home=tmp_path, data=None)).is_relative_to(tmp_path)


def test_up_always_comes_back_to_the_same_platform(unset: Settings) -> None:
    """It is this account's own."""
    assert folder_of_up(None, unset) == folder_of_up(None, unset)


def test_each_demo_has_a_folder_of_its_own(unset: Settings) -> None:
    """Which PostgreSQL's account can pass through."""
    one, other = folder_of_demo(None, unset), folder_of_demo(None, unset)

    assert one != other
    assert one.stat().st_mode & 0o005 == 0o005


def test_demos_of_long_ago_are_removed(tmp_path: Path, unset: Settings) -> None:
    """But not one that still runs, and nothing that is no demo."""
    old, running = make_old(tmp_path / "demo-old"), make_old(tmp_path / "demo-running")
    young, platform = tmp_path / "demo-young", make_old(tmp_path / "platform")
    young.mkdir()
    with (running / "lock").open("wb") as lock:
        os.utime(running, (0, 0))
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder_of_demo(None, unset)

    assert not old.exists()
    assert running.exists()
    assert young.exists()
    assert platform.exists()


def test_commands_ask_the_platform_that_was_started_last(tmp_path: Path, unset: Settings) -> None:
    """Whoever just started it means it."""
    for name in ("one", "other"):
        remember(make_platform(tmp_path / name), unset)

    assert folder_of_command(None, unset) == tmp_path / "other"
    assert folder_of_token(None, unset) == tmp_path / "other"


def test_without_a_platform_commands_say_how_to_get_one(tmp_path: Path, unset: Settings) -> None:
    """Never started, removed since, or a folder of something else."""
    with pytest.raises(NoPlatform, match=r"\./popcandy demo"):
        folder_of_command(None, unset)
    remember(tmp_path / "removed", unset)
    for folder in (None, tmp_path):
        with pytest.raises(NoPlatform):
            folder_of_command(folder, unset)


def test_a_token_may_be_signed_before_the_first_start(unset: Settings) -> None:
    """With the key of the platform that `up` will run."""
    assert folder_of_token(None, unset) == folder_of_up(None, unset)


def test_a_folder_is_in_use_while_somebody_holds_its_lock(tmp_path: Path) -> None:
    """Whatever process ids say; looking does not disturb."""
    assert not is_in_use(tmp_path)
    with (tmp_path / "lock").open("wb") as lock:
        assert not is_in_use(tmp_path)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_in_use(tmp_path)
    assert not is_in_use(tmp_path)


def test_a_folder_that_cannot_be_one_is_one_line(tmp_path: Path) -> None:
    """A file, or below a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UnusableFolder, match=f"^cannot use {path}: [^\\n]+$"):
            require_usable(path)
    assert require_usable(tmp_path / "deep" / "er").is_dir()
