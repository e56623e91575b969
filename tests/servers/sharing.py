"""One RabbitMQ for a whole test run: the first process owns it, the workers of xdist wait for it through a folder.

It is started as soon as any process has collected a test that wants it, so that it boots while others run.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from threading import Event, Thread

from launch.broker import BrokerRefused
from tests.servers.rabbitmq import Broker, MissingRabbitMQ, find_rabbitmq
from tests.servers.rabbitmq_node import NodeFailed
from tests.waiting import until

_WANTED = "wanted"
_ANSWER = "answer.json"
_POLL_SECONDS = 0.05
_START_SECONDS = 200  # An installation included; below the time limit of a test.


class SharedBroker:
    """The broker of one run, in the process that outlives the workers. It dies with the thread that started it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="popcandy-rabbitmq-"))
        self._over = Event()
        self._thread = Thread(target=self._serve, name="shared-rabbitmq", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the broker if it was ever started."""
        self._over.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self) -> None:
        while not (self.folder / _WANTED).exists():
            if self._over.wait(_POLL_SECONDS):
                return
        try:
            broker = find_rabbitmq(self.folder / "node")
        except (MissingRabbitMQ, NodeFailed, BrokerRefused, OSError, subprocess.SubprocessError) as error:
            self._answer({"error": f"{type(error).__name__}: {error}"})
            return
        self._answer({"amqp_url": broker.amqp_url, "management_url": broker.management_url})
        self._over.wait()
        broker.stop()

    def _answer(self, answer: dict[str, str]) -> None:
        """Tell the workers; they never see half a file."""
        draft = self.folder / "draft"
        draft.write_text(json.dumps(answer))
        draft.rename(self.folder / _ANSWER)


def want_broker(folder: Path) -> None:
    """Have the broker started; asking again changes nothing."""
    (folder / _WANTED).touch()


def wait_for_broker(folder: Path) -> Broker:
    """Wait until it runs. Raises MissingRabbitMQ with what went wrong where it was started."""
    want_broker(folder)
    until((folder / _ANSWER).exists, timeout=_START_SECONDS, missing="the RabbitMQ of this run")
    answer: dict[str, str] = json.loads((folder / _ANSWER).read_text())
    if "error" in answer:
        raise MissingRabbitMQ(answer["error"])
    return Broker(answer["amqp_url"], answer["management_url"])
