"""Certificates at the command line: whether a file is as it was issued, and the keys that they are signed with."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launch.announced import running
from launch.folders import NoPlatform, folder_of_command
from launch.refused import Problem, Unreachable
from shared.errors import Hindrance
from shared.settings import settings

if TYPE_CHECKING:
    from shared.documents.certificates import Verified

MOST_BYTES = 50_000_000
VALID, REVOKED, SUPERSEDED = "valid", "revoked", "superseded"
NOT_FOUND = 404

certificates = typer.Typer(help="Certificates of service.", no_args_is_help=True)

KeyFile = Annotated[Path | None, typer.Option(help="The issuer's public keys (a JWK Set); else the platform is asked.")]
EndedFile = Annotated[
    Path | None, typer.Option("--ended", help="What /certificate-endings/{prefix}/{year} answered; for offline.")
]
Url = Annotated[str | None, typer.Option(help="The issuer's platform, which also says whether it still holds.")]
Data = Annotated[Path | None, typer.Option(help="The platform's folder; else the one started last.")]


class Unreadable(Hindrance):
    """A file that was named is not there, too large, or not what it should be."""


@certificates.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The certificate, as PDF.")],
    key: KeyFile = None, ended: EndedFile = None, url: Url = None, data: Data = None,
) -> None:  # fmt: skip
    """Say whether a certificate is as it was issued and holds: valid (0), else invalid, revoked, superseded (1)."""
    from shared.auth.certificate_keys import public_keys  # noqa: PLC0415  Loaded by who looks at signatures.
    from shared.documents import certificates as papers  # noqa: PLC0415  As above.

    platform = url or (None if key else _running(data))
    keys = public_keys(_json(key) if key else _asked(platform, "/api/activities/certificate-keys"))
    try:
        found = papers.verify(_read(file), keys.get)
        state, checked = _state(found, ended, platform)
    except papers.NotValid as error:
        typer.echo(f"invalid\n  reason   {error.reason}")
        raise typer.Exit(1) from error
    told = found.statement
    lines = {
        "number": told.number, "period": f"{told.service_from} to {told.service_until} (excluded)",
        "minutes": told.minutes, "issued": told.issued_on, "key": told.key, "checked": checked,
    }  # fmt: skip
    typer.echo("\n".join([state, *(f"  {name:<8} {value}" for name, value in lines.items())]))
    if state != VALID:
        raise typer.Exit(1)


@certificates.command("new-key")
def make_key() -> None:
    """Print a new private key, to be put in front of the others in POPCANDY_CERTIFICATE_KEYS."""
    from shared.auth.certificate_keys import new_seed  # noqa: PLC0415  For this command alone.

    typer.echo(new_seed())


@certificates.command("rotate-key")
def rotate_key(data: Data = None) -> None:
    """Sign certificates of an embedded platform with a new key from its next start on; what was signed stays good."""
    from shared.auth.certificate_keys import rotate  # noqa: PLC0415  For this command alone.

    typer.echo(rotate(folder_of_command(data, settings())))


def _state(found: "Verified", ended: Path | None, platform: str | None) -> tuple[str, str]:
    """Return how a certificate stands, and how that is known: by a list, by the platform, or not at all."""
    if ended is not None:
        states = {each["number"]: each["state"] for each in _json(ended).get("items", ())}
        return states.get(found.statement.number, VALID), f"by {ended}"
    if platform is None:
        return VALID, "signatures only: whether it was revoked is not known"
    path = f"/api/activities/certificates/{found.statement.number}/check"
    return str(_asked(platform, path, code=found.signed.code)["state"]), f"at {platform}"


def _asked(platform: str | None, path: str, **params: str) -> dict[str, Any]:
    """Ask a platform for what is open. Raises NoPlatform, Unreachable, NotValid for what it does not know."""
    from launch.client import Api  # noqa: PLC0415  Offline goes without an HTTP client.
    from shared.documents.certificates import NotValid  # noqa: PLC0415  As above.

    if platform is None:
        raise NoPlatform("no platform runs here: give the issuer's public keys by --key, or its address by --url")
    with Api(platform) as api:
        try:
            return dict(api.get(path, token="", **params))
        except Problem as error:
            if error.status == NOT_FOUND and params:
                raise NotValid("unknown_to_the_platform") from error
            raise Unreachable(f"{platform} answers {error}") from error


def _running(data: Path | None) -> str | None:
    try:
        found = running(folder_of_command(data, settings()))
    except NoPlatform:
        return None
    return None if found is None else found.api_url


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Unreadable(f"{file} has more than {MOST_BYTES:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror}") from error


def _json(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(_read(file)))
    except (ValueError, TypeError) as error:
        raise Unreadable(f"{file} is no JSON object") from error
