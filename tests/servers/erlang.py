"""What nodes of Erlang need to run here without the system's own: processes, ports, a cookie, and the daemon epmd."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import until

LOOPBACK = "127.0.0.1"
PORTS = range(10_000, 32_000)
_OUTPUT = "output.log"

Process = subprocess.Popen[bytes]


class NodeFailed(Exception):
    """A node did not come up; the message ends with the tail of its output."""


@dataclass(frozen=True)
class Family:
    """What the nodes of a cluster share; a node alone has one of its own."""

    name: str
    cookie: str
    epmd_port: int

    def member(self, number: int) -> str:
        """Name a node."""
        return f"{self.name}-{number}@localhost"

    @property
    def has_epmd(self) -> bool:
        return listens(self.epmd_port)

    def start_epmd(self, folder: Path) -> Process:
        """Start the daemon by which nodes find each other; one of a node's own would outlive us. Raises NodeFailed."""
        program = shutil.which("epmd")
        if program is None:
            raise NodeFailed("epmd is not installed; it comes with Erlang")
        command = [program, "-port", str(self.epmd_port), "-address", LOOPBACK]
        process = spawn(command, {"PATH": os.defpath}, folder)
        until(lambda: process.poll() is not None or self.has_epmd, timeout=10, missing="epmd")
        require_alive(process, folder)
        return process


def make_family() -> Family:
    """Name a new family."""
    token = uuid.uuid4().hex
    return Family(f"popcandy-{token[:12]}", f"popcandy-tests{token}", *free_ports(1))


def spawn(command: Sequence[str], environment: dict[str, str], folder: Path) -> Process:
    """Start a process in a group of its own that dies when the thread that called dies."""
    with (folder / _OUTPUT).open("ab") as output:
        return subprocess.Popen(  # noqa: S603  The command is ours.
            [*_with_parent(), *command],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def require_alive(process: Process, folder: Path) -> None:
    """Raise NodeFailed with the end of what was said, if the process has ended."""
    if process.poll() is not None:
        said = (folder / _OUTPUT).read_text(errors="replace")[-600:]
        raise NodeFailed(f"{process.args!r} ended with {process.returncode}: {said}")


def kill_group(process: Process) -> None:
    """Send SIGKILL to a process and all that it started, and wait for its end."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_ports(count: int) -> list[int]:
    """Name loopback ports that nobody holds; all are held together, so that they differ.

    They lie below those from which Linux takes the ports of clients: while a server is away, none takes its port.
    """
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        while len(found) < count:
            port, one = secrets.choice(PORTS), stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind((LOOPBACK, port))
                found.append(port)
    return found


def listens(port: int) -> bool:
    """Say whether anybody accepts connections."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _with_parent() -> list[str]:
    """Ask Linux to kill the process with us: a killed test run leaves nothing behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
