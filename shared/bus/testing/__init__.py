"""The test kit: what a service's developer needs to try events out, from one handler up to several services.

One handler, in a transaction that is rolled back, without a broker:

    deliver(tx, accrue_donations, message_of(settled))
    assert emitted(tx) == [DonationAccrued(...)]

Services together, on their real databases, in the test's own thread:

    with Harness(Member("activities", activities), Member("ledger", ledger, SERVICE.subscriptions)) as harness:
        check_out(...)
        harness.run_until_idle(at=saturday)
        assert harness.published(AttendanceSettled) == [...]

With `Member(..., tasks=[...], timers=[...])` its work is done in the same thread, retries and all, by the same clock.

The same over a broker that misbehaves, reproducibly: `Harness(..., transport=FaultyTransport(MemoryTransport(topology),
Random(seed), duplicate=0.1, reorder=0.5))`. Handlers have to come to the same end.
"""

from shared.bus.testing.faulty import Fault, FaultyTransport, by_itself, by_partition_key
from shared.bus.testing.harness import Harness, Member, StillMoving
from shared.bus.testing.memory import MemoryBroker, MemoryTransport
from shared.bus.testing.messages import deliver, emitted, message_of
from shared.bus.testing.wrapped import Wrapped

__all__ = [
    "Fault",
    "FaultyTransport",
    "Harness",
    "Member",
    "MemoryBroker",
    "MemoryTransport",
    "StillMoving",
    "Wrapped",
    "by_itself",
    "by_partition_key",
    "deliver",
    "emitted",
    "message_of",
]
