"""Where embedded platforms live on this machine, and which one was started last."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from shared import clock
from shared.errors import Hindrance
from shared.settings import Settings

KEEP_SECONDS = 3600


class NoPlatform(Hindrance):
    """There is no platform to ask; the message says how to make one."""


class UnusableFolder(Hindrance):
    """A platform cannot live in the folder; the message says why."""


def require_usable(folder: Path) -> Path:
    """Return a platform's folder with all symbolic links resolved, made if it is missing. Raises UnusableFolder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableFolder(f"cannot use {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise UnusableFolder(f"cannot write to {folder}")
    return folder.resolve()


def home(settings: Settings) -> Path:
    """Return the folder of this account's platforms; root's is one that PostgreSQL's own account can enter."""
    if settings.home is not None:
        return settings.home
    return Path("/var/lib/popcandy") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "popcandy"


def folder_of_up(wanted: Path | None, settings: Settings) -> Path:
    """Return where `up` lives: as asked, as set, else this account's one platform."""
    return wanted or settings.data or home(settings) / "platform"


def folder_of_demo(wanted: Path | None, settings: Settings) -> Path:
    """Return where a demo lives: as asked, as set, else a fresh folder; demos of more than an hour ago are removed."""
    if wanted or settings.data:
        return wanted or settings.data or home(settings)
    home(settings).mkdir(parents=True, exist_ok=True)
    for old in home(settings).glob("demo-*"):
        if clock.now().timestamp() - old.stat().st_mtime > KEEP_SECONDS and not is_in_use(old):
            shutil.rmtree(old, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="demo-", dir=home(settings)))
    fresh.chmod(0o755)  # PostgreSQL's account must pass through; its own folder inside is closed to all others.
    return fresh


def folder_of_command(wanted: Path | None, settings: Settings) -> Path:
    """Return the platform that a command asks: as asked, as set, else the one started last. Raises NoPlatform."""
    last = home(settings) / "last"
    folder = wanted or settings.data or (Path(last.read_text()) if last.exists() else None)
    if folder is None or not (folder / "postgres").exists():
        raise NoPlatform("no platform here yet; start one with ./popcandy demo, or name one with --data or --url")
    return folder


def folder_of_token(wanted: Path | None, settings: Settings) -> Path:
    """Return whose key signs a token: as asked, as set, else the platform started last, else that of `up`."""
    try:
        return wanted or folder_of_command(None, settings)
    except NoPlatform:
        return folder_of_up(None, settings)


def remember(folder: Path, settings: Settings) -> None:
    """Note which platform was started last."""
    home(settings).mkdir(parents=True, exist_ok=True)
    (home(settings) / "last").write_text(str(folder.resolve()))


def is_in_use(folder: Path) -> bool:
    """Say whether a platform runs over a folder."""
    lock = folder / "lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
