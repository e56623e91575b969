"""A whole season through the public doors, over the embedded PostgreSQL: `./popcandy demo --exit`."""

import subprocess
import time
from threading import Event, Thread

import orjson

from tests.bench.figures import Figure, Goal, Spread
from tests.bench.meters import tree_mib
from tests.bench.places import Places
from tests.bench.reports import Report, Say
from tests.faults.processes import ROOT
from tests.servers.postgres import open_folder

LOOK_SECONDS = 0.5


def measure(places: Places, *, repeat: int, say: Say) -> Report:
    """Play it, and watch how much memory all of its processes hold together."""
    del places  # It brings its own.
    played = [_play(say) for _ in range(repeat)]
    figures = [
        Figure("season_seconds", Spread.of([seconds for seconds, _ in played]), Goal(120, is_ceiling=True)),
        Figure("season_peak_mib", Spread.of([mib for _, mib in played]), Goal(600, is_ceiling=True)),
    ]
    return Report("season", {}, figures)


def _play(say: Say) -> tuple[float, float]:
    """Return seconds from the command to its end, and the most memory on the way, in MiB."""
    with open_folder() as folder:
        begun = time.monotonic()
        command = [str(ROOT / "popcandy"), "demo", "--exit", "--json", "--data", str(folder / "platform")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603  Ours.
        over = Event()
        watcher = Watcher(process.pid, over)
        watcher.start()
        out, _ = process.communicate()
        over.set()
        watcher.join()
        seconds = time.monotonic() - begun
        assert process.returncode == 0, "the season did not come in"
        say(f"season: {seconds:.1f} s, {watcher.most:.0f} MiB, {orjson.loads(out)['seconds']} s of them in the demo")
        return seconds, watcher.most


class Watcher(Thread):
    """Looks at the memory of a process and all that it has started, until told to stop."""

    def __init__(self, pid: int, over: Event) -> None:
        super().__init__(name="bench.memory", daemon=True)
        self.most = 0.0
        self._pid, self._over = pid, over

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, tree_mib(self._pid))
