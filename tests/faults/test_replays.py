"""Replays whose processes are killed: the set stays as it was frozen, and each letter has its effect once."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from services.ledger.donations import queries as donations
from services.ledger.donations.tables import Donation
from shared import clock
from shared.bus.dead_letters import replays
from shared.bus.dead_letters.post_mortem import Wanted
from shared.bus.dead_letters.replays import Progress
from shared.bus.tables import DeadLetter
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.factories.ledger import JANUARY, make_policy_version, make_settled
from tests.faults.actor import Point
from tests.faults.conftest import Line
from tests.faults.facts import make_facts, worth
from tests.waiting import until

COUNT, LATE = 150, 10


def order(line: Line, programme_id: UUID) -> UUID:
    """Have all that is dead now tried again, slowly enough to be killed meanwhile."""
    with line.ledger.transaction() as tx:
        return replays.request(
            tx, Wanted(), programme_id=programme_id, requested_by=uuid4(), why="the policy is approved",
            letters_per_second=60, now=clock.now(),
        ).id  # fmt: skip


def progress(line: Line, replay_id: UUID, programme_id: UUID) -> Progress:
    with line.ledger.transaction() as tx:
        return replays.get_progress(tx, replay_id, programme_id=programme_id)


def agree(line: Line, programme_id: UUID) -> None:
    """Approve a policy from January on."""
    with line.ledger.transaction() as tx:
        make_policy_version(tx, programme_id=programme_id)


def too_early(count: int, *, programme_id: UUID) -> list[AttendanceSettled]:
    """Make facts of a time without any policy: the ledger refuses them before and after."""
    before: datetime = JANUARY - timedelta(days=30)
    return [make_settled(programme_id=programme_id, started_at=before) for _ in range(count)]


def test_killed_half_way_and_carried_on_by_two_at_once(line: Line) -> None:
    """F17: frozen set, resumed, each once, and what dies meanwhile is untouched; killed in a try and between."""
    programme_id = new_id()
    facts = make_facts(COUNT, programme_id=programme_id, seed=17)
    line.tell(facts)
    relay, consumer = line.relay(), line.consumer()
    consumer.until(lambda: len(line.dead) == COUNT, missing=f"{COUNT} letters that nobody can price")
    agree(line, programme_id)
    replay_id = order(line, programme_id)

    def tried() -> int:
        return COUNT - progress(line, replay_id, programme_id).left

    line.kill_at(line.replayer, Point.HANDLED)
    assert (tried(), line.donations) == (0, 0)

    first, second = line.replayer(), line.replayer()
    first.until(lambda: tried() >= COUNT // 3, missing="a third of the letters")
    line.tell(too_early(LATE, programme_id=programme_id))
    first.kill()
    second.kill()
    assert tried() < COUNT, "killed too late to prove anything"
    consumer.until(lambda: len(line.dead) == COUNT + LATE, missing="new failures")

    last = line.replayer(), line.replayer()
    last[0].until(lambda: tried() == COUNT, missing="the rest of the letters")
    until(lambda: progress(line, replay_id, programme_id).replay.finished_at, timeout=20, missing="the replay's end")
    for process in (*last, relay, consumer):
        process.end()

    found = progress(line, replay_id, programme_id)
    assert (found.replay.total, found.replayed, found.failed, found.skipped) == (COUNT, COUNT, 0, 0)
    with line.ledger.transaction() as tx:
        assert Counter(tx.scalars(select(DeadLetter.state))) == {"replayed": COUNT, "dead": LATE}
        booked = tx.execute(select(Donation.attendance_id, Donation.fen).order_by(Donation.attendance_id)).all()
        assert [row.attendance_id for row in booked] == sorted(fact.attendance_id for fact in facts)
        assert sum(row.fen for row in booked) == worth(facts)
        assert donations.prove_balance(tx, programme_id=programme_id, partner_scope=None).balanced
