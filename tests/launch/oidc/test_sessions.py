"""Sessions on disk: no secret in them, never too many, and a broken file is not the end."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from launch.oidc import codes, sessions
from launch.oidc.codes import Codes, Grant
from launch.oidc.refusals import Refused
from launch.oidc.requests import AuthorizationRequest
from launch.oidc.sessions import Sessions
from shared import clock
from shared.auth.signatures import signatures_of

REQUEST = AuthorizationRequest("console", "http://127.0.0.1/", "openid", None, None, "c" * 43)
NOW = clock.now()


def make_grant(name: str = "s") -> Grant:
    return Grant(REQUEST, uuid4(), name, NOW)


def sessions_of(folder: Path) -> Sessions:
    return Sessions(folder / "sessions.json", signatures_of(folder))


def test_the_file_opens_nothing(tmp_path: Path) -> None:
    """Whoever reads a backup of it signs in as nobody."""
    kept = sessions_of(tmp_path)
    token = kept.refresh_token(kept.begin(make_grant(), now=NOW))
    file = tmp_path / "sessions.json"

    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "sorry", "{}", "5", "[5]", '[{"id": "s"}]', "null"])
def test_a_broken_file_holds_no_session(tmp_path: Path, content: str) -> None:
    """People sign in again; the platform starts."""
    kept = sessions_of(tmp_path)
    token = kept.refresh_token(kept.begin(make_grant(), now=NOW))
    (tmp_path / "sessions.json").write_text(content)
    again = sessions_of(tmp_path)

    with pytest.raises(Refused):
        again.go_on(token, client_id="console", now=NOW)
    again.begin(make_grant("t"), now=NOW)


def test_there_are_never_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest ends; those that are over are not kept at all."""
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 2)
    kept = sessions_of(tmp_path)
    tokens = [kept.refresh_token(kept.begin(make_grant(str(number)), now=NOW)) for number in range(3)]

    with pytest.raises(Refused):
        kept.go_on(tokens[0], client_id="console", now=NOW)
    kept.go_on(tokens[2], client_id="console", now=NOW)
    kept.end("nobody's", now=NOW + timedelta(days=1))
    assert (tmp_path / "sessions.json").read_text() == "[]"


def test_a_token_is_its_clients(tmp_path: Path) -> None:
    """Another client's secret does not help a thief, and ends nothing."""
    kept = sessions_of(tmp_path)
    token = kept.refresh_token(kept.begin(make_grant(), now=NOW))
    with pytest.raises(Refused):
        kept.go_on(token, client_id="another", now=NOW)

    assert kept.go_on(token, client_id="console", now=NOW).generation == 1


def test_codes_are_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for many loses the first of them."""
    monkeypatch.setattr(codes, "MOST_CODES", 2)
    given = Codes()
    first, second, third = (given.give(REQUEST, person_id=uuid4(), now=NOW) for _ in range(3))

    with pytest.raises(Refused):
        given.take(first, now=NOW)
    assert given.take(second, now=NOW).session_id != given.take(third, now=NOW).session_id
