"""What a broker lacks, has otherwise, or has besides: pure comparison of two definitions files."""

import re
from collections.abc import Iterator

from launch.broker.rendering import Definitions

KINDS = ("vhosts", "users", "permissions", "topic_permissions", "exchanges", "queues", "bindings", "policies")
_NAMES = {
    "vhosts": "vhost {name}",
    "users": "user {name}",
    "permissions": "permission of {user} on {vhost}",
    "topic_permissions": "topic permission of {user} on {vhost} for {exchange}",
    "exchanges": "exchange {name}",
    "queues": "queue {name}",
    "bindings": "binding {source} → {destination_type} {destination} by {routing_key!r}",
    "policies": "policy {name}",
}
_CANNOT_CHANGE = {"exchanges", "queues", "bindings"}
_FOR_QUORUM_QUEUES = {"all", "queues", "quorum_queues"}


def name_of(kind: str, thing: Definitions) -> str:
    """Name one thing of a definitions file, such as `queue ledger.inbox`."""
    return _NAMES[kind].format(**thing)


def differences(wanted: Definitions, found: Definitions) -> list[str]:
    """Say in one line each what has to be done so that `found` is as `wanted`; empty when it is.

    What lies beside our things is its owner's. But a binding too many fills one of our queues, a permission too many
    opens it, and a policy of higher priority takes ours away: one policy applies to a queue (PITFALLS R7).
    """
    return [*_lacking(wanted, found), *_surplus(wanted, found), *_overruled(wanted, found)]


def _lacking(wanted: Definitions, found: Definitions) -> Iterator[str]:
    for kind in KINDS:
        there = {_key(kind, thing): thing for thing in found[kind]}
        for thing in wanted[kind]:
            same = there.get(_key(kind, thing))
            if same is None:
                yield f"{name_of(kind, thing)} is missing"
                continue
            how = "delete it, load again" if kind in _CANNOT_CHANGE else "load again"
            for key, value in thing.items():
                if same.get(key) != value:
                    yield f"{name_of(kind, thing)} has {key} {same.get(key)!r}, not {value!r}: {how}"


def _surplus(wanted: Definitions, found: Definitions) -> Iterator[str]:
    """Name bindings into our queues and permissions of our users that the file does not have."""
    queues = {(queue["vhost"], queue["name"]) for queue in wanted["queues"]}
    users = {user["name"] for user in wanted["users"]}
    for kind in ("bindings", "permissions", "topic_permissions"):
        known = {_key(kind, thing) for thing in wanted[kind]}
        for thing in found[kind]:
            is_ours = thing.get("user") in users or (thing["vhost"], thing.get("destination")) in queues
            if is_ours and _key(kind, thing) not in known:
                yield f"{name_of(kind, thing)} is not in the file: delete it"


def _overruled(wanted: Definitions, found: Definitions) -> Iterator[str]:
    for queue in wanted["queues"]:
        ours = _policy_of(queue, wanted["policies"])
        winner = _policy_of(queue, found["policies"])
        if ours and winner and winner["name"] != ours["name"] and winner["priority"] >= ours["priority"]:
            yield f"{name_of('queues', queue)} is under policy {winner['name']}, not {ours['name']}: delete that policy"


def _policy_of(queue: Definitions, policies: list[Definitions]) -> Definitions | None:
    """Return the policy that applies to a quorum queue, as RabbitMQ chooses it."""
    matching = [
        policy
        for policy in policies
        if policy["vhost"] == queue["vhost"]
        and policy["apply-to"] in _FOR_QUORUM_QUEUES
        and _matches(policy["pattern"], queue["name"])
    ]
    return max(matching, key=lambda policy: int(policy["priority"]), default=None)


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # Erlang's patterns are not quite Python's; one that we cannot read is not ours.
        return False


def _key(kind: str, thing: Definitions) -> tuple[str, str]:
    return thing.get("vhost", ""), name_of(kind, thing)
