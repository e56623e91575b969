"""`./popcandy tasks`: what the services' workers have done, are at, and could not do."""

from typing import Annotated, Any
from uuid import UUID

import typer

from launch.asking import AsJson, Data, Token, Url, print_json, print_rows, reaching
from launch.reach import Reached, Way
from launch.refused import Problem
from launch.services import SERVICES
from shared.errors import Hindrance
from shared.roles import Role

commands = typer.Typer(help="Runs of tasks and timers.", no_args_is_help=True)
Service = Annotated[str | None, typer.Option(help="Only this service.")]


@commands.command("list")
def list_runs(
    service: Service = None,
    state: Annotated[str | None, typer.Option(help="queued, running, done or failed.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Go on there, as the page before said; wants --service.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List the newest runs of each service."""
    if cursor is not None and service is None:
        raise typer.BadParameter("goes with --service: each service has runs of its own", param_hint="--cursor")
    with reaching(Way(url, token, data), Role.OPS) as way:
        found = {
            name: way.api.get(f"/api/{name}/task-runs", token=way.token, state=state, cursor=cursor, limit=limit)
            for name in _names(service)
        }
    if as_json:
        print_json(found)
        return
    rows = [
        (item["id"], item["task"], item["state"], str(item["attempts"]), item["queued_at"][:19], item["error"] or "")
        for page in found.values() for item in page["items"]
    ]  # fmt: skip
    print_rows("task runs", ("run", "task", "state", "attempts", "queued at", "error"), rows)
    for name, page in found.items():
        if page["next"]:
            typer.echo(f"more: --service {name} --cursor {page['next']}")


@commands.command()
def show(
    run: Annotated[UUID, typer.Argument(help="A run's id.")],
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show one run with its arguments and its last failure."""
    with reaching(Way(url, token, data), Role.OPS) as way:
        found = _find(way, run)
    if as_json:
        print_json(found)
        return
    print_rows(f"run {run}", ("", ""), [(name, str(value)) for name, value in found.items() if value is not None])


def _names(service: str | None) -> list[str]:
    names = [each.name for each in SERVICES]
    if service is not None and service not in names:
        raise typer.BadParameter(f"{service!r} is none of {', '.join(names)}", param_hint="--service")
    return names if service is None else [service]


def _find(way: Reached, run: UUID) -> dict[str, Any]:
    """Ask each service for a run, for its id does not say whose it is. Raises Hindrance if none has it."""
    for service in SERVICES:
        try:
            return dict(way.api.get(f"/api/{service.name}/task-runs/{run}", token=way.token))
        except Problem as problem:
            if problem.code != "not_found":
                raise
    raise Hindrance(f"no service knows a run {run}")
