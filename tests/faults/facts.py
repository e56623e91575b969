"""The facts that a fault must not lose or double, and what they are worth by hand."""

from collections.abc import Iterable
from random import Random
from uuid import UUID

from shared.events.activities import AttendanceSettled
from tests.factories.ledger import make_settled

PARTNERS = [UUID(int=number) for number in range(1, 8)]
FEN_PER_HALF_HOUR = 5_000  # `make_policy_version`: CNY 100 an hour, half-hour steps, from 30 to 480 minutes.


def make_facts(count: int, *, programme_id: UUID, seed: int = 1) -> list[AttendanceSettled]:
    """Make facts of services of 0 to 600 minutes; the same seed makes the same ones."""
    rng = Random(seed)  # noqa: S311  Not a secret.
    return [
        make_settled(
            programme_id=programme_id,
            attendance_id=UUID(int=rng.getrandbits(128)),
            partner_id=rng.choice(PARTNERS),
            minutes=rng.randint(0, 600),
        )
        for _ in range(count)
    ]


def worth(facts: Iterable[AttendanceSettled]) -> int:
    """Add up in fen what the policy pays for them."""
    return sum(min(fact.matchable_minutes, 480) // 30 * FEN_PER_HALF_HOUR for fact in facts)
