"""`./popcandy dead`: what could not be handled, in every service; read, replayed, given up."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from launch import replaying
from launch.asking import AsJson, Data, Token, Url, print_json, print_rows, reaching
from launch.reach import Reached, Way
from launch.refused import Problem
from launch.services import SERVICES
from shared.errors import Hindrance
from shared.roles import Role

commands = typer.Typer(help="Letters that could not be handled.", no_args_is_help=True)

Service = Annotated[str | None, typer.Option(help="Only this service.")]
Cause = Annotated[str | None, typer.Option(help="Only what died of this, as `dead causes` names it.")]
Handler = Annotated[str | None, typer.Option(help="Only this handler's, as ledger.accrue_donations.")]
Type = Annotated[str | None, typer.Option("--type", help="Only events of this type.")]
Reason = Annotated[str | None, typer.Option(help="Only for this reason, as refused.")]
Origin = Annotated[str | None, typer.Option(help="Only from here: inbox, broker, outbox, unrouted, task.")]
State = Annotated[str, typer.Option(help="dead, replayed, discarded or any.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Letters by id; each is looked up in every service.")]
Why = Annotated[str, typer.Option(help="What was mended, or why they are given up; it is kept.")]


class Unclear(Hindrance):
    """The command does not say which letters, or why."""


@commands.command("list")
def list_letters(
    service: Service = None, cause: Cause = None, handler: Handler = None, event_type: Type = None,
    reason: Reason = None, origin: Origin = None, state: State = "dead",
    cursor: Annotated[str | None, typer.Option(help="Go on there, as the page before said; with --service.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List dead letters of each service, newest first."""
    asked = {
        "cause": cause, "handler": handler, "type": event_type, "reason": reason, "origin": origin, "state": state,
        "cursor": cursor, "limit": limit,
    }  # fmt: skip
    if cursor and not service:
        raise Unclear("--cursor is a place in the list of one service; say which with --service")
    names = _services(service)
    with reaching(Way(url, token, data), Role.OPS) as way:
        found = {name: _get(way, name, "dead-letters", **asked) for name in names}
    if as_json:
        print_json(found)
        return
    rows = [
        (name, item["id"], item["died_at"][:19], item["type"] or "", item["cause"], item["error"][:80])
        for name, page in found.items() for item in page["items"]
    ]  # fmt: skip
    print_rows("dead letters", ("service", "letter", "died at", "type", "cause", "error"), rows)
    for name, page in found.items():
        if page["next"]:
            typer.echo(f"more: --service {name} --cursor {page['next']}")


@commands.command()
def causes(
    service: Service = None, handler: Handler = None, event_type: Type = None, reason: Reason = None,
    origin: Origin = None, state: State = "dead",
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Group them by what they died of."""
    asked = {"handler": handler, "type": event_type, "reason": reason, "origin": origin, "state": state}
    names = _services(service)
    with reaching(Way(url, token, data), Role.OPS) as way:
        found = {name: _get(way, name, "dead-letters/causes", **asked) for name in names}
    if as_json:
        print_json(found)
    else:
        _print_causes({name: each["items"] for name, each in found.items()})


@commands.command()
def show(
    letter: str, service: Service = None,
    url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show one letter whole: headers, body, stack, and each time that it was tried again."""
    letter_id, names = _uuid(letter), _services(service)
    with reaching(Way(url, token, data), Role.OPS) as way:
        name, found = _find(way, letter_id, names)
    if as_json:
        print_json({"service": name, **found})
        return
    tries = [f"{each['requested_at'][:19]} {each['outcome'] or 'waits'}: {each['why']}" for each in found["replays"]]
    facts = {
        "service": name, **{key: value for key, value in found.items() if key != "replays"},
        "headers": "\n".join(f"{key}: {value}" for key, value in found["headers"].items()),
        "replays": "\n".join(tries),
    }  # fmt: skip
    print_rows(f"dead letter {letter}", ("", ""), [(key, str(value)) for key, value in facts.items() if value])


@commands.command()
def replay(
    ids: Ids = None, cause: Cause = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters; the following narrow it.")] = False,
    handler: Handler = None, event_type: Type = None, reason: Reason = None, origin: Origin = None,
    why: Why = "",
    rate: Annotated[int, typer.Option(min=1, max=1000, help="Letters a second, in each service.")] = 50,
    preview: Annotated[bool, typer.Option("--preview", help="Only count them.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Stay until each was tried.")] = True,
    service: Service = None, url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Try dead letters again, one after the other; exit code 1 if any fails again.

    What is replayed is what is dead now. It goes on whatever becomes of this command.
    """
    narrow = {"handler": handler, "type": event_type, "reason": reason, "origin": origin}
    choice = _choice(ids, cause=cause, everything={"all": True, **narrow} if everything else None)
    if any(narrow.values()) and not everything:
        raise Unclear("--handler, --type, --reason and --origin narrow --all")
    if not preview:
        _require_why(why)
    terms = {"why": why, "letters_per_second": rate, "preview": preview}
    names = _services(service)
    with reaching(Way(url, token, data), Role.OPS) as way:
        bodies = _by_service(way, choice, names)
        found = _in_each(way, "replays", {name: body | terms for name, body in bodies.items()})
        if preview:
            _tell_preview(found, as_json=as_json)
            return
        orders = {name: each["replay"] for name, each in found.items()}
        over = replaying.until_over(way, orders) if wait else orders
    replaying.tell(over, as_json=as_json)


@commands.command()
def replays(
    service: Service = None, url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
) -> None:  # fmt: skip
    """List replays, newest first, with how far each has come."""
    names = _services(service)
    with reaching(Way(url, token, data), Role.OPS) as way:
        found = {name: _get(way, name, "replays", limit=limit)["items"] for name in names}
    if as_json:
        print_json(found)
    else:
        replaying.print_replays((name, each) for name, items in found.items() for each in items)


@commands.command()
def discard(
    ids: Ids = None, cause: Cause = None, why: Why = "",
    service: Service = None, url: Url = None, token: Token = None, data: Data = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Give dead letters up for good; what waited behind them is handled."""
    choice = _choice(ids, cause=cause, everything=None)
    _require_why(why)
    names = _services(service)
    with reaching(Way(url, token, data), Role.OPS) as way:
        bodies = _by_service(way, choice, names)
        found = _in_each(way, "dead-letters/discards", {name: body | {"why": why} for name, body in bodies.items()})
    if as_json:
        print_json(found)
        return
    rows = [(name, str(each["letters"]), str(each["released"])) for name, each in found.items()]
    print_rows("discarded", ("service", "letters", "released"), rows)


def _services(only: str | None) -> list[str]:
    names = [service.name for service in SERVICES]
    if only is not None and only not in names:
        raise Unclear(f"--service {only}: it is none of {', '.join(names)}")
    return [only] if only else names


def _uuid(letter: str) -> str:
    try:
        return str(UUID(letter))
    except ValueError as error:
        raise Unclear(f"{letter!r} is no id of a letter") from error


def _require_why(why: str) -> None:
    if not why.strip():
        raise Unclear('say why: --why "the policy is approved"')


def _choice(ids: Sequence[str] | None, *, cause: str | None, everything: dict[str, Any] | None) -> dict[str, Any]:
    """Say in a request's words which letters are meant. Raises Unclear unless it is said in exactly one way."""
    ways = [
        {"ids": [_uuid(each) for each in ids]} if ids else None, {"cause": cause} if cause else None, everything,
    ]  # fmt: skip
    said = [way for way in ways if way is not None]
    if len(said) != 1:
        raise Unclear("say which letters: by their ids, or with --cause, or (to replay) with --all")
    return {name: value for name, value in said[0].items() if value is not None}


def _by_service(way: Reached, choice: dict[str, Any], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Turn a choice into one request a service: ids go where the letters are, the rest to all."""
    if "ids" not in choice:
        return dict.fromkeys(names, choice)
    found: dict[str, dict[str, Any]] = {}
    for letter in choice["ids"]:
        name, _ = _find(way, letter, names)
        found.setdefault(name, {"ids": []})["ids"].append(letter)
    return found


def _find(way: Reached, letter: str, names: Iterable[str]) -> tuple[str, Any]:
    for name in names:
        try:
            return name, _get(way, name, f"dead-letters/{letter}")
        except Problem as problem:
            if problem.code != "not_found":
                raise
    raise Unclear(f"no service has a dead letter {letter}")


def _in_each(way: Reached, path: str, bodies: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Ask the same of several services, of which at least one has something. Raises Unclear."""
    found = {}
    for name, body in bodies.items():
        try:
            found[name] = way.api.post(f"/api/{name}/{path}", body, token=way.token)
        except Problem as problem:
            if problem.code != "nothing_chosen":
                raise
    if not found:
        raise Unclear("nothing_chosen: no dead letter is among these")
    return found


def _get(way: Reached, service: str, path: str, **asked: object) -> dict[str, Any]:
    found: dict[str, Any] = way.api.get(f"/api/{service}/{path}", token=way.token, **asked)
    return found


def _tell_preview(found: Mapping[str, Any], *, as_json: bool) -> None:
    about = {name: {"total": each["total"], "causes": each["causes"]} for name, each in found.items()}
    if as_json:
        print_json(about)
    else:
        _print_causes({name: each["causes"] for name, each in about.items()})


def _print_causes(found: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    rows = [
        (name, each["cause"], str(each["letters"]), str(each["waiting"]), each["last_died_at"][:19], each["reason"],
         each["place"] or "", each["error"][:80])
        for name, items in found.items() for each in items
    ]  # fmt: skip
    print_rows("causes", ("service", "cause", "letters", "waiting", "last", "reason", "place", "error"), rows)
