"""One neutral definitions file, as one version of RabbitMQ can load it, in one vhost.

The file is written for the newest; what an older one refuses, or takes to mean something else, is left out for it.
Run here is 3.10.8; what holds from 3.12 and from 4.0 on was read, in the release notes and issues named below.
"""

import re
from typing import Any, TypeAlias

from shared.bus.topology import BUS, beside
from shared.errors import Hindrance

Definitions: TypeAlias = dict[str, Any]
Version: TypeAlias = tuple[int, int, int]

USERS = ("users", "permissions", "topic_permissions")
_OLDEST = (3, 10, 0)  # The first with dead-lettering at least once in quorum queues.
# "Policies can now be defined to only apply to specific queue types"; "Delivery acknowledgement timeout now can be
# configured per queue (using a policy)": release notes of 3.12.0. Before, a policy with either is refused.
_POLICIES_BY_QUEUE_TYPE = (3, 12, 0)
_CONSUMER_TIMEOUT = (3, 12, 0)
# From 4.0 on a quorum queue drops what came back 20 times, unless its own argument says -1 (rabbitmq-server#12250).
# 3.x has no limit, and takes -1 for 0: dropped at the first return. A policy may not say -1 on any version: the
# documentation forbids it, 4.x re-applied it every five seconds (rabbitmq-server#14202).
_NO_DELIVERY_LIMIT = (4, 0, 0)
# These ask for the right to configure what is only looked at (rabbitmq-server#16085, undone in #16272).
_REFUSE_PASSIVE_CHECKS = {(4, 2, 6), (4, 3, 0)}


class UnfitBroker(Hindrance):
    """This version of RabbitMQ cannot do what we need; the message says which can."""


def version_of(text: str) -> Version:
    """Read a version as RabbitMQ says it, such as `3.10.8` or `4.1.0-rc.1`. Raises UnfitBroker."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise UnfitBroker(f"RabbitMQ says that its version is {text!r}")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


def render(definitions: Definitions, version: Version) -> Definitions:
    """Return the file as this version can load it. Raises UnfitBroker."""
    if version < _OLDEST:
        raise UnfitBroker(f"RabbitMQ {_said(version)} is too old: Popcandy needs 3.10 or newer")
    return {
        **definitions,
        "queues": [_queue(queue, version) for queue in definitions["queues"]],
        "policies": [_policy(policy, version) for policy in definitions["policies"]],
    }


def require_passive_checks(version: Version) -> None:
    """Refuse to make users who could not look whether their own queues are there. Raises UnfitBroker."""
    if version in _REFUSE_PASSIVE_CHECKS:
        raise UnfitBroker(
            f"RabbitMQ {_said(version)} lets no service check its queues without the right to change them:"
            " use 4.2.7, 4.3.1 or newer, or leave POPCANDY_AMQP_PASSWORDS unset"
        )


def moved(definitions: Definitions, vhost: str) -> Definitions:
    """Put the things of vhost `bus` into `vhost`, and the other vhosts and the users beside it."""
    renamed = {"vhosts": "name", "users": "name", "permissions": "user", "topic_permissions": "user"}
    return {kind: [_move(thing, renamed.get(kind), vhost) for thing in things] for kind, things in definitions.items()}


def _move(thing: Definitions, renamed: str | None, vhost: str) -> Definitions:
    changes = {}
    if renamed is not None:
        changes[renamed] = _moved_name(thing[renamed], vhost)
    if "vhost" in thing:
        changes["vhost"] = _moved_name(thing["vhost"], vhost)
    return {**thing, **changes}


def _moved_name(name: str, vhost: str) -> str:
    return vhost if name == BUS else beside(vhost, name)


def _queue(queue: Definitions, version: Version) -> Definitions:
    if version >= _NO_DELIVERY_LIMIT:
        return queue
    return {**queue, "arguments": {k: v for k, v in queue["arguments"].items() if k != "x-delivery-limit"}}


def _policy(policy: Definitions, version: Version) -> Definitions:
    rendered = {**policy, "definition": dict(policy["definition"])}
    if version < _POLICIES_BY_QUEUE_TYPE and policy["apply-to"] == "quorum_queues":
        rendered["apply-to"] = "queues"
    if version < _CONSUMER_TIMEOUT:
        rendered["definition"].pop("consumer-timeout", None)
    return rendered


def _said(version: Version) -> str:
    return ".".join(map(str, version))
