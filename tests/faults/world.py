"""A world for random steps: two databases and a broker, made once; a model of what was told; and the oracle."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event as Flag
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.ledger.donations import queries as donations
from services.ledger.donations.handlers import accrue_donations
from services.ledger.journal.rules import Account
from shared import bus, clock
from shared.bus.dead_letters import replays
from shared.bus.dead_letters.post_mortem import Wanted
from shared.bus.dead_letters.replayer import Replayer
from shared.bus.handlers import Handler
from shared.bus.inbox import Inbox
from shared.bus.tables import metadata
from shared.bus.transport import Transport
from shared.database.server import Server
from shared.database.sessions import Database
from shared.events.activities import AttendanceRevised, AttendanceSettled, AttendanceVoided, Attended
from shared.ids import new_id
from tests.factories.ledger import make_policy_version
from tests.faults.facts import FEN_PER_HALF_HOUR
from tests.shared.bus.running import Owner

INBOX = "ledger.inbox"
BUS_TABLES = ", ".join(metadata.tables)
EFFECT = """
    CREATE TABLE IF NOT EXISTS effect (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, attendance_id uuid NOT NULL, version integer NOT NULL
    )
"""
_WRITE = text("""
    INSERT INTO effect (attendance_id, version)
    SELECT attendance_id, version FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS integer[]))
        WITH ORDINALITY AS e(attendance_id, version, place) ORDER BY place
""")
_EFFECTS = text("SELECT attendance_id, version FROM effect ORDER BY place")
_STANDING = text("""
    SELECT attendance_id, version, matchable_minutes, fen FROM donation
    WHERE programme_id = :programme AND superseded_at IS NULL AND state <> 'voided'
""")
_POSTED = text("""
    SELECT coalesce(sum(leg.fen), 0) FROM leg JOIN entry ON entry.id = leg.entry_id
    WHERE entry.programme_id = :programme AND leg.account = :payable
""")
_LEFT = text("""
    SELECT (SELECT count(*) FROM suspect) AS suspects, (SELECT count(*) FROM parked_letter) AS parked,
           (SELECT count(*) FROM dead_letter WHERE state = 'dead') AS dead,
           (SELECT count(*) FROM replay WHERE finished_at IS NULL) AS replays
""")
_OUTCOMES = text("SELECT outcome FROM replay_letter WHERE outcome IS NOT NULL")


@bus.on(AttendanceSettled, AttendanceRevised, AttendanceVoided, batch=50, ordered=True)
def write_down(tx: Session, events: Sequence[Attended]) -> None:
    """Write down each fact that comes: what the inbox lets through twice is there twice."""
    ids, versions = [event.attendance_id for event in events], [event.version for event in events]
    tx.execute(_WRITE, {"ids": ids, "versions": versions})


HANDLERS: tuple[Handler[Any], ...] = (accrue_donations, write_down)


class Hurry(Flag):
    """Is never set, and lets nobody wait for it."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  As it is called.
        """Return at once."""
        return self.is_set()


class World:
    """Where examples happen, one after the other; each has a programme of its own."""

    def __init__(
        self, server: Server, transport: Transport, empty_queue: Callable[[], None], *, wait_seconds: float
    ) -> None:
        """Prepare databases with the prefix of `server`; `transport` is open and stays the caller's."""
        self.wait_seconds = wait_seconds
        for service in ("activities", "ledger"):
            server.prepare(service)
        self.transport = transport
        self._empty_queue = empty_queue
        self._owners = [Owner(server, "activities"), Owner(server, "ledger")]
        self._owners[1].execute(EFFECT)
        self.activities: Database = server.open("activities", pool_size=3)
        self.ledger: Database = server.open("ledger", pool_size=3)

    def begin(self) -> UUID:
        """Empty the bus and return a new programme with a policy. The ledger keeps its past: nobody may delete it."""
        self._empty_queue()
        self._owners[0].execute(f"TRUNCATE {BUS_TABLES}")
        self._owners[1].execute(f"TRUNCATE {BUS_TABLES}, effect")
        programme_id = new_id()
        with self.ledger.transaction() as tx:
            make_policy_version(tx, programme_id=programme_id)
        return programme_id

    def order_replay(self, programme_id: UUID) -> None:
        """Have every letter that is dead now tried again."""
        with self.ledger.transaction() as tx:
            replays.request(
                tx, Wanted(), programme_id=programme_id, requested_by=new_id(), why="mended",
                letters_per_second=replays.MOST_PER_SECOND, now=clock.now(),
            )  # fmt: skip

    def carry_out_replays(self, inbox: Inbox) -> None:
        """Be a new process that carries out all replays, also those that another left when it was killed."""
        replayer = Replayer(self.ledger, inbox, lease_seconds=0)  # Of the one that is killed nobody has to wait.
        while replayer.carry_out_one(Hurry()):
            pass

    def outcomes(self) -> Counter[str]:
        """Count what became of letters in replays."""
        with self.ledger.transaction() as tx:
            return Counter(tx.scalars(_OUTCOMES))

    def count(self, table: str) -> int:
        """Count rows in the ledger's database."""
        with self.ledger.transaction() as tx:
            return int(tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608  Our own names.

    def close(self) -> None:
        self.activities.close()
        self.ledger.close()


class Model:
    """What was told in one example, message by message, and what still waits for its time."""

    def __init__(self) -> None:
        self.told: list[Attended] = []
        self.waiting: dict[str, Attended] = {}
        self.timed: set[UUID] = set()  # Attendances that were told at a time; when that was, the clock decided.
        self.newest: list[AttendanceSettled | AttendanceRevised] = []  # What can still be corrected.
        self.last_due: datetime | None = None

    @property
    def all_told(self) -> list[Attended]:
        """Return what will have been told once everything that waits is due."""
        return [*self.told, *self.waiting.values()]

    def standing(self) -> dict[UUID, tuple[int, int, int]]:
        """Return version, minutes and fen of each attendance that counts, by hand."""
        newest: dict[UUID, Attended] = {}
        for fact in self.all_told:
            if fact.attendance_id not in newest or fact.version > newest[fact.attendance_id].version:
                newest[fact.attendance_id] = fact
        return {
            key: (fact.version, fact.matchable_minutes, min(fact.matchable_minutes, 480) // 30 * FEN_PER_HALF_HOUR)
            for key, fact in newest.items()
            if not isinstance(fact, AttendanceVoided)
        }


def require_exact(world: World, model: Model, programme_id: UUID) -> None:
    """Check the oracle: sum of the ledger = sum of the facts, each fact once, no row left open."""
    with world.ledger.transaction() as tx:
        effects = [(row.attendance_id, row.version) for row in tx.execute(_EFFECTS)]
        assert Counter(effects) == Counter((fact.attendance_id, fact.version) for fact in model.all_told)
        rows = tx.execute(_STANDING, {"programme": programme_id})
        standing = {row.attendance_id: (row.version, row.matchable_minutes, row.fen) for row in rows}
        assert standing == model.standing()
        owed = tx.execute(_POSTED, {"programme": programme_id, "payable": Account.PAYABLE_ACCRUED}).scalar_one()
        assert -owed == sum(fen for _, _, fen in standing.values())
        assert donations.prove_balance(tx, programme_id=programme_id, partner_scope=None).balanced
        assert dict(tx.execute(_LEFT).mappings().one()) == dict.fromkeys(("suspects", "parked", "dead", "replays"), 0)
        marks = Counter(tx.scalars(text("SELECT handler FROM inbox")))
        assert {marks[handler.name] for handler in HANDLERS} == {len(model.all_told)}
    with world.activities.transaction() as tx:
        assert tx.execute(text("SELECT count(*) FROM outbox")).scalar_one() == 0
        assert tx.execute(text("SELECT count(*) FROM event_archive")).scalar_one() == len(model.all_told)


def require_order(world: World, model: Model) -> None:
    """Check that facts of one attendance were heard in the order in which they were told; timers have their own."""
    told: dict[UUID, list[int]] = {}
    for fact in model.told:
        told.setdefault(fact.attendance_id, []).append(fact.version)
    heard: dict[UUID, list[int]] = {}
    with world.ledger.transaction() as tx:
        for row in tx.execute(_EFFECTS):
            heard.setdefault(row.attendance_id, []).append(row.version)
    for attendance_id in told.keys() - model.timed:
        assert heard[attendance_id] == told[attendance_id], attendance_id
