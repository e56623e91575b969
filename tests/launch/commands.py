"""Commands as a person types them, each in a process of its own, and platforms that they start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.waiting import until

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "launch.cli")
GRACE_SECONDS = 30  # What container engines and service managers are told to wait (PITFALLS.md D7).


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what it printed, which is JSON and nothing else."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def complaint(self) -> str:
        """Return its one line of complaint, with which it ended as somebody's mistake."""
        assert (self.code, self.out) == (2, ""), self
        assert self.err.startswith("popcandy: ")
        assert self.err.count("\n") == 1
        return self.err.strip()


@dataclass(frozen=True)
class Terminal:
    """Somebody's terminal: the folder of their platforms, and what they have set."""

    home: Path

    def run(self, *arguments: object, **settings: str) -> Ran:
        """Run a command to its end; `settings` are variables."""
        done = subprocess.run(  # noqa: S603  Our own command.
            [*COMMAND, *map(str, arguments)],
            env=self._environment(settings),
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *arguments: object, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command that stays; what is left of it is killed at the end."""
        with subprocess.Popen(  # noqa: S603  Our own command.
            [*COMMAND, *map(str, arguments)],
            env=self._environment(settings),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def up(self, folder: Path) -> Iterator["Up"]:
        """Run a platform over a folder on free ports, and end it as a service manager does."""
        with self.running("up", "--data", folder, "--port", 0, "--console-port", 0) as process:
            announced = folder / "platform.json"
            until(
                lambda: process.poll() is not None or _is_announced(announced, process.pid),
                timeout=60,
                missing=f"the platform in {folder}",
            )
            assert process.poll() is None, process.communicate()
            yield Up(process, folder, **json.loads(announced.read_text()))
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(GRACE_SECONDS)

    def _environment(self, settings: dict[str, str]) -> dict[str, str]:
        inherited = os.environ  # noqa: TID251  A command is started in the environment of this run, less its settings.
        kept = {name: value for name, value in inherited.items() if not name.startswith("POPCANDY_")}
        return kept | {"POPCANDY_HOME": str(self.home), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"} | settings


@dataclass(frozen=True)
class Up:
    """A platform that runs in a process of its own."""

    process: subprocess.Popen[str]
    folder: Path
    api_url: str
    console_url: str
    pid: int

    @property
    def postgres_pid(self) -> int:
        """Its PostgreSQL's process."""
        return int((self.folder / "postgres" / "postmaster.pid").read_text().split()[0])


def _is_announced(file: Path, pid: int) -> bool:
    try:
        return bool(json.loads(file.read_text())["pid"] == pid)
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def copy_of(folder: Path, target: Path) -> Path:
    """Copy a stopped platform with its owners."""
    subprocess.run(["/bin/cp", "-a", str(folder), str(target)], check=True)  # noqa: S603  Ours.
    return target


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; as a zombie it holds nothing any more."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
