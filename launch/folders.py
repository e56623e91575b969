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


def home() -> Path:
    """Return the folder of this account's platforms; root's is one that PostgreSQL's own account can enter."""
    return Path("/var/lib/popcandy") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "popcandy"


def folder_of_up(wanted: Path | None, settings: Settings) -> Path:
    """Return where `up` lives: as asked, as set, else this account's one platform."""
    return wanted or settings.data or home() / "platform"


def folder_of_demo(wanted: Path | None, settings: Settings) -> Path:
    """Return where a demo lives: as asked, as set, else a fresh folder; demos of more than an hour ago are removed."""
    if wanted or settings.data:
        return wanted or settings.data or home()
    home().mkdir(parents=True, exist_ok=True)
    for old in home().glob("demo-*"):
        if clock.now().timestamp() - old.stat().st_mtime > KEEP_SECONDS and not _is_in_use(old):
            shutil.rmtree(old, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix="demo-", dir=home()))
    fresh.chmod(0o755)  # PostgreSQL's account must pass through; its own folder inside is closed to all others.
    return fresh


def folder_of_command(wanted: Path | None, settings: Settings) -> Path:
    """Return the platform that a command asks: as asked, as set, else the one started last. Raises NoPlatform."""
    last = home() / "last"
    folder = wanted or settings.data or (Path(last.read_text()) if last.exists() else None)
    if folder is None or not (folder / "postgres").exists():
        raise NoPlatform("no platform here yet; start one with ./popcandy demo, or name one with --data or --url")
    return folder


def remember(folder: Path) -> None:
    """Note which platform was started last."""
    home().mkdir(parents=True, exist_ok=True)
    (home() / "last").write_text(str(folder.resolve()))


def _is_in_use(folder: Path) -> bool:
    lock = folder / "lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
