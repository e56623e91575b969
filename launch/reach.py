"""How a command reaches a platform: by its URL, by the folder of one that runs, or by starting the one in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from launch.announced import running
from launch.folders import NoPlatform, folder_of_command
from shared import clock
from shared.ids import new_id
from shared.roles import Role
from shared.settings import Settings

if TYPE_CHECKING:
    from launch.client import Api


@dataclass(frozen=True)
class Way:
    """What the person at the keyboard said about which platform, and as whom."""

    url: str | None = None
    token: str | None = None
    data: Path | None = None


@dataclass(frozen=True)
class Reached:
    """A platform's APIs with a token that opens what the command needs."""

    api: "Api"
    token: str


@contextmanager
def reached(way: Way, settings: Settings, *roles: Role) -> Iterator[Reached]:
    """Reach a platform as somebody with `roles`; a token that was given is used as it is. Raises NoPlatform."""
    from launch.client import Api  # noqa: PLC0415  Commands that ask nobody go without an HTTP client.

    if way.url:
        if not way.token:
            raise NoPlatform("--url needs --token (or POPCANDY_TOKEN): ask the platform's identity provider for one")
        with Api(way.url) as api:
            yield Reached(api, way.token)
        return
    folder = folder_of_command(way.data, settings)
    with _address(folder, settings) as url, Api(url) as api:
        yield Reached(api, way.token or signed(folder, settings, roles))


@contextmanager
def _address(folder: Path, settings: Settings) -> Iterator[str]:
    found = running(folder)
    if found is not None:
        yield found.api_url
        return
    from launch.embedded import EmbeddedPlatform  # noqa: PLC0415  All of it is loaded where none runs yet.

    platform = EmbeddedPlatform(folder, settings)
    try:
        yield platform.start().api_url
    finally:
        platform.stop()


def signed(
    folder: Path, settings: Settings, roles: tuple[Role, ...], *, programme_id: UUID | None = None,
    person_id: UUID | None = None, partner_id: UUID | None = None,
) -> str:  # fmt: skip
    """Sign a token with the key of an embedded platform's folder. Raises IssuerForbidden in production."""
    from shared.auth.issuer import EmbeddedIssuer  # noqa: PLC0415  Cryptography is loaded by who signs.

    return EmbeddedIssuer(folder, settings).issue(
        person_id=person_id or new_id(),
        programme_id=programme_id or programme_of(folder),
        roles=roles,
        partner_id=partner_id,
        now=clock.now(),
    )


def programme_of(folder: Path) -> UUID:
    """Return a folder's own programme. Raises NoPlatform."""
    path = folder / "programme"
    if not path.exists():
        raise NoPlatform(f"{folder} holds no programme; name one with --programme, or start ./popcandy up there")
    return UUID(path.read_text().strip())
