"""Commands that ask a platform: the running one, the one in a folder, or one at a URL."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from launch.reach import Reached, Way, reached
from launch.report import Figures, Tokens, figures, lines
from launch.services import SERVICES
from shared.money import hours, yuan
from shared.roles import Role
from shared.settings import settings
from shared.telemetry import configure_logging

WIDTH = 140
NUMBERS = {
    "CNY",
    "recorded",
    "credited",
    "outbox",
    "later",
    "queue_ready",
    "queue_unacked",
    "consumers",
    "dead_letters",
    "parked",
    "dead_at_broker",
    "unrouted",
    "letters",
    "waiting",
    "total",
    "replayed",
    "failed",
    "skipped",
    "left",
    "released",
}
IDS = {"donation", "partner", "CNY", "letter", "cause", "replay"}


class Tongue(StrEnum):
    """A language of documents."""

    ZH = "zh"
    EN = "en"


ledger = typer.Typer(help="What the books say.", no_args_is_help=True)
reports = typer.Typer(help="Figures of a season.", no_args_is_help=True)

Url = Annotated[str | None, typer.Option(help="A running platform's address.")]
Token = Annotated[str | None, typer.Option(envvar="POPCANDY_TOKEN", help="Bearer token, needed with --url.")]
Data = Annotated[Path | None, typer.Option(help="The platform's folder; else the one started last.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Partner = Annotated[str | None, typer.Option(help="Only this partner (id).")]
Listing = Annotated[str | None, typer.Option(help="Only this activity (id).")]
Since = Annotated[str | None, typer.Option(help="First service date, YYYY-MM-DD.")]
Until = Annotated[str | None, typer.Option(help="Day after the last service date.")]


@ledger.command()
def waterfall(
    partner: Partner = None, listing: Listing = None, since: Since = None, until: Until = None,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Follow the minutes from recorded to credited and the money they accrued, with each drop."""
    asked = {"partner_id": partner, "listing_id": listing, "service_from": since, "service_until": until}
    with reaching(Way(url, token, data), Role.AUDITOR) as way:
        found = way.api.get("/api/ledger/waterfall", token=way.token, **asked)
    if as_json:
        print_json(found)
        return
    rows = [("recorded", hours(found["recorded_minutes"]))]
    for stage in ("recorded", "matchable"):
        rows += [(f"  - {drop['en']}", hours(drop["minutes"])) for drop in found["drops"] if drop["after"] == stage]
        following = "matchable" if stage == "recorded" else "credited"
        rows.append((following, hours(found[f"{following}_minutes"])))
    rows.append(("accrued", f"CNY {yuan(found['accrued']['fen'])}"))
    print_rows(f"{found['participations']:,} participations, {found['partners']} partners", ("", ""), rows)


@ledger.command()
def donations(
    partner: Partner = None, listing: Listing = None, since: Since = None, until: Until = None,
    sort: Annotated[str | None, typer.Option(help="id, service_on or amount; -amount turns it round.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Go on there, as the page before said.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List donations as they stand."""
    asked = {"partner_id": partner, "listing_id": listing, "service_from": since, "service_until": until}
    with reaching(Way(url, token, data), Role.AUDITOR) as way:
        page = {"sort": sort, "cursor": cursor, "limit": limit}
        found = way.api.get("/api/ledger/donations", token=way.token, **asked, **page)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["id"],
            item["service_on"],
            item["state"],
            hours(item["recorded_minutes"]),
            hours(item["credited_minutes"]),
            yuan(item["amount"]["fen"]),
        )
        for item in found["items"]
    ]
    print_rows("donations", ("donation", "service on", "state", "recorded", "credited", "CNY"), rows)
    if found["next"]:
        typer.echo(f"more: --cursor {found['next']}")


@ledger.command()
def explain(donation: UUID, url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False) -> None:
    """Explain one donation, line by line, with its versions and entries."""
    with reaching(Way(url, token, data), Role.AUDITOR) as way:
        found = way.api.get(f"/api/ledger/donations/{donation}", token=way.token)
    if as_json:
        print_json(found)
        return
    rows = [
        (line["zh"], line["en"], f"{line['minutes']:+d} min" if line["minutes"] else "",
         f"CNY {yuan(line['amount']['fen'])}" if line["amount"] else "")
        for line in found["explanation"]
    ]  # fmt: skip
    print_rows(f"donation {donation}, version {found['donation']['version']}", ("", "", "", ""), rows)


@ledger.command()
def balances(
    account: Annotated[str | None, typer.Option(help="Only this account, as 2110.")] = None,
    partner: Partner = None,
    cursor: Annotated[str | None, typer.Option(help="Go on there, as the page before said.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 100,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List what stands on each account for each partner; debits are positive."""
    with reaching(Way(url, token, data), Role.AUDITOR) as way:
        asked = {"account": account, "partner_id": partner, "cursor": cursor, "limit": limit}
        found = way.api.get("/api/ledger/balances", token=way.token, **asked)
    if as_json:
        print_json(found)
        return
    rows = [(item["account"], item["en"], item["partner_id"], yuan(item["balance"]["fen"])) for item in found["items"]]
    print_rows("balances", ("account", "", "partner", "CNY"), rows)
    if found["next"]:
        typer.echo(f"more: --cursor {found['next']}")


@ledger.command("trial-balance")
def trial_balance(url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False) -> None:
    """Add up the whole journal and compare it with its roll-ups; exit code 1 if they differ."""
    with reaching(Way(url, token, data), Role.AUDITOR) as way:
        found = way.api.get("/api/ledger/trial-balance", token=way.token)
    if as_json:
        print_json(found)
    else:
        rows = [(item["account"], item["en"], yuan(item["from_legs"]["fen"])) for item in found["accounts"]]
        print_rows("balanced" if found["balanced"] else "NOT BALANCED", ("account", "", "CNY"), rows)
    if not found["balanced"]:
        raise typer.Exit(1)


def queues(url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False) -> None:
    """Count what waits in each service's outbox and queue, and what died."""
    with reaching(Way(url, token, data), Role.OPS) as way:
        found = [way.api.get(f"/api/{service.name}/flow", token=way.token) for service in SERVICES]
    if as_json:
        print_json(found)
        return
    columns = (
        "service", "outbox", "later", "queue_ready", "queue_unacked", "consumers", "dead_letters", "parked",
        "dead_at_broker", "unrouted", "broker",
    )  # fmt: skip
    print_rows("queues", columns, [[_shown(item[column]) for column in columns] for item in found])


def _shown(value: object) -> str:
    return "" if value is None else str(value)


@reports.command()
def season(
    out: Annotated[Path | None, typer.Option(help="Write it as a document: FILE.pdf or FILE.xlsx.")] = None,
    language: Annotated[Tongue, typer.Option(help="Of the document.")] = Tongue.ZH,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Print what happened and what it came to, from activities' and the ledger's own queries; or write a document."""
    from launch import report_file  # noqa: PLC0415  Documents are loaded for this command alone.

    target = None if out is None else report_file.require_target(out)
    with reaching(Way(url, token, data), Role.AUDITOR, Role.OPS) as way:
        found = figures(way.api, Tokens(auditor=way.token, ops=way.token))
        if target is not None:
            report_file.write(target, found, way, language=language.value)
    if as_json:
        print_json(found.as_json())
    elif target is not None:
        typer.echo(target)
    else:
        print_figures("season", found)


def print_figures(title: str, found: Figures) -> None:
    """Print a season's figures as a table."""
    print_rows(title, ("", ""), lines(found))


@contextmanager
def reaching(way: Way, *roles: Role) -> Iterator[Reached]:
    """Reach a platform for the length of a command, without logs between its lines. Raises NoPlatform."""
    configure_logging(level="warning")
    with reached(way, settings(), *roles) as found:
        yield found


def print_json(found: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print what a program reads."""
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


def print_rows(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; where no terminal limits it, wide enough that ids and sentences stay whole."""
    table = Table(title=title, title_justify="left", box=None, show_header=any(headings), header_style="bold")
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading in NUMBERS else "left"
        table.add_column(heading, overflow="fold", justify=justify, no_wrap=heading in IDS)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)
