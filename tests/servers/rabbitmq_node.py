"""A RabbitMQ node of our own, from the RabbitMQ that is installed here: private files, loopback only, gone when we are.

Debian's own service, its cookie and its files are never touched.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from tests.servers.erlang import (
    LOOPBACK,
    Family,
    NodeFailed,
    Process,
    free_ports,
    kill_group,
    make_family,
    require_alive,
    spawn,
)
from tests.waiting import until

# The script itself: the wrapper on Debian's PATH switches user and reads the system's files.
_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"
_BOOT_SECONDS = 150
_TRIES = 3

_CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
raft.wal_max_size_bytes = 64000000
log.console = false
log.file.level = warning
"""
# How long a dead letter without a target waits before it is tried again: 3 minutes, were it not for this.
_ADVANCED = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 2000}]}].\n"


@dataclass(frozen=True)
class _Ports:
    """Loopback ports that were free a moment ago."""

    amqp: int
    management: int
    distribution: int


@dataclass
class RabbitNode:
    """One broker for tests; `kill` and `restart` keep its data and its ports."""

    amqp_url: str
    management_url: str
    folder: Path
    name: str
    _ports: _Ports
    _family: Family
    _processes: list[Process] = field(default_factory=list)

    def start(self) -> None:
        """Start it; return when it greets in AMQP. Raises NodeFailed."""
        self.begin()
        self.wait_up()

    def begin(self) -> None:
        """Start it, with an epmd unless its family has one, and do not wait. Raises NodeFailed."""
        if not self._family.has_epmd:
            self._processes.append(self._family.start_epmd(self.folder))
        self._processes.append(spawn([str(_require_script())], self._environment(), self.folder))

    def wait_up(self) -> None:
        """Return when it greets in AMQP. Raises NodeFailed."""
        server = self._processes[-1]
        until(
            lambda: server.poll() is not None or greets(LOOPBACK, self._ports.amqp),
            timeout=_BOOT_SECONDS,
            missing=f"the AMQP greeting of {self.name}",
        )
        require_alive(server, self.folder)

    @property
    def is_alive(self) -> bool:
        """Say whether its process is there."""
        return bool(self._processes) and self._processes[-1].poll() is None

    @property
    def pid_file(self) -> Path:
        """Where the server writes its process, which leads a group of its own."""
        return self.folder / "pid"

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to the whole group, at once."""
        while self._processes:
            kill_group(self._processes.pop())

    def restart(self) -> None:
        """Come back with the same data on the same ports."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Kill it and throw its data away."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl`; a call costs a second."""
        command = [str(_require_script().parent / "rabbitmqctl"), *arguments]
        subprocess.run(command, env=self._environment(), check=True, capture_output=True)  # noqa: S603  Ours.

    def _environment(self) -> dict[str, str]:
        """Say everything that the start script would otherwise read from the system."""
        folder = self.folder
        return {
            "PATH": os.defpath + ":/usr/sbin:/sbin",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._family.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self._ports.distribution),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_PID_FILE": str(self.pid_file),
            # The script then becomes the server, so that the parent-death signal reaches the server itself.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }


class Startable(Protocol):
    """A node, or several that belong together."""

    def start(self) -> None:
        """Start. Raises NodeFailed."""

    def kill(self) -> None:
        """End at once."""


Broker = TypeVar("Broker", bound=Startable)


def start_anew(folder: Path, prepare: Callable[[Path], Broker]) -> Broker:
    """Prepare and start something; do both again elsewhere when another process took a port. Raises NodeFailed."""
    failure = NodeFailed("never tried")
    for attempt in range(_TRIES):
        broker = prepare(folder / f"try-{attempt}")
        try:
            broker.start()
        except (NodeFailed, TimeoutError) as error:
            broker.kill()
            failure = NodeFailed(str(error))
        else:
            return broker
    raise failure


def start_private_node(folder: Path) -> RabbitNode:
    """Start a node with all files below `folder`. Raises NodeFailed."""
    return start_anew(folder, lambda place: prepare_node(place, make_family(), number=1))


def prepare_node(folder: Path, family: Family, *, number: int, more_config: str = "") -> RabbitNode:
    """Write the files of a new node."""
    home = folder / "home"
    home.mkdir(parents=True)
    ports = _Ports(*free_ports(3))
    cookie = home / ".erlang.cookie"
    cookie.write_text(family.cookie)
    cookie.chmod(0o400)
    config = _CONFIG.format(amqp=ports.amqp, management=ports.management)
    (folder / "rabbitmq.conf").write_text(config + more_config)
    (folder / "advanced.config").write_text(_ADVANCED)
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    (folder / "rabbitmq-env.conf").write_text("")
    return RabbitNode(
        amqp_url=f"amqp://guest:guest@{LOOPBACK}:{ports.amqp}/bus",
        management_url=f"http://guest:guest@{LOOPBACK}:{ports.management}",
        folder=folder,
        name=family.member(number),
        _ports=ports,
        _family=family,
    )


def greets(host: str, port: int) -> bool:
    """Say whether an AMQP server offers to begin: its port alone opens long before."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(_PROTOCOL_HEADER)
            return connection.recv(1) == _METHOD_FRAME
    except OSError:
        return False


def find_script() -> Path | None:
    """Find the server's own start script, or None where RabbitMQ is not installed."""
    if _SCRIPT.exists():
        return _SCRIPT
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path) if on_path else None


def _require_script() -> Path:
    script = find_script()
    if script is None:
        raise NodeFailed("rabbitmq-server is not installed")
    return script
