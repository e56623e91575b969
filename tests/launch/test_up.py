"""`./popcandy up`: one process that begins, serves and ends whole."""

import signal
import socket
import stat
from pathlib import Path

import httpx2

from tests.launch.commands import GRACE_SECONDS, Terminal, is_gone
from tests.waiting import until


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=10, trust_env=False)


def test_begins_serves_and_ends_whole(terminal: Terminal, folder: Path) -> None:
    """SIGTERM ends it with 0 within its grace, and nothing of it is left running."""
    with terminal.up(folder) as up:
        postgres = up.postgres_pid
        assert get(f"{up.api_url}/readyz").json() == {"ready": True, "failures": {}}
        for service in ("activities", "ledger"):
            assert get(f"{up.api_url}/api/{service}/openapi.json").status_code == 200
        assert get(f"{up.api_url}/api/nothing/notes").json()["code"] == "not_found"
        assert get(f"{up.console_url}/signed-out").status_code == 200
        to_issuer = get(f"{up.console_url}/sign-in").headers["location"]
        assert to_issuer.startswith(f"{up.api_url}/oidc/authorize?")
        assert get(to_issuer).text.count('name="person"') > 10

        up.process.send_signal(signal.SIGTERM)
        out, err = up.process.communicate(timeout=GRACE_SECONDS)

    assert (up.process.returncode, out) == (0, "")
    assert up.api_url in err
    said = [line for line in err.splitlines() if not line.startswith("{")]
    assert said[-1].split() == ["sign", "in", f"{up.console_url}/"]
    assert is_gone(postgres)
    assert not (folder / "platform.json").exists()
    assert stat.S_IMODE((folder / "issuer-key.json").stat().st_mode) == 0o600


def test_two_over_one_folder_are_one_too_many(terminal: Terminal, folder: Path) -> None:
    """The second says so and ends; the first is found and asked as before."""
    with terminal.up(folder) as up:
        second = terminal.run("up", "--data", folder, "--port", 0, "--console-port", 0)
        assert "already runs" in second.complaint()

        assert terminal.run("queues", "--data", folder, "--json").code == 0
        assert get(f"{up.api_url}/readyz").status_code == 200


def test_a_port_that_is_taken_is_one_line(terminal: Terminal, folder: Path) -> None:
    """With how to take another; nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        for option in ("--port", "--console-port"):
            ports = {"--port": 0, "--console-port": 0} | {option: port}
            complaint = terminal.run(
                "up", "--data", folder, *(part for pair in ports.items() for part in pair)
            ).complaint()
            assert f"port {port}" in complaint
            assert "--port" in complaint

    assert not (folder / "postgres").exists()


def test_killed_it_leaves_no_server_and_begins_again(terminal: Terminal, folder: Path) -> None:
    """What was left in the folder misleads nobody, even if its process id is somebody else's by now."""
    with terminal.up(folder) as up:
        postgres = up.postgres_pid
        up.process.kill()
        up.process.wait()
        until(lambda: is_gone(postgres), timeout=GRACE_SECONDS, missing="the end of PostgreSQL")
    left_over = folder / "platform.json"
    left_over.write_text(left_over.read_text().replace(str(up.pid), "1"))

    assert terminal.run("queues", "--data", folder, "--json").code == 0
