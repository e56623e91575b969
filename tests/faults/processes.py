"""Processes of ours that a test starts, kills with -9 and never leaves behind."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import until

ROOT = Path(__file__).parents[2]
END_SECONDS = 30


class Process:
    """One Python process with its own log."""

    def __init__(self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603  Our own modules.
                [*_with_parent(), sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def peak_mib(self) -> int:
        """The most memory that it has held so far, in MiB; Linux counts that for us."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) // 1024

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, condition: object, *, missing: str, timeout: float = 60) -> None:
        """Wait for a condition, as long as the process lives."""

        def met_or_over() -> object:
            assert self._process.poll() is None, f"ended with {self._process.returncode}: {self.output[-2000:]}"
            assert callable(condition)
            return condition()

        until(met_or_over, timeout=timeout, missing=missing)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(END_SECONDS)

    def wait(self) -> int:
        """Wait for its own end and return its exit code."""
        return self._process.wait(2 * END_SECONDS)

    def signal_end(self) -> None:
        """Tell it to end, and do not wait for that."""
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Tell it to end; it has to do so cleanly."""
        self.signal_end()
        assert self._process.wait(END_SECONDS) == 0, self.output[-2000:]

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None


class Processes:
    """All processes of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Process] = []

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Process:
        """Run `python -m <arguments>` with an environment of its own."""
        log = self.folder / f"{len(self._started)}-{arguments[0]}.log"
        process = Process(arguments, log=log, environment=environment or {})
        self._started.append(process)
        return process

    def kill_all(self) -> None:
        for process in self._started:
            if not process.is_over:
                process.kill()


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """Start processes that are gone when the block ends, however it ends."""
    started = Processes(folder)
    try:
        yield started
    finally:
        started.kill_all()


def _with_parent() -> list[str]:
    """Ask Linux to kill the process with us: a killed test run leaves nothing behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
