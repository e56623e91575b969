"""`./popcandy broker define` and `check`: load the topology through the management API, and say what differs from it.

A broker may accept the file and do something else: an import that fails half-way leaves its first half, a queue that
exists with another type stays as it is (PITFALLS R7). Only what is read back counts.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr

from launch.broker.differences import KINDS, differences, name_of
from launch.broker.management import BrokerRefused, Management
from launch.broker.rendering import USERS, Definitions, moved, render, require_passive_checks
from launch.broker.users import put_users, require_passwords
from shared.bus.topology import BUS, DEFINITIONS

__all__ = ["BrokerRefused", "define", "missing"]

_ALL_RIGHTS = {"configure": ".*", "write": ".*", "read": ".*"}
_VHOST = "/api/vhosts/{}"
_MADE_APART = ("vhosts", "users")


def define(
    management_url: str,
    definitions: Path = DEFINITIONS,
    *,
    vhost: str = BUS,
    passwords: Mapping[str, SecretStr] | None = None,
) -> list[str]:
    """Load the file; return the names of what is there, such as `queue ledger.inbox`. A second call changes nothing.

    `management_url` carries an administrator, who gets all rights on the vhosts. `passwords` are by service; without
    them no user is made. With another `vhost` everything is moved there and beside it, so that tests can run side by
    side. Raises BrokerRefused, MissingPassword.
    """
    ours: Definitions = json.loads(definitions.read_bytes())
    accounts = None if passwords is None else require_passwords(ours, passwords, vhost=vhost)
    with Management(management_url) as management:
        version = management.version()
        wanted = render(moved(ours, vhost), version)
        _make_vhosts(management, wanted)
        if accounts is None:
            wanted = _without_users(wanted)
        else:
            require_passive_checks(version)
            put_users(management, accounts)
        management.send("POST", "/api/definitions", {kind: wanted[kind] for kind in KINDS if kind not in _MADE_APART})
        wrong = differences(wanted, _found(management, wanted))
    if wrong:
        raise BrokerRefused(f"RabbitMQ took the file, but {'; '.join(wrong)}")
    return [name_of(kind, thing) for kind in KINDS for thing in wanted[kind]]


def missing(management_url: str, definitions: Path = DEFINITIONS, *, vhost: str = BUS) -> list[str]:
    """Say in one line each how the broker differs from the file; nothing is changed.

    Users are compared as soon as one of them is there. Raises BrokerRefused when the management API does not answer.
    """
    with Management(management_url) as management:
        wanted = render(moved(json.loads(definitions.read_bytes()), vhost), management.version())
        found = _found(management, wanted)
    return differences(wanted if found["users"] else _without_users(wanted), found)


def _make_vhosts(management: Management, wanted: Definitions) -> None:
    for one in wanted["vhosts"]:
        path = quote(one["name"], safe="")
        management.send("PUT", _VHOST.format(path), {})
        management.send("PUT", f"/api/permissions/{path}/{quote(management.user, safe='')}", _ALL_RIGHTS)


def _without_users(wanted: Definitions) -> Definitions:
    return {**wanted, **{kind: [] for kind in USERS}}


def _found(management: Management, wanted: Definitions) -> Definitions:
    """Read back what there is in the vhosts and of the users that we want."""
    found: Definitions = {kind: [] for kind in KINDS}
    for name in (one["name"] for one in wanted["vhosts"]):
        path = quote(name, safe="")
        if management.find(_VHOST.format(path)) is not None:
            found["vhosts"].append({"name": name})
            exported = management.read(f"/api/definitions/{path}")
            for kind in ("exchanges", "queues", "bindings", "policies"):
                found[kind] += [{**thing, "vhost": name} for thing in exported[kind]]
    for name in (one["name"] for one in wanted["users"]):
        path = f"/api/users/{quote(name, safe='')}"
        if (user := management.find(path)) is not None:
            found["users"].append(user)
            found["permissions"] += management.read(f"{path}/permissions")
            found["topic_permissions"] += management.read(f"{path}/topic-permissions")
    return found
