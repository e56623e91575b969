"""Three RabbitMQ nodes on this machine that form one cluster, for tests that kill some of them.

One process keeps the nodes, so that a run has one cluster; tests, maybe in others, kill them and have them mended.
"""

import contextlib
import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from tests.servers.erlang import NodeFailed, Process, kill_group, make_family
from tests.servers.rabbitmq_node import RabbitNode, prepare_node, start_anew
from tests.waiting import until

SIZE = 3
_ASK_SECONDS = 5
_JOIN_SECONDS = 60
_MEND_SECONDS = 200
_MEND, _FAILED, _LOCK = "mend", "mend-failed", "lock"
# A minority stops rather than serve alone. Each node asks the first to take it in; the first begins alone.
_CONFIG = """\
cluster_partition_handling = pause_minority
collect_statistics_interval = 1000
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = {seed}
cluster_formation.classic_config.nodes.2 = {self}
"""


@dataclass(frozen=True)
class Member:
    """A node as tests know it."""

    name: str
    amqp_url: str
    management_url: str
    pid_file: str

    def kill(self) -> None:
        """End it as a power cut would; it stays away until the cluster is mended."""
        file = Path(self.pid_file)
        os.killpg(int(file.read_text()), signal.SIGKILL)
        file.unlink()


class RabbitCluster:
    """The cluster as tests know it; they hold it one at a time."""

    def __init__(self, folder: Path, members: list[Member]) -> None:
        self.members = members
        self._folder = folder

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Wait until no other test has the cluster, and hold it, whole, during the block. Raises NodeFailed."""
        with (self._folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.mend()
            yield

    def mend(self) -> None:
        """Have what was killed started, and wait until all nodes run. Raises NodeFailed."""
        wish, failed = self._folder / _MEND, self._folder / _FAILED
        wish.touch()
        until(lambda: not wish.exists(), timeout=_MEND_SECONDS, missing="a whole cluster")
        if failed.exists():
            raise NodeFailed(failed.read_text())

    def leader_of(self, queue: str, *, vhost: str) -> Member | None:
        """Return the node that leads a queue, or None while none does."""
        leader = self._queue(queue, vhost).get("leader")
        return next((member for member in self.members if member.name == leader), None)

    def members_online(self, queue: str, *, vhost: str) -> int:
        """Count the nodes that hold the queue and are up."""
        found = self._queue(queue, vhost)
        return len(set(found.get("online", [])) & set(found.get("members", [])))

    def urls(self, vhost: str, *, first: Member) -> str:
        """Return what RabbitTransport takes: the nodes' AMQP URLs with commas between, beginning with one."""
        others = [member for member in self.members if member is not first]
        return ",".join(urlsplit(member.amqp_url)._replace(path=f"/{vhost}").geturl() for member in (first, *others))

    def _queue(self, queue: str, vhost: str) -> dict[str, Any]:
        path = f"/api/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}"
        found = _ask([member.management_url for member in self.members], path)
        return found if isinstance(found, dict) else {}


class Keeper:
    """Starts the nodes and keeps them; they die with the thread that started them."""

    def __init__(self, folder: Path) -> None:
        """Write the files of a new cluster below `folder`."""
        self.folder = folder
        self._family = make_family()
        self._nodes = [self._prepare(number) for number in range(1, SIZE + 1)]
        self._epmd: Process | None = None

    @property
    def description(self) -> dict[str, Any]:
        """Say in JSON what tests need to know."""
        members = [Member(node.name, node.amqp_url, node.management_url, str(node.pid_file)) for node in self._nodes]
        return {"folder": str(self.folder), "members": [asdict(member) for member in members]}

    def start(self) -> None:
        """Start the first node, then the others at once; return when all are members. Raises NodeFailed."""
        self._epmd = self._family.start_epmd(self.folder)
        self._nodes[0].start()
        self._complete()

    def tend(self) -> None:
        """Mend the cluster if a test wishes it."""
        wish, failed = self.folder / _MEND, self.folder / _FAILED
        if not wish.exists():
            return
        failed.unlink(missing_ok=True)
        try:
            self._complete()
        except (NodeFailed, TimeoutError) as error:
            failed.write_text(str(error))
        wish.unlink()

    def kill(self) -> None:
        """End all nodes at once."""
        for node in self._nodes:
            node.kill()
        if self._epmd is not None:
            kill_group(self._epmd)
            self._epmd = None

    def stop(self) -> None:
        """Kill them and throw their data away."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self, number: int) -> RabbitNode:
        config = _CONFIG.format(seed=self._family.member(1), self=self._family.member(number))
        return prepare_node(self.folder / f"node-{number}", self._family, number=number, more_config=config)

    def _complete(self) -> None:
        """Start what does not run, all at once, for one may wait for another."""
        for node in self._nodes:
            if not node.is_alive:
                node.begin()
        for node in self._nodes:
            node.wait_up()
        until(lambda: self._count_running() == SIZE, timeout=_JOIN_SECONDS, missing=f"{SIZE} nodes in the cluster")

    def _count_running(self) -> int:
        nodes = _ask([node.management_url for node in self._nodes], "/api/nodes")
        return sum(node["running"] for node in nodes) if isinstance(nodes, list) else 0


def start_cluster(folder: Path) -> Keeper:
    """Start a cluster with all files below `folder`. Raises NodeFailed."""
    return start_anew(folder, Keeper)


def cluster_of(description: dict[str, Any]) -> RabbitCluster:
    """Return the cluster that a keeper has described."""
    return RabbitCluster(Path(description["folder"]), [Member(**member) for member in description["members"]])


def _ask(management_urls: list[str], path: str) -> object:
    """Ask the first node that answers; None if none does."""
    for url in management_urls:
        with contextlib.suppress(httpx2.TransportError):
            answer = httpx2.get(url + path, timeout=_ASK_SECONDS, trust_env=False)
            if answer.is_success:
                return answer.json()
    return None
