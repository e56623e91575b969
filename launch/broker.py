"""`./popcandy broker define`: load the topology into RabbitMQ through its management API, and read it back.

A broker may accept the file and do something else: an import that fails half-way leaves its first half, a queue that
exists with another type stays as it is. Only what is read back counts.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from shared.errors import Hindrance

DEFINITIONS = Path(__file__).parent.parent / "deploy" / "rabbitmq" / "definitions.json"
_BUS = "bus"
_SECONDS = 30.0
_ALL_RIGHTS = {"configure": ".*", "write": ".*", "read": ".*"}
_KINDS = {"exchanges": "exchange", "queues": "queue", "bindings": "binding", "policies": "policy"}


class BrokerRefused(Hindrance):
    """RabbitMQ does not have the topology that we need; the message says in one line what is wrong."""


def define(management_url: str, definitions: Path = DEFINITIONS, *, vhost: str | None = None) -> list[str]:
    """Load the file; return the names of what is there, such as `queue ledger.inbox`. A second call changes nothing.

    `management_url` carries the user and password; that user gets all rights on the vhosts. `vhost` is where the things
    of vhost `bus` go instead, and no others, so that tests can run side by side. Raises BrokerRefused.
    """
    wanted = _read(definitions, vhost=vhost)
    vhosts = {one["name"]: quote(one["name"], safe="") for one in wanted["vhosts"]}
    with httpx2.Client(base_url=management_url, timeout=_SECONDS, trust_env=False) as client:
        for path in vhosts.values():
            _send(client, "PUT", f"/api/vhosts/{path}", {})
            _send(client, "PUT", f"/api/permissions/{path}/{_user(management_url)}", _ALL_RIGHTS)
        _send(client, "POST", "/api/definitions", wanted)
        found = {name: _send(client, "GET", f"/api/definitions/{path}", None).json() for name, path in vhosts.items()}
    return [_compare(kind, thing, found[thing["vhost"]][kind]) for kind in _KINDS for thing in wanted[kind]]


def _read(definitions: Path, *, vhost: str | None) -> dict[str, Any]:
    """Read the file, or of it what is in vhost `bus`, moved to `vhost`."""
    wanted: dict[str, Any] = json.loads(definitions.read_text("utf-8"))
    if vhost is None:
        return wanted
    moved = {kind: [{**thing, "vhost": vhost} for thing in wanted[kind] if thing["vhost"] == _BUS] for kind in _KINDS}
    return {"vhosts": [{"name": vhost}], **moved}


def _user(management_url: str) -> str:
    return quote(httpx2.URL(management_url).username, safe="")


def _send(client: httpx2.Client, method: str, path: str, body: object) -> httpx2.Response:
    """Ask the management API. Raises BrokerRefused with what it said."""
    try:
        answer = client.request(method, path, json=body)
    except httpx2.TransportError as error:
        raise BrokerRefused(
            f"the management API at {client.base_url.netloc.decode()} does not answer: {error}"
        ) from error
    if answer.is_error:
        raise BrokerRefused(f"{method} {path} was refused with {answer.status_code}: {' '.join(answer.text.split())}")
    return answer


def _compare(kind: str, wanted: dict[str, Any], found: list[dict[str, Any]]) -> str:
    """Return the thing's name. Raises BrokerRefused unless it is there as wanted; what it has besides is its own."""
    name = _name(kind, wanted)
    same_name = [thing for thing in found if _name(kind, thing) == name]
    if not same_name:
        raise BrokerRefused(f"{name} is missing although RabbitMQ took the file")
    for key, value in wanted.items():
        if key != "vhost" and same_name[0].get(key) != value:
            raise BrokerRefused(f"{name} has {key} {same_name[0].get(key)!r}, not {value!r}: delete it, load again")
    return name


def _name(kind: str, thing: dict[str, Any]) -> str:
    if kind != "bindings":
        return f"{_KINDS[kind]} {thing['name']}"
    return f"binding {thing['source']} → {thing['destination_type']} {thing['destination']} by {thing['routing_key']!r}"
