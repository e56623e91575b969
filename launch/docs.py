"""`docs`: documents made from the code, for whoever reads it with other tools."""

from pathlib import Path
from typing import Annotated

import typer

from launch.asyncapi import document, text_of
from launch.folders import UnusableFolder, require_usable

docs = typer.Typer(help="Documents made from the code.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="Folder for the document; made if it is missing.")]


@docs.callback()
def documents() -> None:
    """Keep `asyncapi` a word of its own while it is the only document."""


@docs.command("asyncapi")
def write_asyncapi(out: Out) -> None:
    """Write asyncapi.json (AsyncAPI 3.0): every event, who tells it, and who hears it."""
    found = document()
    path = require_usable(out) / "asyncapi.json"
    try:
        path.write_text(text_of(found), "utf-8")
    except OSError as error:
        raise UnusableFolder(f"cannot write {path}: {error.strerror}") from error
    typer.echo(f"{path}: {len(found['components']['messages'])} events, {len(found['operations'])} operations")
