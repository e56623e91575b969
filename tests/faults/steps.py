"""Random steps through the life of facts: told, corrected, cancelled, relayed, heard; and all that goes wrong."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import text

from shared import bus, clock
from shared.bus.handlers import Subscriptions
from shared.bus.testing import FaultyTransport, Harness, Member, by_itself, by_partition_key
from shared.bus.upkeep import Upkeep
from shared.events.activities import AttendanceSettled, Attended
from tests.factories.ledger import make_revised, make_settled, make_voided
from tests.faults.facts import PARTNERS
from tests.faults.sabotage import CrashingTransport, Killed, Saboteur, Trouble, Unwelcome
from tests.faults.world import HANDLERS, INBOX, Model, World, require_exact, require_order
from tests.waiting import until

MINUTES = st.integers(0, 600)
ANY = st.integers(0, 9)
RECENT = st.integers(0, 3)  # Few, so that refusals, corrections and repeats meet.
SHARES = st.sampled_from([0.0, 0.1, 0.2])
DROPS = st.sampled_from([0.0, 0.1, 0.3])
KEYS = st.sampled_from(["publicity", "reminder", "close"])
QUIET_AFTER = 30  # Steps; checking is the slow part.
ROUNDS_TO_REST = 50

RELAY_TROUBLES = st.sampled_from([Trouble.NONE] * 4 + [Trouble.BEFORE_PUBLISH, Trouble.AFTER_PUBLISH])
CONSUMER_TROUBLES = st.sampled_from([Trouble.NONE] * 6 + [Trouble.IN_HANDLER, Trouble.BEFORE_ACK, Trouble.DATABASE])
REPLAY_TROUBLES = st.sampled_from([Trouble.NONE] * 2 + [Trouble.IN_HANDLER, Trouble.DATABASE])
LAST_TROUBLES = st.sampled_from([Trouble.IN_HANDLER, Trouble.NONE, Trouble.DATABASE, Trouble.IN_HANDLER])
MENDED = st.sampled_from([True, True, False])

_WAITS = text("SELECT count(*) FROM outbox WHERE timer_key = :key")


class ChangedMind(Exception):
    """The business transaction fails after it has emitted."""


class Steps(RuleBasedStateMachine):
    """One service that tells, one that hears; a subclass says in which world."""

    world: ClassVar[World]
    seen: ClassVar[Counter[str]]

    @initialize(seed=st.integers(0, 2**32 - 1), keeps_order=st.booleans())
    def begin(self, seed: int, *, keeps_order: bool) -> None:
        self.programme_id = self.world.begin()
        self.model = Model()
        self.keeps_order = keeps_order
        self.since_quiet = 0
        self.saboteur = Saboteur(lambda: self.harness.interrupt("ledger"))
        self.transport = FaultyTransport(
            self.world.transport,
            Random(seed),  # noqa: S311  Not a secret.
            stream_of=by_partition_key if keeps_order else by_itself,
            duplicate=0.1,
            reorder=0.3,
            delay=0.1,
            drop=0.1,
        )
        handlers = [self.saboteur.spoiled(handler) for handler in HANDLERS]
        self.harness = Harness(
            Member("activities", self.world.activities),
            Member("ledger", self.world.ledger, Subscriptions("ledger", handlers)),
            transport=CrashingTransport(self.transport, self.saboteur),
            wait_seconds=self.world.wait_seconds,
        )

    @rule(minutes=st.lists(MINUTES, min_size=1, max_size=3), partner=ANY)
    def tell(self, minutes: list[int], partner: int) -> None:
        facts = [self._fact(each, partner) for each in minutes]
        self._emit(*facts)
        self.model.newest += facts

    @precondition(lambda self: self.model.newest)
    @rule(which=RECENT, minutes=st.lists(MINUTES, min_size=1, max_size=3), voided=st.sampled_from([False, False, True]))
    def correct(self, which: int, minutes: list[int], *, voided: bool) -> None:
        """Correct a fact, perhaps several times at once, and perhaps take it back in the end."""
        place = -1 - which % len(self.model.newest)
        versions: list[Attended] = []
        for each in minutes:
            self.model.newest[place] = revised = make_revised(self.model.newest[place], minutes=each)
            versions.append(revised)
        if voided:
            versions.append(make_voided(self.model.newest.pop(place)))
        self._emit(*versions)

    @precondition(lambda self: self.model.newest)
    @rule(which=RECENT)
    def tell_again(self, which: int) -> None:
        """Tell a fact under a new id, as a publisher may."""
        self._emit(self.model.told[-1 - which % len(self.model.told)])

    @rule(minutes=MINUTES, after_minutes=st.integers(-30, 180), key=KEYS)
    def tell_later(self, minutes: int, after_minutes: int, key: str) -> None:
        """Tell a fact at its time; it replaces what waits under the same key."""
        due_at = clock.now() + timedelta(minutes=after_minutes)
        fact = self._fact(minutes, after_minutes)
        self.model.timed.add(fact.attendance_id)
        self._count()
        with self.world.activities.transaction() as tx:
            replaces = bool(tx.execute(_WAITS, {"key": key}).scalar_one())
            bus.emit(tx, fact, at=due_at, key=key)
        before = self.model.waiting.pop(key, None)
        if before is not None and not replaces:
            self.model.told.append(before)  # It was on its way before it could be replaced.
        self.model.waiting[key] = fact
        self.model.last_due = max(due_at, self.model.last_due or due_at)

    @rule(key=KEYS)
    def cancel(self, key: str) -> None:
        self._count()
        with self.world.activities.transaction() as tx:
            cancelled = bus.cancel(tx, key)
        before = self.model.waiting.pop(key, None)
        assert before is not None or not cancelled
        if before is not None and not cancelled:
            self.model.told.append(before)

    @rule(minutes=MINUTES)
    def change_mind(self, minutes: int) -> None:
        self._count()
        with suppress(ChangedMind), self.world.activities.transaction() as tx:
            bus.emit(tx, self._fact(minutes, 0))
            raise ChangedMind

    @rule(trouble=RELAY_TROUBLES)
    def relay(self, trouble: Trouble) -> None:
        self._count()
        self._relay(trouble)

    @rule(trouble=CONSUMER_TROUBLES, handlers_before=st.integers(0, 1))
    def consume(self, trouble: Trouble, handlers_before: int) -> None:
        self._count()
        self._consume(trouble, handlers_before)

    @rule(relayed=RELAY_TROUBLES, trouble=CONSUMER_TROUBLES, handlers_before=st.integers(0, 1))
    def relay_and_consume(self, relayed: Trouble, trouble: Trouble, handlers_before: int) -> None:
        self._count()
        self._relay(relayed)
        self._consume(trouble, handlers_before)

    @precondition(lambda self: self.model.newest)
    @rule(which=RECENT, broken=st.booleans())
    def refuse(self, which: int, *, broken: bool) -> None:
        """Have the ledger's side refuse an attendance from now on, by a rule or by a bug."""
        self._count()
        unwelcome = self.model.newest[-1 - which % len(self.model.newest)].attendance_id
        self.saboteur.unwelcome[unwelcome] = ValueError("a bug") if broken else Unwelcome()

    @rule(trouble=REPLAY_TROUBLES, handlers_before=st.integers(0, 1), mended=MENDED)
    def cure(self, trouble: Trouble, handlers_before: int, *, mended: bool) -> None:
        """Let the cause of all refusals go, perhaps, and replay what died of them, or end over it."""
        self._count()
        self._cure(trouble, handlers_before, mended=mended)

    @rule(minutes=st.integers(-90, 90))
    def jump(self, minutes: int) -> None:
        self._count()
        clock.travel(clock.now() + timedelta(minutes=minutes))

    @rule(duplicate=SHARES, reorder=SHARES, delay=SHARES, drop=DROPS)
    def change_weather(self, duplicate: float, reorder: float, delay: float, drop: float) -> None:
        """Let the broker misbehave more or less."""
        self._count()
        self.transport.duplicate, self.transport.reorder = duplicate, reorder
        self.transport.delay, self.transport.drop = delay, drop

    @precondition(lambda self: self.since_quiet >= QUIET_AFTER)
    @rule(trouble=LAST_TROUBLES, mended=MENDED)
    def come_to_rest(self, trouble: Trouble, *, mended: bool) -> None:
        """Let all that is on its way arrive, and go wrong once more in curing what died of it."""
        self._count()
        self.harness.run_until_idle()
        self._cure(trouble, 0, mended=mended)
        self._check()
        self.since_quiet = 0

    def teardown(self) -> None:
        if not hasattr(self, "harness"):
            return
        try:
            self._check()
        finally:
            self.harness.close()
            self._add_up()

    def _relay(self, trouble: Trouble) -> None:
        self.saboteur.plan(trouble)
        try:
            self.harness.relay("activities")
        except Killed:
            self.harness.end_life("activities")
        finally:
            self.saboteur.plan(Trouble.NONE)

    def _consume(self, trouble: Trouble, handlers_before: int) -> None:
        self.saboteur.plan(trouble, handlers_before=handlers_before)
        try:
            self.harness.consume("ledger")
        except Killed:
            self.harness.end_life("ledger")
        finally:
            self.saboteur.plan(Trouble.NONE)

    def _cure(self, trouble: Trouble, handlers_before: int, *, mended: bool) -> None:
        self.saboteur.plan(trouble, handlers_before=handlers_before)
        try:
            self._replay(mended=mended)
        except Killed:
            self.seen["replays cut short"] += 1
        finally:
            self.saboteur.plan(Trouble.NONE)

    def _fact(self, minutes: int, partner: int) -> AttendanceSettled:
        return make_settled(
            programme_id=self.programme_id, minutes=minutes, partner_id=PARTNERS[partner % len(PARTNERS)]
        )

    def _emit(self, *facts: Attended) -> None:
        self._count()
        with self.world.activities.transaction() as tx:
            bus.emit(tx, *facts)
        self.model.told += facts

    def _count(self) -> None:
        self.seen["steps"] += 1
        self.since_quiet += 1

    def _check(self) -> None:
        """Let everything come to rest and compare it with the facts."""
        if self.model.last_due is not None and self.model.last_due >= clock.now():
            clock.travel(self.model.last_due + timedelta(seconds=1))
        self._rest()
        require_exact(self.world, self.model, self.programme_id)
        if self.keeps_order:
            require_order(self.world, self.model)
        self.seen["checks"] += 1

    def _rest(self) -> None:
        for _ in range(ROUNDS_TO_REST):
            self.harness.run_until_idle()
            if not self._replay(mended=True) and not self._letters_left():
                return
        raise AssertionError(f"no rest after {ROUNDS_TO_REST} rounds")

    def _replay(self, *, mended: bool) -> int:
        """Order a replay of all that is dead, and carry out what was ordered; return how much there was to do."""
        dead = self.harness.dead_letters("ledger")
        for letter in dead:
            self.seen[f"dead: {letter.reason}"] += 1
            assert letter.reason in {"refused", "failed", "killed"}, letter.error
        self.seen["parked"] += self.world.count("parked_letter")
        if mended:
            self.saboteur.unwelcome.clear()
        if dead:
            self.world.order_replay(self.programme_id)
        inbox = self.harness.inbox("ledger")
        self.world.carry_out_replays(inbox)
        left = self.harness.dead_letters("ledger")
        assert not (mended and left), [letter.error for letter in left]
        return len(dead) + Upkeep(inbox, []).release_orphaned()

    def _letters_left(self) -> int:
        """Count what is in the queue; a broker that does not know what is in hand is asked when nothing is."""
        if self.transport.stats(INBOX).unacked is None:
            self.harness.end_life("ledger")
            until(lambda: self.transport.stats(INBOX).consumers == 0, timeout=20, missing="the end of the consumer")
        stats = self.transport.stats(INBOX)
        return stats.ready + (stats.unacked or 0)

    def _add_up(self) -> None:
        self.seen["examples"] += 1
        self.seen.update({f"broker: {fault}": number for fault, number in self.transport.happened.items()})
        self.seen.update({trouble.value: number for trouble, number in self.saboteur.happened.items()})
        self.seen.update({f"replay: {outcome}": number for outcome, number in self.world.outcomes().items()})
        self.seen["interruptions"] += self.harness.interruptions.total()
