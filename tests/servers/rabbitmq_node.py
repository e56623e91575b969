"""A RabbitMQ node of our own, from the RabbitMQ that is installed here: private files, loopback only, gone when we are.

Debian's own service, its cookie and its files are never touched.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import until

# The script itself: the wrapper on Debian's PATH switches user and reads the system's files.
_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_LOOPBACK = "127.0.0.1"
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"
_BOOT_SECONDS = 90
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
_START_COOKIE = "popcandy-tests"


class NodeFailed(Exception):
    """The node did not come up; the message ends with the tail of its output."""


@dataclass(frozen=True)
class _Ports:
    """Loopback ports that were free a moment ago."""

    amqp: int
    management: int
    distribution: int
    epmd: int


@dataclass
class RabbitNode:
    """One broker for tests; `kill` and `restart` keep its data and its ports."""

    amqp_url: str
    management_url: str
    folder: Path
    _ports: _Ports
    _name: str
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start epmd and the node; return when it greets in AMQP. Raises NodeFailed."""
        environment = _environment(self.folder, self._name, self._ports)
        self._spawn([_require("epmd"), "-port", str(self._ports.epmd), "-address", _LOOPBACK], environment)
        until(lambda: _listens(self._ports.epmd), timeout=10, missing="epmd")
        server = self._spawn([str(_require_script())], environment)
        until(
            lambda: server.poll() is not None or greets(_LOOPBACK, self._ports.amqp),
            timeout=_BOOT_SECONDS,
            missing=f"the AMQP greeting of {self._name}",
        )
        if server.poll() is not None:
            raise NodeFailed(f"{self._name} ended with {server.returncode}: {self._tail()}")

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL to the whole group, at once."""
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes.clear()

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
        program = str(_require_script().parent / "rabbitmqctl")
        environment = _environment(self.folder, self._name, self._ports)
        subprocess.run([program, *arguments], env=environment, check=True, capture_output=True)  # noqa: S603  Ours.

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start one process in a group of its own that dies when the thread that called dies."""
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  The command is ours.
                [*_with_parent(), *command],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _tail(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")[-600:]


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


def start_private_node(folder: Path) -> RabbitNode:
    """Start a node with all files below `folder`; try again when another process took a port. Raises NodeFailed."""
    failure = NodeFailed("never tried")
    for attempt in range(_TRIES):
        node = _prepare(folder / f"try-{attempt}")
        try:
            node.start()
        except (NodeFailed, TimeoutError) as error:
            node.kill()
            failure = NodeFailed(str(error))
        else:
            return node
    raise failure


def _prepare(folder: Path) -> RabbitNode:
    """Write the files of a new node."""
    home = folder / "home"
    home.mkdir(parents=True)
    with _free_ports(4) as numbers:
        ports = _Ports(*numbers)
    cookie = home / ".erlang.cookie"
    cookie.write_text(_START_COOKIE + uuid.uuid4().hex)
    cookie.chmod(0o400)
    (folder / "rabbitmq.conf").write_text(_CONFIG.format(amqp=ports.amqp, management=ports.management))
    (folder / "advanced.config").write_text(_ADVANCED)
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    (folder / "rabbitmq-env.conf").write_text("")
    return RabbitNode(
        amqp_url=f"amqp://guest:guest@{_LOOPBACK}:{ports.amqp}/bus",
        management_url=f"http://guest:guest@{_LOOPBACK}:{ports.management}",
        folder=folder,
        _ports=ports,
        _name=f"popcandy-{uuid.uuid4().hex[:12]}@localhost",
    )


def _environment(folder: Path, name: str, ports: _Ports) -> dict[str, str]:
    """Say everything that the start script would otherwise read from the system."""
    return {
        "PATH": os.defpath + ":/usr/sbin:/sbin",
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": _LOOPBACK,
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        # The script then becomes the server, so that the parent-death signal reaches the server itself.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
        ),
    }


def _with_parent() -> list[str]:
    """Ask Linux to kill the process with us: a killed test run leaves nothing behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


@contextlib.contextmanager
def _free_ports(count: int) -> Iterator[list[int]]:
    """Name loopback ports that nobody holds; all are held together, so that they differ."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_LOOPBACK, 0))
        yield [one.getsockname()[1] for one in sockets]


def _listens(port: int) -> bool:
    try:
        socket.create_connection((_LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def greets(host: str, port: int) -> bool:
    """Say whether an AMQP server offers to begin: its port alone opens long before."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(_PROTOCOL_HEADER)
            return connection.recv(1) == _METHOD_FRAME
    except OSError:
        return False


def _require(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise NodeFailed(f"{program} is not installed; it comes with Erlang")
    return found
