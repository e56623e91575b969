"""What can be done with kits that are due: brought back, given up, cleared; and the claim for what a lost one has cost.

Whoever does any of this holds the kit's lock, then that of its claim. Timers pass over what somebody else holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.activities.kit_returns import queries, rules
from services.activities.kit_returns.rules import Command, State
from services.activities.kit_returns.tables import KitCost
from services.activities.kits.actions import Handling, cancel_unsent, drop_addresses, fact_of, forget_addresses
from services.activities.kits.queries import find_terms, lock_hopeless, lock_kit, lock_late
from services.activities.kits.rules import SENT, next_state, require_another
from services.activities.kits.rules import Command as KitCommand
from services.activities.kits.rules import State as KitState
from services.activities.kits.tables import Kit
from services.activities.listings.queries import list_timezones
from shared import bus
from shared.audit import note
from shared.auth.scopes import Scope
from shared.events import activities_kits as events
from shared.ids import new_id
from shared.seen import Seen
from shared.zones import zone


@dataclass(frozen=True, slots=True)
class Cost:
    """What a partner claims for one kit, in fen, and why; without anybody's name."""

    amount_fen: int
    reason: str
    evidence_note: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides on a claim, on which reading of it, and when; `of_partner` is whose member they are besides."""

    programme_id: UUID
    cost_id: UUID
    by: UUID
    of_partner: UUID | None
    reason: str
    seen: Seen
    at: datetime


def bring_back(tx: Session, handling: Handling, *, pieces: int, words: str | None) -> Kit:
    """Note that a kit came back, with so many whole pieces; also one that was overdue or lost. Again changes nothing.

    What was claimed for it and is not paid is cancelled. Raises NotFound, KitStateDiffers.
    """
    kit = lock_kit(tx, handling.scope, handling.kit_id)
    if (kit.state, kit.pieces) == (KitState.RETURNED, pieces):
        return kit
    kit.state = next_state(kit.state, KitCommand.RETURN)
    kit.returned_by, kit.returned_at, kit.pieces, kit.return_note = handling.by, handling.at, pieces, words
    drop_addresses(tx, [kit])
    bus.emit(tx, events.KitReturned(**fact_of(kit), at=handling.at, pieces=pieces))
    _cancel_cost(tx, kit, now=handling.at)
    return kit


def lose(tx: Session, handling: Handling, *, because: str, seen: Seen) -> Kit:
    """Give an overdue kit up. Raises NotFound, ChangedSince, KitStateDiffers."""
    kit = lock_kit(tx, handling.scope, handling.kit_id)
    seen.require(kit)
    _lose(tx, [kit], by=handling.side, now=handling.at)
    kit.lost_by, kit.lost_because = handling.by, because
    return kit


def clear(tx: Session, handling: Handling, *, because: str, seen: Seen) -> Kit:
    """Let a kit that is overdue or lost keep its person from no other one; it stays what it is.

    Raises NotFound, ChangedSince, NotBlocking, OwnKit.
    """
    kit = lock_kit(tx, handling.scope, handling.kit_id)
    seen.require(kit)
    require_another(handling.by, volunteer_id=kit.volunteer_id)
    rules.require_blocking(kit.state, cleared_at=kit.cleared_at)
    kit.cleared_by, kit.cleared_at, kit.cleared_because = handling.by, handling.at, because
    return kit


def fall_due(tx: Session, *, now: datetime, limit: int) -> int:
    """Say of kits that are due back by now that they are overdue, at most `limit`; return how many."""
    kits = lock_late(tx, *sorted(SENT), now=now, limit=limit)
    zones = list_timezones(tx, {kit.listing_id for kit in kits}) if kits else {}
    facts = []
    for kit in kits:
        kit.state = next_state(kit.state, KitCommand.FALL_DUE)
        kit.overdue_at, kit.lose_at = now, rules.lose_at(now, zone(zones[kit.listing_id]))
        facts.append(events.KitOverdue(**fact_of(kit), at=now, lose_at=kit.lose_at))
    bus.emit_all(tx, facts)
    return len(facts)


def give_up(tx: Session, *, now: datetime, limit: int) -> int:
    """Give up kits that have been overdue for twenty working days, at most `limit`; return how many."""
    return _lose(tx, lock_hopeless(tx, now=now, limit=limit), by=events.KitSide.CALENDAR, now=now)


def turn(tx: Session, *, now: datetime, limit: int) -> dict[str, int]:
    """Do to kits what their dates say, at most `limit` of each, and return how many; addresses go with what needs them.

    A kit that was not sent is cancelled, one that is due is overdue, one that stays so is given up: in this order last
    things first, so that after an outage of weeks nobody's kit is overdue and lost within one run.
    """
    return {
        "lost": give_up(tx, now=now, limit=limit),
        "overdue": fall_due(tx, now=now, limit=limit),
        "cancelled": cancel_unsent(tx, now=now, limit=limit),
        "addresses": forget_addresses(tx, limit=limit),
    }


def claim_cost(tx: Session, handling: Handling, cost: Cost) -> KitCost:
    """Claim, as its partner, what a lost kit has cost; the same again changes nothing and returns the first.

    Raises NotFound, KitNotLost, BadCost, CostClaimed.
    """
    kit = lock_kit(tx, handling.scope, handling.kit_id)
    known = queries.lock_cost_of(tx, kit.id)
    if known is not None:
        rules.require_same(is_same=known.amount_fen == cost.amount_fen)
        return known
    rules.require_lost(kit.state)
    terms = find_terms(tx, kit.listing_id)
    rules.require_within(cost.amount_fen, most_fen=terms.ceiling_fen, field="amount_fen")
    claim = KitCost(
        id=new_id(), programme_id=kit.programme_id, kit_id=kit.id, partner_id=kit.partner_id, state=State.CLAIMED,
        ceiling_fen=terms.ceiling_fen, amount_fen=cost.amount_fen, reason=cost.reason,
        evidence_note=cost.evidence_note, claimed_by=handling.by, claimed_at=handling.at,
    )  # fmt: skip
    tx.add(claim)
    tx.flush()
    bus.emit(tx, events.KitCostClaimed(**_fact(claim, kit), amount_fen=claim.amount_fen, at=handling.at))
    return claim


def approve(tx: Session, decision: Decision, *, approved_fen: int | None) -> KitCost:
    """Owe the partner what it claims for a kit, or less. Whether it is paid is the ledger's to tell.

    Raises NotFound, ChangedSince, OwnCost, CostDecided, KitNotLost, BadCost.
    """
    claim, kit = _lock(tx, decision)
    following = rules.next_state(claim.state, Command.APPROVE)
    rules.require_lost(kit.state)
    amount_fen = claim.amount_fen if approved_fen is None else approved_fen
    rules.require_within(amount_fen, most_fen=claim.amount_fen, field="approved_fen")
    claim.approved_fen = amount_fen
    _decided(claim, decision, following)
    bus.emit(tx, events.KitCostApproved(**_fact(claim, kit), amount_fen=amount_fen, at=decision.at))
    return claim


def refuse(tx: Session, decision: Decision) -> KitCost:
    """Do not owe the partner what it claims for a kit. Raises NotFound, ChangedSince, OwnCost, CostDecided."""
    claim, kit = _lock(tx, decision)
    _decided(claim, decision, rules.next_state(claim.state, Command.REFUSE))
    bus.emit(tx, events.KitCostRefused(**_fact(claim, kit), amount_fen=claim.amount_fen, at=decision.at))
    return claim


def forget_words_of(tx: Session, *, volunteer_id: UUID) -> None:
    """Empty what was written in the claims for a person's kits; amounts and decisions stay."""
    of_person = select(Kit.id).where(Kit.volunteer_id == volunteer_id)
    words = {"reason": "", "evidence_note": "", "decision_reason": None}
    rows = update(KitCost).where(KitCost.kit_id.in_(of_person)).values(words).returning(KitCost.id)
    note(tx, "kit_cost", (), forgotten=len(tx.scalars(rows).all()))


def _lose(tx: Session, kits: Sequence[Kit], *, by: events.KitSide, now: datetime) -> int:
    for kit in kits:
        kit.state, kit.lost_at = next_state(kit.state, KitCommand.LOSE), now
    drop_addresses(tx, kits)
    bus.emit_all(tx, [events.KitLost(**fact_of(kit), at=now, lost_by=by) for kit in kits])
    return len(kits)


def _cancel_cost(tx: Session, kit: Kit, *, now: datetime) -> None:
    """End what is claimed for a kit that was found, unless it is not owed anyway."""
    claim = queries.lock_cost_of(tx, kit.id)
    if claim is None or not rules.is_unpaid(claim.state):
        return
    claim.state, claim.cancelled_at = rules.next_state(claim.state, Command.CANCEL), now
    amount_fen = claim.amount_fen if claim.approved_fen is None else claim.approved_fen
    was = {"amount_fen": amount_fen, "was_approved": claim.approved_fen is not None}
    bus.emit(tx, events.KitCostCancelled(**_fact(claim, kit), **was, at=now))


def _lock(tx: Session, decision: Decision) -> tuple[KitCost, Kit]:
    """Lock a claim with its kit, by a stranger to both. Raises NotFound, ChangedSince, OwnCost."""
    claim = queries.get_cost(tx, programme_id=decision.programme_id, cost_id=decision.cost_id)
    kit = lock_kit(tx, Scope(decision.programme_id), claim.kit_id)
    tx.refresh(claim, with_for_update={"key_share": True})
    decision.seen.require(claim)
    parties = {claim.claimed_by, kit.volunteer_id}
    rules.require_stranger(decision.by, parties, partner_id=claim.partner_id, of_partner=decision.of_partner)
    return claim, kit


def _decided(claim: KitCost, decision: Decision, state: State) -> None:
    claim.state, claim.decided_by, claim.decided_at = state, decision.by, decision.at
    claim.decision_reason = decision.reason


def _fact(claim: KitCost, kit: Kit) -> dict[str, Any]:
    return {
        "programme_id": claim.programme_id, "cost_id": claim.id, "kit_id": kit.id, "listing_id": kit.listing_id,
        "partner_id": claim.partner_id,
    }  # fmt: skip
