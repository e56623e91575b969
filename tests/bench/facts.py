"""Facts as a season makes them: seventy partners, half an hour to eight hours, one letter in a hundred told again."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from shared.bus.envelope import letter_of
from shared.bus.transport import Letter
from shared.events.activities import AttendanceSettled
from shared.ids import new_id
from tests.factories.ledger import NOW, make_settled

PARTNERS = [UUID(int=number) for number in range(1, 71)]
REPEATED = 100  # One letter in so many comes twice.


@dataclass(frozen=True, slots=True)
class Told:
    """One message on its way to a contender."""

    event_id: UUID
    fact: AttendanceSettled
    body: str


def tell(count: int, *, programme_id: UUID, repeated: bool = True) -> list[Told]:
    """Make so many facts, and say one in a hundred of them a second time a little later, unless told not to."""
    rng = Random(count)  # noqa: S311  Not a secret.
    told: list[Told] = []
    for number in range(count):
        fact = make_settled(programme_id=programme_id, partner_id=rng.choice(PARTNERS), minutes=rng.randint(30, 480))
        told.append(Told(new_id(), fact, fact.model_dump_json()))
        if repeated and number % REPEATED == REPEATED - 1:
            told.append(told[-rng.randint(1, min(50, len(told)))])
    return told


def unique(told: Sequence[Told]) -> list[AttendanceSettled]:
    """Return each fact once, however often it was told."""
    return list({one.event_id: one.fact for one in told}.values())


def as_letter(one: Told) -> Letter:
    """Put a message into the letter that our relay would send."""
    headers = {
        "ce-partitionkey": one.fact.partition_key,
        "ce-programmeid": str(one.fact.programme_id),
        "ce-traceparent": f"00-{one.event_id.hex}-{one.event_id.hex[16:]}-01",
    }
    return letter_of(
        event_id=one.event_id, event_type=one.fact.type, service="activities", emitted_at=NOW, headers=headers,
        body=one.body,
    )  # fmt: skip
