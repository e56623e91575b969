"""`docs`: documents made from the code, for whoever reads it with other tools."""

from pathlib import Path
from typing import Annotated, Any

import typer

from launch.folders import UnusableFolder, require_usable

docs = typer.Typer(help="Documents made from the code.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder for the document; made if it is missing.")]


@docs.command("asyncapi")
def write_asyncapi(out: Out) -> None:
    """Write asyncapi.json (AsyncAPI 3.0): every event, who tells it, and who hears it."""
    from launch.asyncapi import document  # noqa: PLC0415  Contracts are loaded for this command alone.

    found = document()
    path = _write(out, "asyncapi.json", found)
    typer.echo(f"{path}: {len(found['components']['messages'])} events, {len(found['operations'])} operations")


@docs.command("openapi")
def write_openapi(out: Out) -> None:
    """Write openapi-<service>.json (OpenAPI 3.1) for each service: what it is asked, by whom, what it answers."""
    from launch.openapi import documents  # noqa: PLC0415  Web frameworks are loaded for this command alone.

    for name, found in documents():
        path = _write(out, f"openapi-{name}.json", found)
        operations = sum(len(item) for item in found["paths"].values())
        typer.echo(f"{path}: {operations} operations, {len(found['components']['schemas'])} schemas")


def _write(out: Path, name: str, found: dict[str, Any]) -> Path:
    from launch.asyncapi import text_of  # noqa: PLC0415  As above.

    path = require_usable(out) / name
    try:
        path.write_text(text_of(found), "utf-8")
    except OSError as error:
        raise UnusableFolder(f"cannot write {path}: {error.strerror}") from error
    return path
