"""A ledger that is so many entries old: a month that our inbox took in, then copies of it, month by month.

Copies differ from what was taken in by their ids and dates alone, go through the same guards, and are rolled up; so
the rows of a million entries are there in a minute or two, of the kind that we write.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from services.ledger.donations.queries import prove_balance
from services.ledger.journal.rules import Account
from services.ledger.main import SERVICE
from shared.bus.inbox import Inbox
from shared.bus.transport import Delivery
from shared.database.server import Server
from shared.database.sessions import Database
from shared.ids import new_id, new_ids
from tests.bench.facts import PARTNERS, Told, as_letter
from tests.factories.ledger import NINE, make_policy_version, make_settled
from tests.faults.facts import worth

BATCH = 500  # As many as a consumer takes at once.
DAYS = 30  # A month of ours.
ON_A_SHIFT = 50
SHIFTS_OF_A_LISTING = 10
TIMES_A_MONTH = 20  # That one person serves.

_FIRST_MONTH = text("""
    CREATE TEMP TABLE first_month AS
    SELECT donation.*, inbox.handler, inbox.type, convert_from(inbox.body, 'UTF8')::jsonb AS fact
    FROM inbox JOIN donation
        ON donation.attendance_id = CAST(convert_from(inbox.body, 'UTF8')::jsonb ->> 'attendance_id' AS uuid)
    ORDER BY donation.id
""")
_NEXT_MONTH = text("""
    WITH people AS MATERIALIZED (
        SELECT volunteer_id, uuidv7() AS new_volunteer FROM (SELECT DISTINCT volunteer_id FROM first_month) AS p
    ), listings AS MATERIALIZED (
        SELECT listing_id, uuidv7() AS new_listing FROM (SELECT DISTINCT listing_id FROM first_month) AS l
    ), shifts AS MATERIALIZED (
        SELECT shift_id, uuidv7() AS new_shift FROM (SELECT DISTINCT shift_id FROM first_month) AS s
    ), month AS MATERIALIZED (
        SELECT *, uuidv7() AS new_event, uuidv7() AS new_attendance, uuidv7() AS new_donation, uuidv7() AS new_entry,
               service_on + CAST(:days AS integer) AS new_day, started_at + make_interval(days => :days) AS new_start
        FROM (
            SELECT * FROM first_month JOIN people USING (volunteer_id) JOIN listings USING (listing_id)
                JOIN shifts USING (shift_id)
            ORDER BY first_month.id
        ) AS f
    ), marks AS (
        INSERT INTO inbox (event_id, handler, type, body)
        SELECT new_event, handler, type, convert_to(CAST(fact || jsonb_build_object(
                'attendance_id', new_attendance, 'volunteer_id', new_volunteer, 'listing_id', new_listing,
                'shift_id', new_shift, 'service_on', new_day, 'started_at', new_start) AS text), 'UTF8')
        FROM month
    ), legs AS (
        INSERT INTO leg (entry_id, line, leg_count, account, partner_id, fen)
        SELECT new_entry, line, leg_count, account, leg.partner_id, leg.fen
        FROM month JOIN leg USING (entry_id) ORDER BY new_entry, line
        RETURNING entry_id, account, partner_id, fen
    ), entries AS (
        INSERT INTO entry (id, programme_id, kind, source_type, source_id, source_version, leg_count, effective_on,
                           posted_at, currency)
        SELECT new_entry, e.programme_id, e.kind, e.source_type, new_attendance, e.source_version, e.leg_count,
               new_day, e.posted_at, e.currency
        FROM month JOIN entry AS e ON e.id = entry_id ORDER BY new_entry
        RETURNING id, programme_id
    ), donations AS (
        INSERT INTO donation (id, version, state, attendance_id, programme_id, partner_id, listing_id, shift_id,
            volunteer_id, started_at, service_on, evidence, recorded_minutes, matchable_minutes, below_minimum_minutes,
            above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen, policy_version_id, entry_id,
            decided_at)
        SELECT new_donation, version, state, new_attendance, programme_id, partner_id, new_listing, new_shift,
            new_volunteer, new_start, new_day, evidence, recorded_minutes, matchable_minutes, below_minimum_minutes,
            above_ceiling_minutes, step_rounding_minutes, credited_minutes, fen, policy_version_id, new_entry,
            decided_at
        FROM month ORDER BY new_donation
    )
    INSERT INTO balance AS b (programme_id, account, partner_id, fen)
    SELECT entries.programme_id, account, partner_id, CAST(sum(legs.fen) AS bigint)
    FROM legs JOIN entries ON entries.id = legs.entry_id GROUP BY 1, 2, 3
    ON CONFLICT (programme_id, account, partner_id) DO UPDATE SET fen = b.fen + EXCLUDED.fen
""")
_TOTALS = text("""
    INSERT INTO partner_total
    SELECT programme_id, partner_id, CAST(date_trunc('month', CAST(service_on AS timestamp)) AS date) AS month,
           count(*), sum(recorded_minutes), sum(matchable_minutes), sum(below_minimum_minutes),
           sum(above_ceiling_minutes), sum(step_rounding_minutes), sum(credited_minutes), sum(fen)
    FROM donation GROUP BY GROUPING SETS ((1, 2, 3), (1, 2))
""")
_PEOPLE = text("SELECT DISTINCT volunteer_id FROM donation ORDER BY 1")
_STATE = text("""
    SELECT (SELECT count(*) FROM donation) AS donations, (SELECT count(*) FROM entry) AS entries,
           (SELECT count(*) FROM inbox WHERE body IS NOT NULL) AS marks,
           (SELECT CAST(coalesce(sum(-fen), 0) AS bigint) FROM balance WHERE account = :payable) AS owed
""")


@dataclass(frozen=True, slots=True)
class State:
    """How much a ledger holds, what it owes in fen, and whether its journal proves its balances."""

    donations: int
    entries: int
    marks: int
    owed: int
    is_balanced: bool

    def has_taken(self, told: Sequence[Told], *, since: "State") -> bool:
        """Say whether these facts, all new, are what has come since."""
        count = len(told)
        grown = (self.donations - since.donations, self.entries - since.entries, self.marks - since.marks)
        owed = worth(one.fact for one in told)
        return grown == (count, count, count) and self.owed - since.owed == owed and self.is_balanced


@dataclass(frozen=True, slots=True)
class Ledger:
    """One programme's ledger, and how to reach it as its service does."""

    database: Database
    programme_id: UUID

    def next_month(self, count: int, *, month: int) -> list[Told]:
        """Make so many new facts of people who are known here already, any of them."""
        with self.database.transaction() as tx:
            people = tx.scalars(_PEOPLE).all()
        return a_month(count, programme_id=self.programme_id, people=people, month=month)

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Settle what a broker would have brought, batch by batch, each in a transaction."""
        inbox = Inbox(self.database, SERVICE.subscriptions)
        for start in range(0, len(deliveries), BATCH):
            inbox.settle(deliveries[start : start + BATCH])

    def state(self) -> State:
        """Look at all of it."""
        with self.database.reading() as tx:
            row = tx.execute(_STATE, {"payable": Account.PAYABLE_ACCRUED}).one()
            proof = prove_balance(tx, programme_id=self.programme_id, partner_scope=None)
            return State(row.donations, row.entries, row.marks, row.owed, proof.balanced)


@contextmanager
def ledger(server: Server, *, entries: int, month: int) -> Iterator[Ledger]:
    """Make a ledger of so many entries in a fresh database, `month` of them a month, and tidy it up."""
    server.drop("ledger")
    server.prepare("ledger")
    programme_id = new_id()
    with closing(server.open("ledger", pool_size=1)) as database:
        with database.transaction() as tx:
            make_policy_version(tx, programme_id=programme_id)
        made = Ledger(database, programme_id)
        people = new_ids(max(1, month // TIMES_A_MONTH))
        made.take(deliveries(a_month(month, programme_id=programme_id, people=people)))
        _copy(server.database_url("ledger"), months=entries // month)
        yield made


def a_month(count: int, *, programme_id: UUID, people: Sequence[UUID], month: int = 0) -> list[Told]:
    """Make the facts of a month, `month` months after the first, spread over its days, shifts, partners and people."""
    rng = Random(count)  # noqa: S311  Not a secret.
    told = []
    shift_id = listing_id = new_id()
    for number in range(count):
        if number % ON_A_SHIFT == 0:
            shift_id = new_id()
        if number % (ON_A_SHIFT * SHIFTS_OF_A_LISTING) == 0:
            listing_id = new_id()
        day = timedelta(days=month * DAYS + number * DAYS // count)
        fact = make_settled(
            programme_id=programme_id, partner_id=PARTNERS[number // ON_A_SHIFT % len(PARTNERS)],
            listing_id=listing_id, shift_id=shift_id, volunteer_id=rng.choice(people), started_at=NINE + day,
            service_on=(NINE + day).date(), minutes=rng.randint(30, 480),
        )  # fmt: skip
        told.append(Told(new_id(), fact, fact.model_dump_json()))
    return told


def deliveries(told: Sequence[Told]) -> list[Delivery]:
    """Put facts into letters as they arrive."""
    letters = map(as_letter, told)
    return [Delivery(one.headers, one.body, one.routing_key, redelivered=False, receipt=None) for one in letters]


def _copy(url: URL, *, months: int) -> None:
    """Add months to the first, as the schema's owner."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(_FIRST_MONTH)
        connection.execute(text("ANALYZE"))
        for number in range(1, months):
            connection.execute(_NEXT_MONTH, {"days": number * DAYS})
        connection.execute(text("DELETE FROM partner_total"))
        connection.execute(_TOTALS)
        _tidy(connection)


def _tidy(connection: Connection) -> None:
    """Leave no work behind that would be done while something is measured."""
    connection.execute(text("VACUUM ANALYZE"))
    connection.execute(text("CHECKPOINT"))
