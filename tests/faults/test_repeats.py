"""Duplicates and disorder: what the broker and the publisher may do with a season's facts."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from random import Random
from uuid import UUID

from sqlalchemy import text

from services.ledger.donations import queries as donations
from services.ledger.main import SERVICE
from shared.bus.inbox import Inbox
from shared.bus.testing import message_of
from shared.bus.transport import Delivery
from shared.database.server import Server
from shared.database.sessions import Database
from shared.events.activities import AttendanceRevised, AttendanceSettled
from shared.events.base import Event
from shared.ids import new_id
from tests.factories.ledger import make_policy_version, make_revised, make_voided
from tests.faults.facts import make_facts

BATCH = 100
_STANDING = text("""
    SELECT partner_id, count(*), sum(matchable_minutes), sum(fen) FROM donation
    WHERE superseded_at IS NULL GROUP BY partner_id ORDER BY partner_id
""")
_BALANCES = text("SELECT account, partner_id, fen FROM balance WHERE fen <> 0 ORDER BY account, partner_id")


def make_season(programme_id: UUID) -> list[Event]:
    """Make facts with their histories: some corrected once or twice, some of them taken back in the end."""
    rng = Random(7)  # noqa: S311  Not a secret.
    season: list[Event] = []
    for settled in make_facts(200, programme_id=programme_id, seed=7):
        last: AttendanceSettled | AttendanceRevised = settled
        season.append(last)
        for _ in range(rng.choice((0, 0, 1, 2))):
            last = make_revised(last, minutes=rng.randint(0, 600))
            season.append(last)
        if rng.random() < 0.1:
            season.append(make_voided(last))
    return season


@contextmanager
def empty_ledger(server: Server, programme_id: UUID) -> Iterator[Database]:
    """Make a ledger with a policy and nothing else."""
    own = Server(server.url, prefix=f"repeat_{uuid.uuid4().hex[:8]}_")
    own.prepare("ledger")
    try:
        with closing(own.open("ledger", pool_size=2)) as database:
            with database.transaction() as tx:
                make_policy_version(tx, programme_id=programme_id)
            yield database
    finally:
        own.drop("ledger")


def books_after(database: Database, programme_id: UUID, messages: Sequence[Delivery]) -> list[list[tuple[object, ...]]]:
    """Deliver messages in batches and return what the books say then."""
    inbox = Inbox(database, SERVICE.subscriptions)
    for start in range(0, len(messages), BATCH):
        inbox.settle(messages[start : start + BATCH])
    with database.transaction() as tx:
        assert donations.prove_balance(tx, programme_id=programme_id, partner_scope=None).balanced
        assert tx.execute(text("SELECT count(*) FROM dead_letter")).scalar_one() == 0
        return [[tuple(row) for row in tx.execute(query)] for query in (_STANDING, _BALANCES)]


def test_a_season_told_twice_and_shuffled_gives_the_same_books(server: Server) -> None:
    """Every message comes twice, every fact once more under a new id, all in any order: to the minute and the fen."""
    programme_id = new_id()
    season = make_season(programme_id)
    messages = [message_of(fact) for fact in season]
    shuffled = [*messages, *messages, *(message_of(fact) for fact in season)]
    Random(11).shuffle(shuffled)  # noqa: S311  Not a secret.

    with empty_ledger(server, programme_id) as database:
        in_order = books_after(database, programme_id, messages)
        assert books_after(database, programme_id, shuffled) == in_order
    with empty_ledger(server, programme_id) as database:
        assert books_after(database, programme_id, shuffled) == in_order

    assert sum(len(rows) for rows in in_order) > 10
