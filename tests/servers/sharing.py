"""One RabbitMQ, and one cluster, for a whole test run: its first process keeps them, the workers of xdist reach them.

Each is told by a folder, and started as soon as any process wants it.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any, Protocol

from launch.broker import BrokerRefused
from tests.servers.erlang import NodeFailed
from tests.servers.rabbitmq import Broker, MissingRabbitMQ
from tests.servers.rabbitmq_cluster import RabbitCluster, cluster_of
from tests.waiting import until

_WANTED = "wanted"
_ANSWER = "answer.json"
_POLL_SECONDS = 0.05
_START_SECONDS = 200  # An installation included; below the time limit of a test.


class Kept(Protocol):
    """What runs for the whole run."""

    @property
    def description(self) -> dict[str, Any]:
        """Say in JSON what tests need to know."""

    def tend(self) -> None:
        """Do what tests have wished for since."""

    def stop(self) -> None:
        """Leave nothing behind."""


class Shared:
    """A server of one run, in the process that outlives the workers. It dies with the thread that started it."""

    def __init__(self, start: Callable[[Path], Kept]) -> None:
        """Call `start` with a folder as soon as somebody wants what it starts."""
        self.folder = Path(tempfile.mkdtemp(prefix="popcandy-rabbitmq-"))
        self._start = start
        self._over = Event()
        self._thread = Thread(target=self._serve, name="shared-rabbitmq", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the server if it was ever started."""
        self._over.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self) -> None:
        while not (self.folder / _WANTED).exists():
            if self._over.wait(_POLL_SECONDS):
                return
        try:
            kept = self._start(self.folder / "node")
        except (MissingRabbitMQ, NodeFailed, BrokerRefused, OSError, subprocess.SubprocessError) as error:
            self._answer({"error": f"{type(error).__name__}: {error}"})
            return
        self._answer(kept.description)
        while not self._over.wait(_POLL_SECONDS):
            kept.tend()
        kept.stop()

    def _answer(self, answer: dict[str, Any]) -> None:
        """Tell the workers; they never see half a file."""
        draft = self.folder / "draft"
        draft.write_text(json.dumps(answer))
        draft.rename(self.folder / _ANSWER)


def want(folder: Path) -> None:
    """Have the server of a folder started; asking again changes nothing."""
    (folder / _WANTED).touch()


def wait_for_broker(folder: Path) -> Broker:
    """Wait until it runs. Raises MissingRabbitMQ with what went wrong where it was started."""
    return Broker(**_wait(folder))


def wait_for_cluster(folder: Path) -> RabbitCluster:
    """Wait until it runs. Raises MissingRabbitMQ with what went wrong where it was started."""
    return cluster_of(_wait(folder))


def _wait(folder: Path) -> dict[str, Any]:
    want(folder)
    until((folder / _ANSWER).exists, timeout=_START_SECONDS, missing="the RabbitMQ of this run")
    answer: dict[str, Any] = json.loads((folder / _ANSWER).read_text())
    if "error" in answer:
        raise MissingRabbitMQ(answer["error"])
    return answer
