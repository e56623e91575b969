from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.activities.kit_returns import actions, queries, rules
from services.activities.kit_returns.actions import Cost, Decision
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.actions import Handling, follow
from services.activities.kits.rules import KitStateDiffers, OwnKit, State
from services.activities.kits.tables import Kit, KitAddress, KitTerms
from shared.auth.scopes import Scope
from shared.database.sessions import Database
from shared.errors import ChangedSince, NotFound
from shared.events.activities_kits import (
    KitCancelled,
    KitCostApproved,
    KitCostCancelled,
    KitCostClaimed,
    KitCostRefused,
    KitLost,
    KitOverdue,
    KitReturned,
    KitSide,
)
from shared.seen import ANYTHING, Seen
from tests.activities.racing import at_once, held
from tests.activities.told import told
from tests.factories.activities import PROGRAMME
from tests.factories.kits import DUE, LOSE, MEMBER, make_address, make_kit, make_kit_cost

OPERATOR = uuid4()
SECOND = timedelta(seconds=1)
WOOL = Cost(2_000, "没有寄回", "发票")


def handling(kit: Kit, *, by: UUID = MEMBER, side: KitSide = KitSide.PARTNER, now: datetime = LOSE) -> Handling:
    partner_id = kit.partner_id if side is KitSide.PARTNER else None
    return Handling(Scope(kit.programme_id, partner_id=partner_id), kit.id, by, side, now)


def decision(cost: KitCost, *, by: UUID = OPERATOR, of_partner: UUID | None = None, seen: Seen = ANYTHING) -> Decision:
    return Decision(cost.programme_id, cost.id, by, of_partner, "看过发票", seen, LOSE)


def bring_back(tx: Session, kit: Kit, *, pieces: int = 2) -> Kit:
    return actions.bring_back(tx, handling(kit), pieces=pieces, words=None)


def has_address(tx: Session, kit: Kit) -> bool:
    return tx.scalar(select(func.count()).where(KitAddress.kit_id == kit.id)) == 1


class TestReturn:
    @pytest.mark.parametrize("state", [State.SHIPPED, State.RECEIVED, State.OVERDUE, State.LOST])
    @pytest.mark.parametrize("pieces", [0, 3])
    def test_what_comes_back_is_counted(self, tx: Session, state: State, pieces: int) -> None:
        """Late, or found again, as well; the same again changes nothing; no address is left."""
        kit = make_kit(tx, state=state)
        make_address(tx, kit)
        for _ in range(2):
            bring_back(tx, kit, pieces=pieces)
        assert (kit.state, kit.pieces, kit.returned_by, has_address(tx, kit)) == ("returned", pieces, MEMBER, False)
        [fact] = told(tx)
        assert isinstance(fact, KitReturned)
        assert (fact.kit_id, fact.pieces, fact.due_at) == (kit.id, pieces, DUE)

    def test_what_was_counted_is_not_counted_otherwise(self, tx: Session) -> None:
        """Nor does what was never sent come back; others' kits are unknown."""
        for kit in (make_kit(tx, state=State.RETURNED), make_kit(tx), make_kit(tx, state=State.CANCELLED)):
            with pytest.raises(KitStateDiffers):
                bring_back(tx, kit, pieces=9)
        stranger = Handling(Scope(PROGRAMME, partner_id=uuid4()), kit.id, MEMBER, KitSide.PARTNER, LOSE)
        with pytest.raises(NotFound):
            actions.bring_back(tx, stranger, pieces=1, words=None)
        assert told(tx) == []

    @pytest.mark.parametrize(
        ("state", "becomes", "amount", "was_approved"),
        [("claimed", "cancelled", 2_000, False), ("approved", "cancelled", 1_500, True), ("refused", "refused", 0, 0)],
    )
    def test_a_kit_that_is_found_costs_nothing(
        self, tx: Session, state: str, becomes: str, amount: int, was_approved: object
    ) -> None:
        """What is claimed or approved and not paid ends; a refusal stands."""
        cost = make_kit_cost(tx, state=state, **_decided(state))
        bring_back(tx, tx.get_one(Kit, cost.kit_id))
        assert cost.state == becomes
        facts = [fact for fact in told(tx) if isinstance(fact, KitCostCancelled)]
        found = [(fact.cost_id, fact.amount_fen, fact.was_approved) for fact in facts]
        assert found == ([(cost.id, amount, was_approved)] if becomes == "cancelled" else [])


def _decided(state: str) -> dict[str, Any]:
    if state == "claimed":
        return {}
    decided = {"decided_by": OPERATOR, "decided_at": LOSE, "decision_reason": "看过"}
    return decided | ({"approved_fen": 1_500} if state == "approved" else {})


class TestLose:
    @pytest.mark.parametrize("side", [KitSide.PARTNER, KitSide.OPERATOR])
    def test_an_overdue_kit_is_given_up_with_a_reason(self, tx: Session, side: KitSide) -> None:
        """By the partner or an operator; its address goes."""
        kit = make_kit(tx, state=State.OVERDUE)
        make_address(tx, kit)
        actions.lose(tx, handling(kit, side=side), because="联系不上", seen=ANYTHING)
        assert (kit.state, kit.lost_by, kit.lost_because, has_address(tx, kit)) == ("lost", MEMBER, "联系不上", False)
        [fact] = told(tx)
        assert isinstance(fact, KitLost)
        assert fact.lost_by == side

    def test_what_is_not_overdue_is_not_lost(self, tx: Session) -> None:
        """And what has changed since it was read is read again first."""
        kit = make_kit(tx, state=State.RECEIVED)
        with pytest.raises(KitStateDiffers):
            actions.lose(tx, handling(kit), because="x", seen=ANYTHING)
        with pytest.raises(ChangedSince):
            actions.lose(tx, handling(kit), because="x", seen=Seen(("old",)))
        assert told(tx) == []


class TestClear:
    @pytest.mark.parametrize("state", [State.OVERDUE, State.LOST])
    def test_an_operator_lifts_what_restricts(self, tx: Session, state: State) -> None:
        """The kit stays what it is; once is enough."""
        kit = make_kit(tx, state=state)
        operator = handling(kit, by=OPERATOR, side=KitSide.OPERATOR)
        actions.clear(tx, operator, because="快递丢失", seen=ANYTHING)
        assert (kit.state, kit.cleared_by, kit.cleared_because) == (state, OPERATOR, "快递丢失")
        with pytest.raises(rules.NotBlocking):
            actions.clear(tx, operator, because="x", seen=ANYTHING)

    def test_nobody_clears_their_own(self, tx: Session) -> None:
        """An operator may be a volunteer as well; what restricts nobody is not cleared."""
        kit = make_kit(tx, state=State.OVERDUE)
        with pytest.raises(OwnKit):
            actions.clear(tx, handling(kit, by=kit.volunteer_id), because="x", seen=ANYTHING)
        with pytest.raises(ChangedSince):
            actions.clear(tx, handling(kit, by=OPERATOR), because="x", seen=Seen(("old",)))
        fine = make_kit(tx, state=State.SHIPPED)
        with pytest.raises(rules.NotBlocking):
            actions.clear(tx, handling(fine, by=OPERATOR), because="x", seen=ANYTHING)


class TestCalendar:
    @pytest.mark.parametrize("state", [State.SHIPPED, State.RECEIVED])
    def test_what_is_not_back_is_overdue(self, tx: Session, state: State) -> None:
        """At the instant, not before; told once, with when it is given up."""
        kit = make_kit(tx, state=state)
        make_address(tx, kit)
        actions.fall_due(tx, now=DUE - SECOND, limit=1_000)
        assert kit.state == state
        for _ in range(2):
            actions.fall_due(tx, now=DUE, limit=1_000)
        assert (kit.state, kit.overdue_at, kit.lose_at) == ("overdue", DUE, LOSE)
        [fact] = [each for each in told(tx) if isinstance(each, KitOverdue)]
        assert (fact.kit_id, fact.lose_at) == (kit.id, LOSE)
        assert has_address(tx, kit)

    def test_what_stays_overdue_is_given_up(self, tx: Session) -> None:
        """By nobody, twenty working days later; no money moves by that."""
        kit = make_kit(tx, state=State.OVERDUE)
        make_address(tx, kit)
        actions.give_up(tx, now=LOSE - SECOND, limit=1_000)
        assert kit.state == "overdue"
        for _ in range(2):
            actions.give_up(tx, now=LOSE, limit=1_000)
        assert (kit.state, kit.lost_by, kit.lost_at, has_address(tx, kit)) == ("lost", None, LOSE, False)
        [fact] = told(tx)
        assert isinstance(fact, KitLost)
        assert fact.lost_by is KitSide.CALENDAR

    def test_after_weeks_without_us_nobody_has_lost_a_day(self, tx: Session) -> None:
        """What fell due meanwhile is overdue from when it was noticed, and is given up twenty working days after."""
        kit, unsent = make_kit(tx, state=State.RECEIVED), make_kit(tx)
        back = DUE + timedelta(days=60)
        assert actions.turn(tx, now=back, limit=1_000)["overdue"] > 0
        assert (kit.state, kit.overdue_at, unsent.state) == ("overdue", back, "cancelled")
        assert kit.lose_at is not None
        assert kit.lose_at >= back + timedelta(days=28)
        actions.turn(tx, now=kit.lose_at - SECOND, limit=1_000)
        assert kit.state == "overdue"
        actions.turn(tx, now=kit.lose_at, limit=1_000)
        assert kit.state == "lost"
        mine = [type(fact) for fact in told(tx) if getattr(fact, "kit_id", None) in {kit.id, unsent.id}]
        expected: list[type] = [KitOverdue, KitCancelled, KitLost]
        assert mine == expected


class TestCost:
    def test_a_partner_claims_what_a_lost_kit_has_cost(self, tx: Session) -> None:
        """Up to the ceiling that was agreed; the same again returns the first."""
        kit = make_kit(tx, state=State.LOST)
        cost = actions.claim_cost(tx, handling(kit), WOOL)
        assert actions.claim_cost(tx, handling(kit), WOOL) is cost
        assert (cost.state, cost.amount_fen, cost.ceiling_fen, cost.claimed_by) == ("claimed", 2_000, 3_000, MEMBER)
        assert told(tx) == [
            KitCostClaimed(
                programme_id=PROGRAMME, cost_id=cost.id, kit_id=kit.id, listing_id=kit.listing_id,
                partner_id=kit.partner_id, amount_fen=2_000, at=LOSE,
            )
        ]  # fmt: skip
        with pytest.raises(rules.CostClaimed):
            actions.claim_cost(tx, handling(kit), Cost(3_000, "x", "y"))

    def test_what_is_not_lost_or_beyond_the_ceiling_is_refused(self, tx: Session) -> None:
        """Neither is anything written, nor told."""
        for state in set(State) - {State.LOST}:
            with pytest.raises(rules.KitNotLost):
                actions.claim_cost(tx, handling(make_kit(tx, state=state)), WOOL)
        kit = make_kit(tx, state=State.LOST)
        for amount in (0, 3_001):
            with pytest.raises(rules.BadCost):
                actions.claim_cost(tx, handling(kit), Cost(amount, "x", "y"))
        stranger = Handling(Scope(PROGRAMME, partner_id=uuid4()), kit.id, MEMBER, KitSide.PARTNER, LOSE)
        with pytest.raises(NotFound):
            actions.claim_cost(tx, stranger, WOOL)
        assert (told(tx), tx.scalars(select(KitCost).where(KitCost.kit_id == kit.id)).all()) == ([], [])

    @pytest.mark.parametrize(("asked", "owed"), [(None, 2_000), (2_000, 2_000), (1, 1)])
    def test_a_stranger_approves_it_or_less(self, tx: Session, asked: int | None, owed: int) -> None:
        """What is owed is told in fen; it is decided once."""
        cost = make_kit_cost(tx)
        actions.approve(tx, decision(cost), approved_fen=asked)
        assert (cost.state, cost.approved_fen, cost.decided_by) == ("approved", owed, OPERATOR)
        [fact] = told(tx)
        assert isinstance(fact, KitCostApproved)
        assert (fact.amount_fen, fact.partner_id) == (owed, cost.partner_id)
        with pytest.raises(rules.CostDecided):
            actions.refuse(tx, decision(cost))

    def test_a_stranger_refuses_it(self, tx: Session) -> None:
        """With a reason."""
        cost = make_kit_cost(tx)
        actions.refuse(tx, decision(cost))
        assert (cost.state, cost.approved_fen, cost.decision_reason) == ("refused", None, "看过发票")
        [fact] = told(tx)
        assert isinstance(fact, KitCostRefused)
        with pytest.raises(rules.CostDecided):
            actions.approve(tx, decision(cost), approved_fen=None)

    def test_who_is_not_a_stranger_decides_nothing(self, tx: Session) -> None:
        """Neither the claimant, nor a member of the partner, nor who had the kit."""
        cost = make_kit_cost(tx)
        volunteer_id = tx.get_one(Kit, cost.kit_id).volunteer_id
        for by in (
            decision(cost, by=cost.claimed_by),
            decision(cost, of_partner=cost.partner_id),
            decision(cost, by=volunteer_id),
        ):
            with pytest.raises(rules.OwnCost):
                actions.approve(tx, by, approved_fen=None)
            with pytest.raises(rules.OwnCost):
                actions.refuse(tx, by)
        assert (cost.state, told(tx)) == ("claimed", [])

    def test_what_was_not_read_or_is_too_much_is_not_approved(self, tx: Session) -> None:
        """Nothing is written."""
        cost = make_kit_cost(tx)
        for asked in (0, 2_001):
            with pytest.raises(rules.BadCost):
                actions.approve(tx, decision(cost), approved_fen=asked)
        with pytest.raises(ChangedSince):
            actions.approve(tx, decision(cost, seen=Seen(("old",))), approved_fen=None)
        with pytest.raises(NotFound):
            actions.refuse(tx, Decision(uuid4(), cost.id, OPERATOR, None, "x", ANYTHING, LOSE))
        assert (cost.state, told(tx)) == ("claimed", [])

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(ceiling=st.integers(0, 5_000), amount=st.integers(-10, 6_000), approved=st.integers(-10, 6_000))
    def test_what_is_owed_is_within_what_was_agreed(
        self, tx: Session, ceiling: int, amount: int, approved: int
    ) -> None:  # fmt: skip
        """Whatever is claimed and approved: rows, events and rules say the same, or nothing."""
        with tx.begin_nested() as undone:
            kit = make_kit(tx, state=State.LOST)
            tx.get_one(KitTerms, kit.listing_id).ceiling_fen = ceiling
            tx.flush()
            try:
                cost = actions.claim_cost(tx, handling(kit), Cost(amount, "x", "y"))
                actions.approve(tx, decision(cost), approved_fen=approved)
            except rules.BadCost:
                assert not (1 <= approved <= amount <= ceiling)
            else:
                tx.flush()
                assert 1 <= approved <= amount <= ceiling
                owed = [fact.amount_fen for fact in told(tx) if isinstance(fact, KitCostApproved)]
                assert owed == [approved]
            undone.rollback()


def test_the_words_about_who_is_erased_are_emptied(tx: Session) -> None:
    """Amounts and decisions stay."""
    cost, other = make_kit_cost(tx), make_kit_cost(tx)
    actions.forget_words_of(tx, volunteer_id=tx.get_one(Kit, cost.kit_id).volunteer_id)
    tx.refresh(cost)
    assert (cost.reason, cost.evidence_note, cost.amount_fen, other.reason) == ("", "", 2_000, "没有寄回")


def test_a_partner_sees_its_own_costs(tx: Session) -> None:
    """Staff all of the programme's."""
    cost, other = make_kit_cost(tx), make_kit_cost(tx)
    found = tx.scalars(queries.costs_of(PROGRAMME, cost.partner_id)).all()
    assert found == [cost]
    assert {cost, other} <= set(tx.scalars(queries.costs_of(PROGRAMME, None)))
    with pytest.raises(NotFound):
        queries.get_cost(tx, programme_id=PROGRAMME, cost_id=cost.id, partner_id=uuid4())


class TestAtOnce:
    @pytest.fixture
    def kit(self, database: Database, programme: UUID) -> Kit:
        with database.transaction() as tx:
            return make_kit(tx, state=State.RECEIVED, programme_id=programme)

    @pytest.fixture
    def cost(self, database: Database, programme: UUID) -> KitCost:
        with database.transaction() as tx:
            return make_kit_cost(tx, programme_id=programme)

    def run(self, database: Database, act: Callable[[Session], Any]) -> Callable[[], str]:
        def go() -> str:
            with database.transaction() as tx:
                return str(act(tx).state)

        return go

    def test_the_timer_passes_over_what_is_coming_back(self, database: Database, kit: Kit) -> None:
        """And finds it returned the next time."""
        with database.transaction() as tx:
            bring_back(tx, kit)
            tx.flush()
            with database.apart() as other:
                actions.fall_due(other, now=DUE, limit=10_000)
                assert other.get_one(Kit, kit.id).state == "received"
                other.rollback()
        with database.transaction() as tx:
            actions.fall_due(tx, now=DUE, limit=10_000)
            assert tx.get_one(Kit, kit.id).state == "returned"

    def test_what_falls_due_while_it_comes_back_has_come_back(self, database: Database, kit: Kit) -> None:
        """The partner waits for the timer."""
        with held(database, lambda tx: actions.fall_due(tx, now=DUE, limit=10_000)) as start:
            waiting = start(self.run(database, lambda tx: bring_back(tx, kit)))
        assert waiting.result() == "returned"

    def test_what_fell_due_meanwhile_does_not_move_with_its_shift(self, database: Database, programme: UUID) -> None:
        """Whoever follows the shift waits, and leaves it as it is now."""
        early = DUE - timedelta(hours=1)
        with database.transaction() as tx:
            kit = make_kit(tx, state=State.SHIPPED, programme_id=programme, due_at=early)

        def move(tx: Session) -> Kit:
            follow(tx, [kit.shift_id])
            return tx.get_one(Kit, kit.id)

        with held(database, lambda tx: actions.fall_due(tx, now=DUE, limit=10_000)) as start:
            waiting = start(self.run(database, move))
        assert waiting.result() == "overdue"
        with database.transaction() as tx:
            assert tx.get_one(Kit, kit.id).due_at == early

    def test_what_is_found_before_the_decision_is_not_owed(self, database: Database, cost: KitCost) -> None:
        """Who approves waits, and is told."""
        with database.transaction() as tx:
            kit = tx.get_one(Kit, cost.kit_id)
        approve = self.run(database, lambda tx: actions.approve(tx, decision(cost), approved_fen=None))
        with held(database, lambda tx: bring_back(tx, kit)) as start:
            waiting = start(approve)
        assert waiting.result() == "kit_cost_decided"

    def test_what_is_approved_and_then_found_is_not_owed_either(
        self, database: Database, cost: KitCost, programme: UUID
    ) -> None:
        """What was told is told back."""
        with database.transaction() as tx:
            kit = tx.get_one(Kit, cost.kit_id)
        back = self.run(database, lambda tx: bring_back(tx, kit))
        with held(database, lambda tx: actions.approve(tx, decision(cost), approved_fen=None)) as start:
            waiting = start(back)
        assert waiting.result() == "returned"
        with database.transaction() as tx:
            facts = [type(fact) for fact in told(tx, programme)]
            assert facts == [KitCostApproved, KitReturned, KitCostCancelled]
            assert tx.get_one(KitCost, cost.id).state == "cancelled"

    def test_of_two_decisions_at_once_one_counts(self, database: Database, cost: KitCost) -> None:
        """On one reading."""
        decide = decision(cost, seen=Seen.of(cost))
        outcomes = at_once(
            self.run(database, lambda tx: actions.approve(tx, decide, approved_fen=None)),
            self.run(database, lambda tx: actions.refuse(tx, decide)),
        )
        assert "precondition_failed" in outcomes
        assert len({"approved", "refused"} & set(outcomes)) == 1

    def test_a_cost_claimed_twice_at_once_is_one(self, database: Database, programme: UUID) -> None:
        """A double click."""
        with database.transaction() as tx:
            kit = make_kit(tx, state=State.LOST, programme_id=programme)
        claim = self.run(database, lambda tx: actions.claim_cost(tx, handling(kit), WOOL))
        assert at_once(claim, claim) == ["claimed", "claimed"]
        with database.transaction() as tx:
            assert [type(fact) for fact in told(tx, programme)] == [KitCostClaimed]
