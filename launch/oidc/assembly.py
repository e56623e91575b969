"""The embedded provider of one folder's platform, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from launch.oidc.clients import clients_of
from launch.oidc.people import People, person_of
from launch.oidc.provider import Means, Provider
from launch.oidc.records import record_own
from launch.oidc.sessions import Sessions
from shared import clock
from shared.auth.issuer import EmbeddedIssuer
from shared.auth.signatures import Signatures
from shared.roles import Role

PATH = "oidc"  # Under the front door.


@dataclass(frozen=True)
class Home:
    """A platform's folder and what is kept there."""

    folder: Path
    programme_id: UUID
    issuer: EmbeddedIssuer
    signatures: Signatures


def provider_of(home: Home, *, api_url: str, console_url: str, services: Sequence[str]) -> Provider:
    """Return the provider behind the front door at `api_url`; people sign in to the console at `console_url`."""

    def sign(role: Role) -> str:
        person_id = person_of(home.programme_id, role)
        return home.issuer.issue(person_id=person_id, programme_id=home.programme_id, roles=[role], now=clock.now())

    people = People(home.folder, home.programme_id, lambda: record_own(api_url, sign))
    means = Means(
        url=f"{api_url}/{PATH}",
        clients=clients_of(home.folder, services=services, console_url=console_url),
        people=people,
        sessions=Sessions(home.folder / "oidc-sessions.json", home.signatures),
        signatures=home.signatures,
    )
    return Provider(home.issuer, means)
