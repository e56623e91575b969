"""The command line: `./popcandy <command>`."""

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from launch import asking, certificate, dead, quality, serve, tasks
from launch.announced import Address
from launch.docs import docs
from launch.folders import folder_of_command, folder_of_demo, folder_of_token, folder_of_up, remember
from launch.loading import for_good
from launch.reach import signed
from launch.roles import Duty, Wanted
from launch.services import SERVICES
from launch.workers import Crew
from shared.errors import Hindrance
from shared.roles import PEOPLE, Role
from shared.settings import required, settings
from shared.telemetry import configure_logging

if TYPE_CHECKING:
    from launch.embedded import EmbeddedPlatform

ROOT = Path(__file__).parents[1]
PORT, CONSOLE_PORT = 8022, 8023
LOOK_SECONDS = 0.2

app = typer.Typer(
    help="跳跳糖 Popcandy: every proven hour of service becomes a donation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(asking.ledger, name="ledger")
app.add_typer(dead.commands, name="dead")
app.add_typer(tasks.commands, name="tasks")
app.add_typer(certificate.certificates, name="certificate")
app.add_typer(asking.reports, name="report")
app.add_typer(docs, name="docs")
app.command("queues")(asking.queues)
app.command()(quality.check)
app.command(context_settings=quality.PASS_ON)(quality.test)
app.command(context_settings=quality.PASS_ON)(quality.bench)
app.command()(quality.lock)
keys = typer.Typer(help="Keys of the embedded issuer.", no_args_is_help=True)
app.add_typer(keys, name="keys")
brokers = typer.Typer(help="RabbitMQ's topology.", no_args_is_help=True)
app.add_typer(brokers, name="broker")

to_person = Console(stderr=True)
Management = Annotated[
    str | None, typer.Option("--url", help="Management API with user; also POPCANDY_AMQP_MANAGEMENT_URL.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of the platform; also POPCANDY_DATA.")]


@app.command()
def up(
    data: Data = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the APIs.")] = PORT,
    console_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages.")] = CONSOLE_PORT,
) -> None:
    """Run every service in this process over an embedded PostgreSQL."""
    with for_good():
        from launch.embedded import EmbeddedPlatform  # noqa: PLC0415  Every role is loaded for these commands alone.

    configure_logging(level=settings().log_level)
    platform = EmbeddedPlatform(folder_of_up(data, settings()), settings())
    try:
        with for_good():
            address = platform.start(port=port, console_port=console_port)
        remember(platform.folder, settings())
        _say_where(platform, address)
        _until_told_to_stop(platform.crew)
    finally:
        platform.stop()


@app.command("demo")
def demonstrate(
    data: Data = None,
    season: Annotated[Path, typer.Option(help="A season file.")] = ROOT / "examples" / "season-2022.toml",
    leave: Annotated[bool, typer.Option("--exit", help="End when the season is in.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the APIs; 0 takes a free one.")] = 0,
    console_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages; 0 takes a free one.")] = 0,
) -> None:
    """Bring a whole synthetic season in through the public doors, and leave the platform running."""
    from launch import demo, report  # noqa: PLC0415  The synthesis is loaded for this command alone.
    from launch.embedded import EmbeddedPlatform  # noqa: PLC0415  As above.

    begun = time.monotonic()
    configure_logging(level="warning")
    plan = demo.plan(season)
    platform = EmbeddedPlatform(folder_of_demo(data, settings()), settings())
    try:
        with for_good():
            address = platform.start(port=port, console_port=console_port)
        remember(platform.folder, settings())
        found = demo.play(platform, plan, address.api_url, to=to_person)
        seconds = round(time.monotonic() - begun, 1)
        if as_json:
            facts = {"season": plan.name, **found.as_json(), "seconds": seconds, "synthetic": report.SYNTHETIC}
            typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        else:
            asking.print_figures(f"{plan.name}  ({seconds} s)", found)
            typer.echo(f"合成数据 · {report.SYNTHETIC}")
        if not leave:
            _say_where(platform, address)
            _until_told_to_stop(platform.crew)
    finally:
        platform.stop()


@app.command("serve")
def serve_role(
    service: Annotated[str, typer.Argument(help="A service, or console.")],
    role: Annotated[str, typer.Option(help="web, consumer, relay, worker or all.")] = "all",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the web role; 0 takes a free one.")] = PORT,
) -> None:
    """Run one role of one service over POPCANDY_DATABASE_URL and POPCANDY_AMQP_URL."""
    configure_logging(level=settings().log_level)
    names = [*(each.name for each in SERVICES), serve.CONSOLE]
    wanted = Wanted(_one_of("service", service, names), Duty(_one_of("--role", role, list(Duty))), host, port)
    crew = Crew()
    try:
        with for_good():
            url = serve.start(wanted, settings(), crew)
        to_person.print(f"{service} {role} {url}".strip(), highlight=False)
        _until_told_to_stop(crew)
    finally:
        crew.finish()


@app.command()
def migrate() -> None:
    """Bring every service's database on POPCANDY_DATABASE_URL up to date, making what is missing."""
    from shared.database.server import Server  # noqa: PLC0415  Alembic is loaded for this command alone.

    configure_logging(level="warning")
    server = Server(required(settings().database_url, "POPCANDY_DATABASE_URL"))
    version = server.check()
    for service in SERVICES:
        server.prepare(service.name)
    typer.echo(f"PostgreSQL {version}: {', '.join(service.name for service in SERVICES)} up to date")


@app.command()
def token(
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(sorted(PEOPLE))}; may be given more than once.")],
    programme: Annotated[UUID | None, typer.Option(help="Programme; else the platform's own.")] = None,
    person: Annotated[UUID | None, typer.Option(help="Whose token; else somebody new.")] = None,
    partner: Annotated[UUID | None, typer.Option(help="For a partner's member: which partner.")] = None,
    data: Data = None,
) -> None:
    """Print a bearer token signed by the embedded platform's issuer; it does not exist in production."""
    roles = tuple(Role(_one_of("--role", name, sorted(PEOPLE))) for name in role)
    folder = folder_of_command(data, settings()) if programme is None else folder_of_token(data, settings())
    typer.echo(signed(folder, settings(), roles, programme_id=programme, person_id=person, partner_id=partner))


@app.command("doctor")
def examine() -> None:
    """Say what is here, what is missing, and how to get it."""
    from launch import doctor  # noqa: PLC0415  It looks at everything there is.

    table = Table(box=None, header_style="bold")
    for heading in ("", "what", "found", "how to get it"):
        table.add_column(heading)
    findings = doctor.examine(settings())
    for finding in findings:
        table.add_row(
            "✓" if finding.is_there else "·" if finding.is_optional else "✗", finding.what, finding.found, finding.cure
        )
    Console().print(table)
    if any(not finding.is_there and not finding.is_optional for finding in findings):
        raise typer.Exit(1)


@app.command("contents")
def write_contents() -> None:
    """Refresh the tables in the services' READMEs, and the pages of docs that are made from the code."""
    from launch import contents, keeping, problems, states  # noqa: PLC0415  For this command alone.

    typer.echo("refreshed: " + ", ".join([*contents.write(), keeping.write().name, problems.write(), states.write()]))


@keys.command("rotate")
def rotate_keys(data: Data = None) -> None:
    """Sign with a new key of the embedded platform's issuer; what the one before it signed stays good."""
    from shared.auth.issuer import EmbeddedIssuer  # noqa: PLC0415  Cryptography is loaded by who signs.

    key = EmbeddedIssuer(folder_of_command(data, settings()), settings()).rotate()
    typer.echo(key.kid)


@brokers.command("define")
def define(url: Management = None) -> None:
    """Load deploy/rabbitmq/definitions.json into RabbitMQ and read it back."""
    from launch import broker  # noqa: PLC0415  For this command alone.

    passwords = settings().amqp_passwords
    for name in broker.define(_management(url), passwords=passwords):
        typer.echo(name)
    if passwords is None:
        to_person.print("no user was made: POPCANDY_AMQP_PASSWORDS is not set", highlight=False, soft_wrap=True)


@brokers.command("check")
def check_broker(url: Management = None) -> None:
    """Read back what RabbitMQ has and name each difference from deploy/rabbitmq/definitions.json; 1 if there is any."""
    from launch import broker  # noqa: PLC0415  For this command alone.

    found = broker.missing(_management(url))
    for difference in found:
        typer.echo(difference)
    if found:
        raise typer.Exit(1)
    typer.echo("RabbitMQ has everything")


def _management(url: str | None) -> str:
    return url or required(settings().amqp_management_url, "POPCANDY_AMQP_MANAGEMENT_URL")


def _say_where(platform: "EmbeddedPlatform", address: Address) -> None:
    lines = {
        "APIs": f"{address.api_url}/api/activities/openapi.json  {address.api_url}/api/ledger/openapi.json",
        "programme": str(platform.programme_id),
        "folder": str(platform.folder),
        "ask": "./popcandy ledger waterfall · ./popcandy token --role operator · Ctrl-C ends it",
        "sign in": f"{address.console_url}/",
    }
    for name, value in lines.items():
        to_person.print(f"{name:>10}  {value}", highlight=False, soft_wrap=True)


def _until_told_to_stop(crew: Crew) -> None:
    """Wait for SIGINT, SIGTERM or a failed worker, which ends the process with 1."""
    told: list[int] = []

    def tell(number: int, _frame: FrameType | None) -> None:
        told.append(number)  # Not `stop.set()`: the thread that is interrupted here may hold that event's own lock.

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, tell)
    while not told and not crew.stop.wait(LOOK_SECONDS):
        pass
    if crew.failed:
        raise typer.Exit(1)


def _one_of(name: str, value: str, choices: list[str]) -> str:
    if value not in choices:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(choices)}", param_hint=name)
    return value


def main() -> None:
    """Run the command; what hinders it is said in one line, with exit code 2."""
    try:
        app(prog_name="./popcandy")
    except Hindrance as hindrance:
        typer.echo(f"popcandy: {' '.join(str(hindrance).split())}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
