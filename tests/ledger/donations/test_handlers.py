from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.ledger.donations import actions
from services.ledger.donations.handlers import accrue_donations
from services.ledger.donations.tables import Donation
from services.ledger.journal import queries as journal
from shared.bus.consumer import Consumer
from shared.bus.handlers import Subscriptions
from shared.bus.inbox import Inbox
from shared.bus.tables import DeadLetter
from shared.bus.transport import Delivery
from shared.database.sessions import Database
from shared.ids import new_id
from tests.factories.ledger import (
    JANUARY,
    NOW,
    delivery_of,
    make_policy_version,
    make_revised,
    make_settled,
    make_voided,
)
from tests.ledger.raw import wait_for_lock
from tests.shared.bus.brokers import Handing


def prepare(database: Database, programme: UUID) -> None:
    with database.transaction() as tx:
        make_policy_version(tx, programme_id=programme)


def standing(tx: Session, programme: UUID) -> Sequence[int]:
    assert journal.prove_balance(tx, programme_id=programme, partner_scope=None).balanced
    statement = select(Donation.fen).where(Donation.programme_id == programme, Donation.superseded_at.is_(None))
    return sorted(tx.scalars(statement))


def dead(tx: Session, deliveries: Sequence[Delivery]) -> list[tuple[str, str | None, str]]:
    ids = [delivery.headers["ce-id"] for delivery in deliveries]
    rows = tx.scalars(select(DeadLetter).where(DeadLetter.event_id.in_(ids)).order_by(DeadLetter.event_id))
    return [(row.reason, row.handler, row.error.split(" (")[0]) for row in rows]


def test_a_repeated_fact_is_owed_once(database: Database, inbox: Inbox, programme: UUID) -> None:
    """The broker may repeat a message, and a publisher may repeat a fact under a new id."""
    prepare(database, programme)
    settled = make_settled(programme_id=programme, minutes=120)
    message = delivery_of(settled)

    for delivery in (message, message, delivery_of(settled)):
        inbox.settle([delivery])
    inbox.settle([message, delivery_of(settled), delivery_of(settled)])

    with database.transaction() as tx:
        assert standing(tx, programme) == [20_000]
        assert dead(tx, [message]) == []


def test_an_older_version_that_comes_late_has_no_effect(database: Database, inbox: Inbox, programme: UUID) -> None:
    """Also when what it comes after is the end."""
    prepare(database, programme)
    settled = make_settled(programme_id=programme, minutes=120)
    revised = make_revised(settled, minutes=60)
    over = make_settled(programme_id=programme)

    for fact in (revised, settled, make_voided(over), over):
        inbox.settle([delivery_of(fact)])

    with database.transaction() as tx:
        assert standing(tx, programme) == [0, 10_000]


def test_a_fact_without_a_policy_is_kept_and_its_neighbours_go_on(
    database: Database, inbox: Inbox, programme: UUID
) -> None:
    """One bad among good: it becomes a dead letter that says why, the others are owed."""
    prepare(database, programme)
    good = [delivery_of(make_settled(programme_id=programme)) for _ in range(6)]
    bad = delivery_of(make_settled(programme_id=programme, started_at=JANUARY.replace(year=2021)))

    inbox.settle([*good[:4], bad, *good[4:]])

    with database.transaction() as tx:
        assert standing(tx, programme) == [20_000] * 6
        assert dead(tx, [*good, bad]) == [
            (
                "refused",
                "ledger.accrue_donations",
                "NoPolicy: no_policy_in_force: No policy was in force when the service started",
            )
        ]


def test_a_batch_without_any_policy_dies_letter_by_letter(database: Database, inbox: Inbox, programme: UUID) -> None:
    """Many bad ones take no neighbour with them either."""
    letters = [delivery_of(make_settled(programme_id=programme)) for _ in range(20)]

    inbox.settle(letters)

    with database.transaction() as tx:
        assert standing(tx, programme) == []
        assert [reason for reason, _, _ in dead(tx, letters)] == ["refused"] * 20


def test_a_version_told_in_two_ways_leaves_the_first(database: Database, inbox: Inbox, programme: UUID) -> None:
    """Also within one batch; the other is kept for a person to look at."""
    prepare(database, programme)
    settled = make_settled(programme_id=programme, minutes=120)
    letters = [delivery_of(settled), delivery_of(settled.model_copy(update={"matchable_minutes": 60}))]

    inbox.settle(letters)

    with database.transaction() as tx:
        assert standing(tx, programme) == [20_000]
        assert [error for _, _, error in dead(tx, letters)] == [
            "VersionRetold: version_retold: The same version was told with other content"
        ]


def test_minutes_beyond_all_bounds_do_not_stop_the_others(database: Database, inbox: Inbox, programme: UUID) -> None:
    """What the database cannot hold is a dead letter too."""
    prepare(database, programme)
    letters = [delivery_of(make_settled(programme_id=programme, minutes=minutes)) for minutes in (120, 2**40)]

    inbox.settle(letters)

    with database.transaction() as tx:
        assert standing(tx, programme) == [20_000]
        assert [reason for reason, _, _ in dead(tx, letters)] == ["failed"]


def test_two_consumers_that_bring_the_same_new_attendance_owe_it_once(
    database: Database, inbox: Inbox, programme: UUID
) -> None:
    """A restart may leave two of them for a moment; the one that comes second waits and finds the other's."""
    prepare(database, programme)
    settled = make_settled(programme_id=programme, minutes=120)
    letters = [delivery_of(settled), delivery_of(make_settled(programme_id=programme, minutes=60))]
    other = Thread(target=inbox.settle, args=(letters,))

    with database.transaction() as tx:
        actions.accrue(tx, [settled], now=NOW)
        other.start()
        wait_for_lock(database)
    other.join(timeout=20)

    with database.transaction() as tx:
        assert standing(tx, programme) == [10_000, 20_000]
        assert dead(tx, letters) == []


def test_two_corrections_at_once_end_at_the_newer(database: Database, inbox: Inbox, programme: UUID) -> None:
    """Whichever commits first."""
    prepare(database, programme)
    settled = make_settled(programme_id=programme, minutes=120)
    revised = make_revised(settled, minutes=180)
    newest = make_revised(revised, minutes=240)
    inbox.settle([delivery_of(settled)])
    letters = [delivery_of(revised)]
    other = Thread(target=inbox.settle, args=(letters,))

    with database.transaction() as tx:
        actions.accrue(tx, [newest], now=NOW)
        other.start()
        wait_for_lock(database)
    other.join(timeout=20)

    with database.transaction() as tx:
        assert standing(tx, programme) == [40_000]
        assert dead(tx, letters) == []


def test_four_consumers_in_any_order_neither_deadlock_nor_lose(
    database: Database, inbox: Inbox, programme: UUID
) -> None:
    """The same facts, shuffled for each, with hot balances."""
    prepare(database, programme)
    partners = [uuid4() for _ in range(3)]
    facts = [
        make_settled(programme_id=programme, partner_id=partners[i % 3], minutes=60, attendance_id=new_id())
        for i in range(90)
    ]

    def consume(seed: int) -> None:
        letters = [delivery_of(fact) for fact in facts]
        Random(seed).shuffle(letters)  # noqa: S311  Not a secret.
        for start in range(0, len(letters), 30):
            inbox.settle(letters[start : start + 30])

    consumers: list[Any] = [Thread(target=consume, args=(seed,)) for seed in range(4)]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join(timeout=60)

    with database.transaction() as tx:
        assert standing(tx, programme) == [10_000] * 90
        assert (
            tx.scalars(select(DeadLetter.reason).where(DeadLetter.body.contains(str(programme).encode()))).all() == []
        )


def test_two_batches_at_once_may_bring_the_same_letters_and_attendances(database: Database, programme: UUID) -> None:
    """Each batch repeats letters of the one before it, and corrects its attendances, all on the same balances."""
    prepare(database, programme)
    facts = [make_settled(programme_id=programme, partner_id=UUID(int=1), minutes=60) for _ in range(60)]
    told = [delivery_of(fact) for fact in facts]
    corrected = [delivery_of(make_revised(fact, minutes=120)) for fact in facts]
    pieces = [slice(start, start + 6) for start in range(0, 60, 6)]
    batches = [[*told[here], *corrected[before], *told[before][::-1]] for before, here in pairwise(pieces)]
    handing = Handing(told[pieces[0]], *batches, corrected[pieces[-1]])
    subscriptions = Subscriptions("ledger", [replace(accrue_donations, batch=18)])

    Consumer(handing, Inbox(database, subscriptions)).run(handing.over)

    with database.transaction() as tx:
        assert standing(tx, programme) == [20_000] * 60
        assert dead(tx, told + corrected) == []
