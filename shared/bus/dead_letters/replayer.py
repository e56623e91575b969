"""The loop that carries out replays: letter by letter, each once, however often it is killed and whoever else does it.

A replay belongs to one Replayer at a time, by a lease of the server's clock. Each letter is one transaction: the lease
is renewed in it, so whoever lost it cannot commit; the try, its outcome and what is released behind it stand or fall
together. A try is counted before it is made, in the transaction before its own: a letter that ends the process three
times is not tried a fourth time.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event as Flag
from uuid import UUID

import orjson
from sqlalchemy import func, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared import telemetry
from shared.bus.burial import Origin, bury_again
from shared.bus.dead_letters.closings import let_go
from shared.bus.dead_letters.post_mortem import State
from shared.bus.dead_letters.replays import Outcome
from shared.bus.dead_letters.ways_back import Retrying, Way, ways_back
from shared.bus.tables import DeadLetter, ReplayLetter
from shared.database.faults import is_transient, may_pass
from shared.database.sessions import Database
from shared.ids import new_id

IDLE_SECONDS = 0.5
AWAY_SECONDS = 1.0
TURN_SECONDS = 5.0
LEASE_SECONDS = 10.0  # Renewed with each letter, of which there is at least one a second.
MOST_TRIES = 3

log = telemetry.get_logger()

_TAKE_UP = text("""
    UPDATE replay SET lease = :lease, lease_until = now() + :seconds * interval '1 s'
    WHERE id = (SELECT id FROM replay
                WHERE finished_at IS NULL AND (lease IS NULL OR lease = :lease OR lease_until < now())
                ORDER BY total, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id, requested_by, why, letters_per_second
""")
_RENEW = text("""
    UPDATE replay SET lease_until = now() + :seconds * interval '1 s' WHERE id = :replay AND lease = :lease RETURNING id
""")
_LET_GO = text("UPDATE replay SET lease = NULL, lease_until = NULL WHERE id = :replay AND lease = :lease")
_PICK = text("""
    UPDATE replay_letter SET tries = tries + 1
    WHERE replay_id = :replay AND dead_letter_id = (
        SELECT r.dead_letter_id FROM replay_letter AS r JOIN dead_letter AS d ON d.id = r.dead_letter_id
        WHERE r.replay_id = :replay AND r.outcome IS NULL
        ORDER BY r.dead_letter_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING dead_letter_id
""")
_UNTRIED = text("""
    UPDATE replay_letter SET tries = tries - 1 WHERE replay_id = :replay AND dead_letter_id = CAST(:letter AS uuid)
""")
_FINISH = text("""
    UPDATE replay SET finished_at = now(), lease = NULL, lease_until = NULL
    WHERE id = :replay AND lease = :lease
        AND NOT EXISTS (SELECT FROM replay_letter WHERE replay_id = :replay AND outcome IS NULL)
    RETURNING id
""")
_CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")  # What is deferred to the commit has to fail within the try.


class LeaseLost(Exception):
    """Another Replayer has taken this replay up: we were away for too long."""


class EndsTheProcess(Exception):
    """The process ended during each try of a letter."""


@dataclass(frozen=True)
class Order:
    """A replay in hand."""

    id: UUID
    requested_by: UUID
    why: str
    letters_per_second: int


class Replayer:
    """Carries out a service's replays until told to stop; several may run at once, in whatever processes."""

    def __init__(
        self, database: Database, inbox: Retrying, *, ways: Mapping[Origin, Way] | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:  # fmt: skip
        """Replay letters of `database`; `ways` says how those of each origin are tried again."""
        self.database = database
        self.inbox = inbox
        self.ways = ways_back(inbox) if ways is None else ways
        self._mine = {"lease": new_id(), "seconds": lease_seconds}

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set; the letter in hand is finished first."""
        while not stop.is_set():
            try:
                if not self.carry_out_one(stop):
                    stop.wait(IDLE_SECONDS)
            except LeaseLost:
                log.warning("replayer.lease_lost")
            except SQLAlchemyError as error:
                if not may_pass(error):
                    raise
                log.warning("replayer.database_away", error=str(error))
                stop.wait(AWAY_SECONDS)

    def carry_out_one(self, stop: Flag) -> bool:
        """Take a replay up, until its end or that of this turn, or until told to stop; return whether there was one.

        Raises LeaseLost, and what the database raises between two letters.
        """
        order = self._take_up()
        if order is not None:
            self._carry_out(order, stop)
        return order is not None

    def _take_up(self) -> Order | None:
        with self.database.transaction() as tx:
            row = tx.execute(_TAKE_UP, self._mine).first()
        return Order(*row) if row is not None else None

    def _carry_out(self, order: Order, stop: Flag) -> None:
        """Try letter after letter at the pace that was asked for; after a while see whether a smaller replay waits."""
        pace = _Pace(order.letters_per_second)
        until = time.monotonic() + TURN_SECONDS
        with self.database.transaction() as tx:
            self._renew(tx, order)
            letter_id = _pick(tx, order)
        while letter_id is not None and not stop.is_set() and time.monotonic() < until:
            letter_id = self._settle(order, letter_id, stop)
            pace.wait(stop)
        if letter_id is None:
            self._finish(order, stop)
        else:
            self._let_go(order, letter_id)

    def _settle(self, order: Order, letter_id: UUID, stop: Flag) -> UUID | None:
        """Try one letter and pick the next; a database that is away or busy is waited for, as it is nobody's fault.

        So is a statement of ours that took too long. One of the letter's own is the letter's fate, as in the inbox.
        """
        while True:
            try:
                with self.database.transaction() as tx:
                    self._renew(tx, order)
                    self._try(tx, order, letter_id)
                    tx.flush()  # Or it would be picked again.
                    following = _pick(tx, order)
            except SQLAlchemyError as error:
                if not may_pass(error):
                    raise
                log.warning("replayer.database_away", replay_id=str(order.id), error=str(error))
                if stop.wait(AWAY_SECONDS):
                    return letter_id
            else:
                return following

    def _try(self, tx: Session, order: Order, letter_id: UUID) -> None:
        """Try one letter and write down what became of it, unless that is written already."""
        entry = tx.get_one(ReplayLetter, (order.id, letter_id), with_for_update=True)
        letter = tx.get_one(DeadLetter, letter_id, with_for_update=True)
        if entry.outcome is not None:
            return
        entry.outcome, entry.error = self._outcome(tx, order, letter, entry.tries)
        entry.tried_at = func.now()

    def _outcome(self, tx: Session, order: Order, letter: DeadLetter, tries: int) -> tuple[Outcome, str | None]:
        if letter.state != State.DEAD:
            return Outcome.SKIPPED, None
        error = self._attempt(tx, letter, tries)
        if error is None:
            self._close(tx, letter, order)
            return Outcome.REPLAYED, None
        bury_again(letter, error)
        log.warning("replayer.failed_again", dead_letter_id=str(letter.id), error=letter.error)
        return Outcome.FAILED, letter.error

    def _attempt(self, tx: Session, letter: DeadLetter, tries: int) -> Exception | None:
        """Try a letter within a savepoint that is gone when it fails; return why it did."""
        if tries > MOST_TRIES:
            return EndsTheProcess(f"the process ended in each of {MOST_TRIES} tries")
        try:
            with telemetry.trace(orjson.loads(letter.headers).get("ce-traceparent")), tx.begin_nested():
                error = self.ways[Origin(letter.origin)](tx, letter)
                if error is not None:
                    raise error  # noqa: TRY301  So that the savepoint takes back what was done until then.
                tx.execute(_CHECK_NOW)
        except Exception as raised:  # Whatever a way raises is the letter's fate, not the replay's.
            if is_transient(raised):
                raise
            return raised
        return None

    def _close(self, tx: Session, letter: DeadLetter, order: Order) -> None:
        letter.state, letter.closed_at = State.REPLAYED, func.now()
        letter.closed_by, letter.closed_why = order.requested_by, order.why
        tx.flush()  # What waited behind it must see that it is dead no more.
        if letter.handler is not None and letter.partition_key is not None:
            let_go(tx, letter.handler, letter.partition_key, self.inbox.release)

    def _renew(self, tx: Session, order: Order) -> None:
        """Prolong the lease, and hold its row until the commit: nobody takes the replay up meanwhile."""
        if tx.execute(_RENEW, self._mine | {"replay": order.id}).first() is None:
            raise LeaseLost

    def _finish(self, order: Order, stop: Flag) -> None:
        """Close a replay of which nothing is left; what another replay has in hand will be looked at again."""
        with self.database.transaction() as tx:
            finished = tx.execute(_FINISH, self._mine | {"replay": order.id}).first()
        if finished is not None:
            log.info("replayer.finished", replay_id=str(order.id))
            return
        self._let_go(order, None)
        stop.wait(IDLE_SECONDS)

    def _let_go(self, order: Order, untried: UUID | None) -> None:
        """Leave a replay to whoever comes next, with the try that was counted and not made."""
        with self.database.transaction() as tx:
            self._renew(tx, order)
            tx.execute(_UNTRIED, {"replay": order.id, "letter": untried})
            tx.execute(_LET_GO, self._mine | {"replay": order.id})


def _pick(tx: Session, order: Order) -> UUID | None:
    """Choose the next letter that nobody has in hand, and count its try before it is made."""
    picked: UUID | None = tx.scalar(_PICK, {"replay": order.id})
    return picked


class _Pace:
    """Spreads work evenly; what is late is not caught up with."""

    def __init__(self, per_second: int) -> None:
        self._interval = 1 / per_second
        self._next = time.monotonic() + self._interval

    def wait(self, stop: Flag) -> None:
        """Wait for the next turn, or until told to stop."""
        stop.wait(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + self._interval
