"""The embedded issuer: a key of the folder's own, and never in production."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from shared import clock
from shared.auth.issuer import TOKEN_LIFE, EmbeddedIssuer, IssuerForbidden
from shared.auth.keys import key_store
from shared.auth.tokens import TokenVerifier
from shared.roles import Role
from shared.settings import Settings
from tests.shared.auth.signing import PARTNER, PERSON, PROGRAMME

SETTINGS = Settings(environment="development")
MAKE = """
import sys
from pathlib import Path
from shared.auth.issuer import EmbeddedIssuer
from shared.settings import Settings
sys.stdin.readline()
print(EmbeddedIssuer(Path(sys.argv[1]), Settings(environment="development")).key.kid)
"""


def test_what_it_signs_is_verified_from_its_file(tmp_path: Path) -> None:
    """Services that run apart read `jwks.json` of the folder."""
    issuer = EmbeddedIssuer(tmp_path, SETTINGS)
    now = clock.now()
    token = issuer.issue(
        person_id=PERSON, programme_id=PROGRAMME, roles=[Role.PARTNER, Role.VOLUNTEER], now=now, partner_id=PARTNER
    )
    store = key_store(str(tmp_path / "jwks.json"))
    store.refresh()
    caller = TokenVerifier(store, issuer=SETTINGS.issuer, audience=SETTINGS.audience).verify(token, now=now)

    assert (caller.person_id, caller.programme_id, caller.partner_id) == (PERSON, PROGRAMME, PARTNER)
    assert caller.roles == {Role.PARTNER, Role.VOLUNTEER}
    assert TOKEN_LIFE.total_seconds() == 12 * 3600


def test_the_folder_keeps_its_key(tmp_path: Path) -> None:
    """A token of this morning is good after a restart at noon."""
    assert EmbeddedIssuer(tmp_path, SETTINGS).key.kid == EmbeddedIssuer(tmp_path, SETTINGS).key.kid


def test_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    """Whoever has it is everybody."""
    issuer = EmbeddedIssuer(tmp_path, SETTINGS)
    private = str(issuer.key.as_dict(private=True)["d"])

    assert (tmp_path / "issuer-key.json").stat().st_mode & 0o777 == 0o600
    assert private in (tmp_path / "issuer-key.json").read_text()
    published = (tmp_path / "jwks.json").read_text()
    assert private not in published
    assert [set(key) & {"d", "p", "q"} for key in orjson.loads(published)["keys"]] == [set()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issuer-key.json", "jwks.json"]


def test_it_does_not_exist_in_production(tmp_path: Path) -> None:
    """There, people sign in at a real identity provider."""
    with pytest.raises(IssuerForbidden, match="POPCANDY_JWKS"):
        EmbeddedIssuer(tmp_path, Settings(environment="production"))

    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    """`up` and `token` may be the first in a folder at the same moment."""
    processes = [
        subprocess.Popen(  # noqa: S603  Our own code.
            [sys.executable, "-c", MAKE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    made = {process.communicate(timeout=60)[0] for process in processes}
    assert len(made) == 1
    assert EmbeddedIssuer(tmp_path, SETTINGS).key.kid == made.pop().strip()
