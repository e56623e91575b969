"""`./popcandy certificate verify FILE`: with the issuer's keys alone, by a list of endings, and at a platform."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from launch import cli
from launch.web import WebServer
from shared.auth.certificate_keys import CertificateKeys, new_seed
from shared.errors import Hindrance
from shared.roles import Role
from shared.web.rates import RateLimiter
from tests.activities.door import Door
from tests.factories.activities import NOON, make_settled, make_shift
from tests.factories.certificates import make_issuer

DAY = {"service_from": "2022-06-01", "service_until": "2022-06-02"}


@pytest.fixture(scope="module")
def platform(client: TestClient) -> Iterator[str]:
    """Serve the app of these tests on a port of its own."""
    server, stop = WebServer(host="127.0.0.1", port=0), threading.Event()
    thread = threading.Thread(target=server.serving(client.app), args=(stop,))
    thread.start()
    yield server.url
    stop.set()
    thread.join(20)


@pytest.fixture
def issued(door: Door, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """Have a certificate issued; return its file and what the API says of it."""
    door.watch.now = NOON
    door.client.app.state.visitors = RateLimiter(60)  # type: ignore[attr-defined]  # It is our FastAPI.
    door.put_in(lambda tx: make_issuer(tx, programme_id=door.programme_id))
    record = door.put_in(lambda tx: make_settled(tx, make_shift(tx, programme_id=door.programme_id)))
    own = door.by(Role.VOLUNTEER, person_id=record.volunteer_id)
    certificate = own.post("/volunteers/me/certificates", **DAY).json()
    pdf = own.get(f"/certificates/{certificate['id']}", format="pdf").content
    file = tmp_path / "certificate.pdf"
    file.write_bytes(pdf)
    return file, certificate


@pytest.fixture
def keys(door: Door, tmp_path: Path) -> Path:
    file = tmp_path / "keys.json"
    file.write_bytes(door.client.get("/api/activities/certificate-keys").content)
    return file


def verify(*arguments: object) -> tuple[int, list[str]]:
    ran = CliRunner().invoke(cli.app, ["certificate", "verify", *map(str, arguments)], catch_exceptions=False)
    return ran.exit_code, ran.output.splitlines()


def test_keys_are_enough(issued: tuple[Path, dict[str, Any]], keys: Path) -> None:
    """Offline: valid by its signatures, and it says that nobody was asked."""
    file, certificate = issued

    code, lines = verify(file, "--key", keys)

    assert (code, lines[0]) == (0, "valid")
    told = "\n".join(lines)
    assert certificate["number"] in told
    assert "2022-06-01 to 2022-06-02" in told
    assert "not known" in told


def test_one_byte_makes_it_invalid(issued: tuple[Path, dict[str, Any]], keys: Path) -> None:
    """Wherever it is; and so does another issuer's key."""
    file, _ = issued
    content = file.read_bytes()
    for place in (0, len(content) // 2, content.index(b"popcandy-certificate-1.") + 60, len(content) - 1):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        code, lines = verify(file, "--key", keys)
        assert (code, lines[0]) == (1, "invalid"), place
    file.write_bytes(content)
    other = CertificateKeys([new_seed()])
    keys.write_text(json.dumps(other.jwks()))
    code, lines = verify(file, "--key", keys)
    assert (code, lines[0], lines[1].split()[-1]) == (1, "invalid", "unknown_key")


def test_a_platform_says_whether_it_holds(door: Door, issued: tuple[Path, dict[str, Any]], platform: str) -> None:
    """Its keys are asked for as well."""
    file, certificate = issued
    code, lines = verify(file, "--url", platform)
    assert (code, lines[0]) == (0, "valid")
    assert f"at {platform}" in lines[-1]

    door.decide(f"/certificates/{certificate['id']}", "revocation", reason="冒用")

    code, lines = verify(file, "--url", platform)
    assert (code, lines[0]) == (1, "revoked")


def test_a_list_of_endings_says_it_offline(
    door: Door, issued: tuple[Path, dict[str, Any]], keys: Path, tmp_path: Path
) -> None:
    """As the platform answers it."""
    file, certificate = issued
    prefix, year, _ = certificate["number"].split("-")
    endings = tmp_path / "endings.json"
    for expected in ((0, "valid"), (1, "revoked")):
        endings.write_bytes(door.client.get(f"/api/activities/certificate-endings/{prefix}/{year}").content)
        code, lines = verify(file, "--key", keys, "--ended", endings)
        assert (code, lines[0]) == expected
        door.decide(f"/certificates/{certificate['id']}", "revocation", reason="冒用")


def test_what_cannot_be_looked_at_is_said(issued: tuple[Path, dict[str, Any]], keys: Path, tmp_path: Path) -> None:
    """A file that is not there, keys that are none, nobody who answers; an empty file is no certificate."""
    file, _ = issued
    nothing = tmp_path / "nothing.pdf"
    with pytest.raises(Hindrance, match=r"nothing\.pdf: No such file"):
        verify(nothing, "--key", keys)
    nothing.write_bytes(b"")
    assert verify(nothing, "--key", keys) == (1, ["invalid", "  reason   no_certificate"])
    with pytest.raises(Hindrance, match=r"nothing\.pdf is no JSON object"):
        verify(file, "--key", nothing)
    with pytest.raises(Hindrance, match=r"no answer from http://127\.0\.0\.1:9"):
        verify(file, "--url", "http://127.0.0.1:9")


def test_keys_are_made(tmp_path: Path) -> None:
    """One for the setting, which takes it; one for a folder, by its id."""
    made = CliRunner().invoke(cli.app, ["certificate", "new-key"]).output.strip()
    (key_id,) = CertificateKeys([made]).ids

    (tmp_path / "postgres").mkdir()
    rotated = CliRunner().invoke(cli.app, ["certificate", "rotate-key", "--data", str(tmp_path)]).output.strip()

    assert len(rotated) == len(key_id)
    assert rotated != key_id
    assert len((tmp_path / "certificate-keys").read_text().split()) == 2
