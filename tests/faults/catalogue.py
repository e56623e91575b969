"""What may go wrong between a fact and its effect, and what has to hold all the same (PITFALLS.md, "Fault tests").

A test shows one of these by beginning its docstring with the number: `F9: what was settled comes again …`.
"""

from dataclasses import dataclass
from enum import StrEnum


class On(StrEnum):
    """The transports over which a fault has to be shown."""

    POSTGRES = "postgres"
    RABBIT = "rabbit"


BOTH = (On.POSTGRES, On.RABBIT)
RABBIT = (On.RABBIT,)


@dataclass(frozen=True)
class Fault:
    """One fault; it is `apart` if it happens in a service's own database, whatever broker stands beside."""

    number: str
    transports: tuple[On, ...]
    what: str
    must_hold: str
    apart: bool = False


FAULTS = (
    Fault("F1", BOTH, "kill -9 between commit and relay", "it is published after the restart and takes effect once"),
    Fault("F2", BOTH, "kill -9 of the relay after publishing, before deleting", "on the wire twice, in effect once"),
    Fault("F3", BOTH, "the business transaction rolls back", "nothing of it is told, done or reminded of"),
    Fault(
        "F4",
        RABBIT,
        "broker stopped for a minute, or restarted with letters under way",
        "requests are answered, the outbox grows and drains in order, nothing is lost",
    ),
    Fault("F5", RABBIT, "half-open socket", "it is noticed within two heartbeats; no stale acknowledgement settles"),
    Fault(
        "F6",
        RABBIT,
        "a 404 or 403 closes the channel",
        "others go on, the relay is back at once, the culprit is a dead letter with the broker's words",
    ),
    Fault("F7", BOTH, "a type that nobody hears", "it is kept as unrouted and seen, not lost"),
    Fault(
        "F8", RABBIT, "full queue; memory or disk alarm", "rows stay, the relay pauses, requests are served, it drains"
    ),
    Fault(
        "F9",
        BOTH,
        "kill -9 of the consumer before its commit, and between commit and acknowledgement",
        "it comes again, without a second effect",
    ),
    Fault("F10", BOTH, "one bad fact in a batch of 500", "499 take effect, one is dead, in few transactions"),
    Fault("F11", BOTH, "a fact that kills the process", "it is found after three ends, and no innocent is dead"),
    Fault(
        "F12",
        BOTH,
        "database away for longer than the broker's patience; deadlock; serialization failure",
        "the consumer pauses, nothing is buried or returned in a storm, it goes on",
    ),
    Fault(
        "F13", BOTH, "a handler slower than the heartbeats, or than its lease", "it is neither cut off nor run twice"
    ),
    Fault("F14", RABBIT, "queue deleted, consumer cancelled", "it subscribes again, or says loudly what is missing"),
    Fault("F15", BOTH, "two relays, two consumers, the active one killed", "another is active in seconds, never both"),
    Fault(
        "F16", BOTH, "a dead letter of one key where order is wanted", "its key waits, others go on, a replay frees it"
    ),
    Fault(
        "F17",
        BOTH,
        "replay killed half-way; two at once; new dead letters",
        "frozen set, each once, new ones untouched",
        apart=True,
    ),
    Fault("F18", BOTH, "everything told again after the inbox forgot", "the ledger is unchanged"),
    Fault(
        "F19",
        RABBIT,
        "binding of the dead queue removed; dead queue looked at often",
        "a role says so when it starts, as does `broker check`; nothing is lost after the repair",
    ),
    Fault(
        "F20",
        RABBIT,
        "a retry that cannot be queued; a worker killed in a task; an unknown task",
        "each run is done or failed in sight, its effect is there once",
    ),
    Fault(
        "F21", BOTH, "SIGTERM under load", "what is in hand is finished, the rest goes back, the process ends in time"
    ),
    Fault(
        "F22",
        BOTH,
        "clock set forward and back, summer time, two schedulers",
        "each reminder once, a cancelled one never",
        apart=True,
    ),
    Fault(
        "F23",
        BOTH,
        "another version's facts, unknown fields, unknown types",
        "read as far as known, else a dead letter",
        apart=True,
    ),
    Fault("F24", RABBIT, "a letter forged as another service's", "the broker refuses it"),
    Fault("F25", BOTH, "bodies at and above the limit; a long backlog", "above is a dead letter; memory is bounded"),
    Fault(
        "F26", (On.POSTGRES,), "embedded server killed, with and without its platform", "committed work is there again"
    ),
    Fault("F27", BOTH, "ten thousand random steps of all that", "each fact once, sums equal, no row left open"),
    Fault(
        "F28", RABBIT, "three nodes, the queue's leader killed under load", "nothing confirmed is lost, effects once"
    ),
    Fault(
        "F29", RABBIT, "three nodes, the publisher's own killed; then two", "it moves on; without a majority it waits"
    ),
)
